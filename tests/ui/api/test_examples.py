"""The documents' programs and the notebooks, run as they stand against a real server."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client
from PIL import Image
from servers import ROOT, serving

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.vae import LatentWalker

ADDRESS = "http://127.0.0.1:7860"
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
TEXT = "ROMEO:", 40, 5  # prompt, length, seed of the documents' text


def program_of(page: str, language: str) -> str:
    """A page's one block of a language."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.S)
    assert len(blocks) == 1, f"{page}: expected one block of {language}"
    assert ADDRESS in blocks[0]
    return blocks[0]


def check(printed: str, folder: Path) -> None:
    """What every one of the programs does: a year, a digit encoded, a text as it grows."""
    with Image.open(folder / "2026.png") as image:
        assert (image.format, image.size) == ("PNG", (4 * 28 * 4, 28 * 4))
        assert max(image.get_flattened_data()) > 200
    told = printed[printed.index("mean") :]
    numbers = [float(number) for number in re.findall(r"-?\d\.\d+(?:e-\d+)?", told)]
    walker = LatentWalker.load()
    with Image.open(folder / "digit.png") as image:
        assert image.size == (28, 28)
    mean, deviation = walker.encode((walker.decode([[0.5, 1.0]]) * 255).round() / 255)
    expected = [*mean[0].tolist(), *deviation[0].tolist()]
    assert numbers[:4] == pytest.approx(expected, abs=2e-3)
    prompt, length, seed = TEXT
    text = TextWriter.load().write(prompt, length, temperature=0.8, top_p=0.95, seed=seed)
    assert text in printed or json.dumps(text) in printed


@pytest.mark.parametrize("page", ["api.md", "api.zh.md"])
@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("python", [sys.executable, "program"]),
        ("js", ["node", "program.mjs"]),
        ("bash", ["bash", "-e", "program"]),
    ],
)
def test_a_program_of_the_documents_does_what_it_says(
    server_url: str, tmp_path: Path, page: str, language: str, command: list[str]
) -> None:
    program = program_of(page, language).replace(ADDRESS, server_url.rstrip("/"))
    (tmp_path / command[-1]).write_text(program, encoding="utf-8")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    check(done.stdout, tmp_path)


def code_of(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def played(notebook: Path, url: str = "") -> dict:
    """The variables after all cells of a notebook, run one after the other in this process."""
    scope: dict = {}
    for number, code in enumerate(code_of(notebook)):
        exec(compile(code.replace(ADDRESS, url or ADDRESS), f"cell {number}", "exec"), scope)
    return scope


def test_there_are_two_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["call_the_demo", "train_your_own"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_well_formed_and_stored_without_outputs(path: Path) -> None:
    book = json.loads(path.read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    names = [cell["id"] for cell in book["cells"]]
    assert len(set(names)) == len(names)
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
        else:
            text = "".join(cell["source"])
            assert re.search("[a-z]{3}", text) and re.search("[\u4e00-\u9fff]{3}", text), text


def test_the_notebook_calls_a_running_demo(server_url: str, capsys) -> None:
    path = NOTEBOOKS[0]
    assert sum(code.count(ADDRESS) for code in code_of(path)) == 1
    found = played(path, server_url)
    with Image.open(found["picture"]) as image:
        assert image.size == (4 * 28 * 4, 28 * 4)
    with Image.open(found["rebuilt"]) as image:
        assert image.size == (28, 28)
    assert len(found["numbers"]["mean"]) == 2
    assert found["written"] == TextWriter.load().write(
        "ROMEO:", 120, temperature=0.8, top_p=0.95, seed=5
    )
    assert found["poem"] == TextWriter.load("poems").poem(
        "五绝", "江雪", temperature=0.8, top_p=0.9, seed=1, guidance=2
    )
    assert len(found["following"]) == 5
    assert found["complaint"] == "个数：请填 1 到 64 之间的数。"
    assert found["written"] in capsys.readouterr().out


def test_the_notebook_trains_and_the_page_shows_what_it_made(tmp_path: Path, monkeypatch) -> None:
    for name in ("aigc_demo", "weights"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "examples").mkdir()
    monkeypatch.chdir(tmp_path / "examples")
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = played(NOTEBOOKS[1])
    runs = tmp_path / "examples/runs"
    assert len(found["written"]) == 60
    assert set(found["written"]) <= set((runs / "own.txt").read_text(encoding="utf-8"))
    words = shlex.split(found["command"])
    assert words[:3] == ["python", "app.py", "--weights"]
    with serving(*words[2:]) as url:
        client = Client(url, verbose=False, httpx_kwargs={"timeout": 120})
        own = {"model": "shakespeare-2"}  # beside the bundled one
        text = client.predict(prompt="Row, ", length=60, seed=1, **own, api_name="/text_write")
        assert text == TextWriter.load(runs / "shakespeare").write(
            "Row, ", 60, temperature=0.8, top_p=0.95, seed=1
        )
        drawn = client.predict(labels="01", count=2, seed=0, model="gan-2", api_name="/gan_sample")
        expected = DigitSampler.load(runs / "gan").sample([0, 1], [0, 1], 0.8)
        with Image.open(drawn) as image:
            pixels = image.resize((56, 28), Image.Resampling.NEAREST).get_flattened_data()
        assert sum(pixels) / 255 == pytest.approx(expected.sum().item(), rel=0.02)
