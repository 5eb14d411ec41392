"""Publishing to a Hub of our own, by the command and the real client."""

import json
import socket
from pathlib import Path

import pytest
from fake_hub import FakeHub
from huggingface_hub import ModelCard, constants

from aigc_demo.cli import main
from aigc_demo.hub import fetch_folder, look
from aigc_demo.hub.card import hub_card
from aigc_demo.weights import BUNDLED, bundled_names, load_model, read_config


@pytest.fixture
def alice(hub: FakeHub, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_alice")


def figures(folder: Path) -> dict[str, float]:
    """Rows of a card's table, read in another way than the code under test does."""
    rows = (folder / "README.md").read_text(encoding="utf-8").split("| figure | value |\n")[1]
    cells = [row.split("|") for row in rows.split("\n\n")[0].splitlines()[1:]]
    return {cell[1].strip(): cell[2].strip() for cell in cells}


@pytest.mark.usefixtures("alice")
def test_a_published_model_is_the_folder_with_its_card_in_one_commit(hub: FakeHub) -> None:
    assert main(["publish", "gan-small", "alice/small"]) == 0
    files, folder = hub.files("alice/small"), BUNDLED / "gan-small"
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "README.md":
            assert files[path.relative_to(folder).as_posix()] == path.read_bytes()
    assert len(hub.repos["models/alice/small"].messages) == 2  # made; published
    assert files["README.md"].decode() == hub_card(folder)
    loaded = load_model("alice/small", "gan", "cpu")
    assert loaded.digest == read_config(folder)["sha256"]


@pytest.mark.usefixtures("alice")
def test_publishing_again_uploads_only_what_changed(hub: FakeHub, tiny_folders, tmp_path, capsys):
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in tiny_folders["gan"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    (folder / "log.jsonl").write_text("{}")
    words = ["publish", str(folder), "alice/mine"]
    assert main(words) == 0
    assert set(hub.files("alice/mine")) == {
        *(".gitattributes", "README.md", "config.json", "model.safetensors"),
    }
    first = look("alice/mine").commit
    hub.asked.clear()
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("nothing has changed")
    assert hub.uploads() == []
    assert all(line.startswith("GET ") for line in hub.asked)
    assert look("alice/mine").commit == first

    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Mine, and better\n")
    hub.put("alice/mine", {"notes.txt": b"by hand, on the Hub's page"})
    hub.asked.clear()
    assert main(words) == 0
    assert hub.uploads() == ["POST /api/models/alice/mine/commit/main"]
    assert hub.files("alice/mine")["README.md"].endswith(b"and better\n")
    assert "notes.txt" in hub.files("alice/mine")
    assert fetch_folder("alice/mine").name != first


def test_every_bundled_card_says_its_figures_in_the_hubs_own_format() -> None:
    tasks = {"judge": "image-classification", "transformer": "text-generation"}
    for name in bundled_names():
        folder = BUNDLED / name
        data = ModelCard(hub_card(folder)).data  # the Hub's own reader
        assert (data.license, data.library_name) == ("apache-2.0", "aigc-demo")
        assert {name, "education"} <= set(data.tags)
        assert data.pipeline_tag == tasks.get(
            read_config(folder)["family"], "unconditional-image-generation"
        )
        rows = figures(folder)
        shown = {result.metric_name: result.metric_value for result in data.eval_results}
        assert shown and data.model_name == name
        assert all(float(rows[key]) == value for key, value in shown.items())
        assert not {"samples", "digits", "real frechet distance", "五绝 tang rhyme"} & set(shown)
    poems = ModelCard(hub_card(BUNDLED / "poems")).data
    kinds = {result.metric_name: result.metric_type for result in poems.eval_results}
    assert (poems.language, kinds["tang perplexity"]) == ("zh", "perplexity")
    assert "五绝 plain rhyme" in kinds


def test_a_model_that_was_not_scored_states_no_figures(tiny_folders, tmp_path: Path) -> None:
    config = json.loads((tiny_folders["gan"] / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="expected a model card"):
        hub_card(tmp_path)
    (tmp_path / "README.md").write_text("---\nlicense: [mit\n---\n# Mine\n")
    with pytest.raises(ValueError, match="expected metadata in YAML"):
        hub_card(tmp_path)
    card = "---\nlicense: mit\npipeline_tag: other\n---\n# Mine\n\nNot scored.\n"
    (tmp_path / "README.md").write_text(card)
    data = ModelCard(hub_card(tmp_path)).data
    assert (data.license, data.pipeline_tag, data.eval_results) == ("mit", "other", None)


REFUSED = [
    ("", "alice/x", {}, "set HF_TOKEN to a token that may write"),
    ("hf_nobody", "alice/x", {}, "does not accept the token"),
    ("hf_bob", "alice/x", {}, "may not do that"),
    ("hf_bob", "alice/there", {}, "may not do that"),
    ("hf_alice", "alice/x", {"/repos/create": 402}, "asks for a subscription"),
    ("hf_alice", "alice/there", {"/commit/": 412}, "somebody changed it meanwhile"),
    ("hf_alice", "alice/there", {"/commit/": 403}, "may not do that"),
    ("hf_alice", "alice/there", {"GET /api/models": 503}, "out of order"),
    ("hf_alice", "alice", {}, "expected owner/repo"),
    ("hf_alice", "alice/x@v1", {}, "expected owner/repo"),
]


@pytest.mark.parametrize(("token", "repo", "answers", "sentence"), REFUSED)
def test_what_the_account_may_not_do_is_said_in_one_line(
    hub: FakeHub, monkeypatch, capsys, token: str, repo: str, answers: dict, sentence: str
) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.put("alice/there", {"config.json": b"{}"})
    hub.answers = answers
    assert main(["publish", "judge", repo]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("error: ") and sentence in lines[-1]
    assert list(hub.files("alice/there")) == ["config.json"]


@pytest.mark.usefixtures("alice")
def test_damaged_weights_are_not_published(hub: FakeHub, tiny_folders, tmp_path, capsys) -> None:
    for path in tiny_folders["gan"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:-1])
    assert main(["publish", str(tmp_path), "alice/x"]) == 1
    assert "error: " in capsys.readouterr().err
    assert hub.asked == []


@pytest.mark.usefixtures("alice")
def test_without_a_network_publishing_ends_at_once(hub: FakeHub, monkeypatch, capsys) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", nobody)
        assert main(["publish", "judge", "alice/x"]) == 1
    assert "no connection to the Hub" in capsys.readouterr().err
