"""Pulling from a Hub of our own, by the real client: what works, and every way it can fail."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from fake_hub import FakeHub
from huggingface_hub import constants, get_cached_repo_tree, hf_hub_download
from servers import ROOT

from aigc_demo import hub as our_hub
from aigc_demo.checkpoints.gpt2 import REVISIONS
from aigc_demo.hub import HubUnavailable, fetch, fetch_folder, look, names, pull
from aigc_demo.inference.gan import DigitSampler

FILES = {"config.json", "model.safetensors"}


@pytest.fixture
def digits(hub: FakeHub, tiny_folders) -> str:
    """The commit of alice/digits, our weights on the Hub, with a file never to be fetched."""
    files = {path.name: path.read_bytes() for path in tiny_folders["gan"].iterdir()}
    return hub.put("alice/digits", {**files, "pytorch_model.bin": b"pickle", "README.md": b"#"})


def failure(source: str = "alice/digits", **options) -> HubUnavailable:
    """What a pull raises; one sentence that begins with its source."""
    with pytest.raises(HubUnavailable) as raised:
        fetch_folder(*our_hub.split_source(source), **options)
    message = str(raised.value)
    assert message.startswith(source.partition("@")[0]) and "\n" not in message
    return raised.value


def test_a_repository_loads_and_its_commit_is_known(hub: FakeHub, digits, tiny_folders) -> None:
    expected = DigitSampler.load(tiny_folders["gan"], device="cpu").sample([1, 2], [3, 4])
    loaded = DigitSampler.load("alice/digits", device="cpu").sample([1, 2], [3, 4])
    torch.testing.assert_close(loaded, expected)
    assert fetch_folder("alice/digits").name == digits
    assert set(hub.downloads()) == FILES
    assert len(hub.downloads()) == 2


def test_visitors_of_a_space_may_name_the_checkpoints_that_have_a_revision() -> None:
    assert set(names.FAMILY) == set(REVISIONS)


def test_a_second_pull_asks_once_and_a_pinned_one_never(hub: FakeHub, digits) -> None:
    folder = fetch_folder("alice/digits")
    hub.asked.clear()
    assert fetch_folder("alice/digits") == folder
    assert hub.asked == ["GET /api/models/alice/digits/revision/main"]
    hub.asked.clear()
    assert fetch_folder("alice/digits", digits) == folder
    assert hub.asked == []


def test_a_pinned_commit_stays_what_it_was(hub: FakeHub, digits) -> None:
    old = fetch_folder("alice/digits", digits)
    new = hub.put("alice/digits", {"directions.safetensors": b"another file"})
    assert new != digits
    assert not (old / "directions.safetensors").exists()
    assert (fetch_folder("alice/digits") / "directions.safetensors").read_bytes() == b"another file"
    assert fetch_folder("alice/digits", digits) == old


def test_a_branch_with_slashes_is_a_revision(hub: FakeHub, digits) -> None:
    hub.repos["models/alice/digits"].branches["refs/pr/7"] = digits
    hub.put("alice/digits", {"config.json": b"{}"})
    assert fetch_folder("alice/digits", "refs/pr/7").name == digits


def test_the_client_and_other_programs_find_what_was_fetched(hub: FakeHub, digits) -> None:
    folder = fetch_folder("alice/digits")
    found = hf_hub_download("alice/digits", "config.json", local_files_only=True)
    assert Path(found) == folder / "config.json"
    assert {file.path for file in get_cached_repo_tree("alice/digits")} >= FILES


def test_a_caller_sees_the_files_and_takes_some_of_them(hub: FakeHub) -> None:
    files = {"vocab.txt": b"[PAD]\n", "weights.safetensors": b"12345", "x/y.json": b"{}"}
    commit = hub.put("uer/poems", files)
    repository = look("uer/poems")
    assert (repository.commit, set(repository.files)) == (commit, set(files))
    assert repository.files["weights.safetensors"].size == 5
    folder = fetch(repository, ["vocab.txt", "x/y.json"])
    assert (folder / "vocab.txt").read_bytes() == b"[PAD]\n"
    assert sorted(hub.downloads()) == ["vocab.txt", "y.json"]


def test_progress_counts_bytes_in_the_callers_thread(hub: FakeHub, digits) -> None:
    seen: list[tuple[int, int]] = []

    def note(done: int, total: int) -> None:
        assert threading.current_thread() is caller
        seen.append((done, total))

    caller = threading.current_thread()
    fetch_folder("alice/digits", progress=note)
    size = len(hub.files("alice/digits")["model.safetensors"])
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_whoever_stops_a_download_by_an_exception_stops_it(hub: FakeHub, digits) -> None:
    hub.bodies["model.safetensors"] = "drip"

    def stop(done: int, total: int) -> None:
        if done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fetch_folder("alice/digits", progress=stop)
    before = threading.active_count()
    for _ in range(50):
        if not list(Path(constants.HF_HUB_CACHE).rglob("*.tmp")):
            break
        time.sleep(0.1)
    assert not list(Path(constants.HF_HUB_CACHE).rglob("*.tmp"))
    assert threading.active_count() < before + 1


def test_those_who_ask_at_the_same_time_share_one_download(hub: FakeHub, digits) -> None:
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(fetch_folder, ["alice/digits"] * 4))
    assert len(folders) == 1
    assert len(hub.downloads()) == 2


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: FakeHub, digits) -> None:
    hub.bodies["model.safetensors"] = "cut"
    folder = fetch_folder("alice/digits")
    content = hub.files("alice/digits")["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == content
    assert hub.ranges[0] == f"bytes={len(content) // 2 + 1}-"


@pytest.mark.parametrize("how", ["corrupt", "short", "long"])
def test_what_is_not_the_promised_file_is_thrown_away(hub: FakeHub, digits, how: str) -> None:
    for name in sorted(FILES):
        hub.bodies = {name: how}
        assert failure().kind == "damaged"
    assert not [path for path in Path(constants.HF_HUB_CACHE).rglob("model*") if path.is_file()]
    hub.bodies = {}
    assert DigitSampler.load("alice/digits", device="cpu")


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(hub: FakeHub, digits) -> None:
    path = fetch_folder("alice/digits") / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[::-1])
    assert fetch_folder("alice/digits", digits) and path.read_bytes() == whole


def test_weights_that_the_config_does_not_know_are_not_even_fetched(hub: FakeHub, digits) -> None:
    config = json.loads(hub.files("alice/digits")["config.json"])
    config["sha256"] = "0" * 64
    hub.put("alice/digits", {"config.json": json.dumps(config).encode()})
    assert failure().kind == "damaged"
    assert hub.downloads() == ["config.json"]


def test_a_hub_that_vanishes_in_mid_download_is_named(hub: FakeHub, digits) -> None:
    hub.bodies["model.safetensors"] = "vanish"
    error = failure()
    assert error.kind == "cut" and "MB came" in str(error)


def test_a_slow_drip_ends_at_the_deadline(hub: FakeHub, digits) -> None:
    repository = look("alice/digits")
    hub.bodies["model.safetensors"] = "drip"
    start = time.monotonic()
    with pytest.raises(HubUnavailable, match="too slow") as raised:
        fetch(repository, FILES, deadline=1.0)
    assert raised.value.kind == "slow"
    assert 0.9 < time.monotonic() - start < 3


def test_what_is_too_large_is_refused_before_the_download(hub: FakeHub, digits) -> None:
    with pytest.raises(HubUnavailable, match="expected at most 0 MB") as raised:
        fetch(look("alice/digits"), FILES, largest=1_000)
    assert raised.value.kind == "large"
    assert hub.downloads() == []


@pytest.mark.parametrize("name", ["pytorch_model.bin", "README.md", "nothing.json", "../x.json"])
def test_pickles_and_strange_files_are_never_fetched(hub: FakeHub, digits, name: str) -> None:
    hub.put("alice/digits", {"../x.json": b"{}"})
    with pytest.raises(HubUnavailable) as raised:
        fetch(look("alice/digits"), [name])
    assert raised.value.kind == "file"
    assert hub.downloads() == []


def test_a_repository_without_weights_is_named(hub: FakeHub) -> None:
    hub.put("alice/empty", {"pytorch_model.bin": b"pickle"})
    assert failure("alice/empty").kind == "file"
    hub.put("alice/empty", {"config.json": b"{}"})
    assert "model.safetensors" in str(failure("alice/empty"))


STATUS = {
    401: "token",
    402: "payment",
    403: "forbidden",
    404: "missing",
    418: "answer",
    429: "busy",
    500: "down",
    503: "down",
}


@pytest.mark.parametrize("place", ["/api/models", "/resolve/"])
@pytest.mark.parametrize("status", STATUS)
def test_every_refusal_has_its_sentence(hub: FakeHub, digits, status: int, place: str) -> None:
    hub.answers[place] = status
    start = time.monotonic()
    assert failure().kind == STATUS[status]
    assert time.monotonic() - start < 3


def test_who_may_not_see_a_repository_is_told_so(hub: FakeHub, digits, monkeypatch) -> None:
    hub.put("alice/secret", hub.files("alice/digits"), private=True)
    hub.put("alice/asked", hub.files("alice/digits"), gated=True)
    assert failure("alice/nothing").kind == "missing"
    assert failure("alice/secret").kind == "missing"
    assert failure("alice/asked").kind == "gated"
    assert failure("alice/digits@no-such-revision").kind == "revision"
    assert failure(f"alice/digits@{'0' * 40}").kind == "revision"
    monkeypatch.setenv("HF_TOKEN", "hf_bob")
    assert failure("alice/secret").kind == "missing"
    assert failure("alice/asked").kind == "gated"
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    assert failure().kind == "token"
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    assert fetch_folder("alice/secret") and fetch_folder("alice/asked")


@pytest.mark.parametrize("name", ["alice", "a/b/c", "../b", "a/..", "a b/c", "a/b@", "a/b@../x"])
def test_a_name_that_can_be_none_is_refused_unasked(hub: FakeHub, name: str) -> None:
    repo, _, revision = name.partition("@")
    with pytest.raises(HubUnavailable, match="expected owner/repo"):
        look(repo, revision)
    assert hub.asked == []


def test_what_is_no_hub_is_named(hub: FakeHub, digits, monkeypatch) -> None:
    hub.answers["/api/models"] = 200  # with nothing in it, as some networks' own pages are
    assert failure().kind == "answer"


@pytest.fixture
def mute() -> Iterator[str]:
    """An address that takes a connection and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def unreachable(monkeypatch, way: str, mute: str) -> None:
    places = {"refused": "http://127.0.0.1:9", "unknown": "http://no-such-host.invalid"}
    endpoint = places.get(way, mute)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    if way == "hanging":  # the look-up of the name
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(20))
    elif way == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


WAYS = [
    ("refused", "network", 3),
    ("unknown", "network", 3),
    ("mute", "mute", 3),
    ("hanging", "mute", 5),
    ("offline", "offline", 1),
]


@pytest.mark.parametrize(("way", "kind", "seconds"), WAYS)
def test_without_a_network_a_sentence_comes_soon_and_the_cache_serves(
    hub: FakeHub, digits, monkeypatch, mute: str, way: str, kind: str, seconds: int
) -> None:
    folder = fetch_folder("alice/digits")
    unreachable(monkeypatch, way, mute)
    start = time.monotonic()
    assert failure("alice/other").kind == kind
    assert time.monotonic() - start < seconds
    assert fetch_folder("alice/digits") == folder
    assert fetch_folder("alice/digits", digits) == folder
    assert folder.joinpath("model.safetensors").unlink() is None
    start = time.monotonic()
    assert failure(f"alice/digits@{digits}").kind == kind
    assert time.monotonic() - start < seconds


def test_the_variables_of_the_client_hold(tmp_path: Path, hub: FakeHub, digits) -> None:
    """In a process of its own, for the client reads them at import."""
    hub.put("alice/digits", {}, private=True)
    script = (
        "import sys\n"
        "from aigc_demo.weights import load_model\n"
        "try:\n"
        "    print(load_model('alice/digits', 'gan', 'cpu').digest)\n"
        "except ValueError as error:\n"
        "    sys.exit(f'{type(error).__name__}: {error}')\n"
    )

    def load(**variables: str) -> subprocess.CompletedProcess[str]:
        settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), **variables}
        environment = {**os.environ, **settings}
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )

    assert "no such repository" in load().stderr
    digest = json.loads(hub.files("alice/digits")["config.json"])["sha256"]
    assert load(HF_TOKEN="hf_alice").stdout.strip() == digest
    hub.asked.clear()
    assert load(HF_HUB_OFFLINE="1").stdout.strip() == digest
    assert hub.asked == []
    refused = load(HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path / "other"))
    assert "HubUnavailable: alice/digits@main: no connection to the Hub" in refused.stderr


def test_visitors_of_a_public_page_may_name_what_a_list_allows(monkeypatch) -> None:
    monkeypatch.delenv("AIGC_REPOS", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert our_hub.named_repositories() is None
    assert our_hub.may_be_named("anyone/anything")
    monkeypatch.setenv("AIGC_PUBLIC", "1")
    assert our_hub.named_repositories() == our_hub.FAMILY
    monkeypatch.setenv("SPACE_ID", "alice/demo")
    allowed = ["alice/digits", "openai-community/gpt2", "uer/gpt2-chinese-poem"]
    refused = ["bob/digits", "alicex/digits", "openai-community/gpt2-xl", "alice", "x/alice/y"]
    assert all(map(our_hub.may_be_named, allowed))
    assert not any(map(our_hub.may_be_named, refused))
    monkeypatch.setenv("AIGC_REPOS", "bob/*, carol/one")
    assert list(map(our_hub.may_be_named, ["bob/x", "carol/one", "carol/two", "alice/digits"])) == [
        True,
        True,
        False,
        False,
    ]
    monkeypatch.setenv("AIGC_REPOS", "")
    assert not our_hub.may_be_named("alice/digits")


def test_the_size_that_is_allowed_holds_the_gpt2_family() -> None:
    assert 548_105_171 < pull.LARGEST < 2_000_000_000  # openai-community/gpt2's model.safetensors
