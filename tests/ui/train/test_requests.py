"""What the page asks of a training, with whatever a client may send."""

import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from aigc_demo.names import MINUTE
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.jobs import Job, Jobs, common_folder
from aigc_demo.ui.train import requests
from aigc_demo.ui.train.requests import looker, packed, starter, stopper, taker

WORDS = Words()
GOOD: dict[str, Any] = {
    "model": "gan",
    "data": "sample",
    "size": "small",
    "minutes": 1,
    "text": "",
    "collected": {},
}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(requests, "visitor", lambda: "one session")
    made = Jobs(Models(TABS))
    monkeypatch.setattr(made, "_begin", lambda job: None)  # all of them wait
    yield made
    made.close()


def asked(jobs: Jobs, **values: Any) -> dict[str, Any]:
    return starter(jobs)(jobs.models, WORDS, *{**GOOD, **values}.values())["job"]


def test_start_pressed_ten_times_is_one_training(jobs: Jobs) -> None:
    keys = {asked(jobs)["key"] for _ in range(10)}
    assert len(keys) == 1 and len(list(common_folder().iterdir())) == 1


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("bad", [None, "", 0, -1, 6, 1e9, float("nan"), "x", [], {}, True, b"x"])
def test_bad_values_get_one_sentence_and_leave_nothing(jobs: Jobs, name: str, bad: Any) -> None:
    if name in ("text", "collected"):  # which the sample does not read
        kind = {"text": "text", "collected": "drawings"}[name]
        model = {"text": "shakespeare", "collected": "gan"}[name]
        told = asked(jobs, data=kind, model=model, **{name: bad})
    elif name == "minutes" and bad is True:
        told = asked(jobs, minutes="1")
    else:
        told = asked(jobs, **{name: bad})
    assert set(told["texts"]) == {"zh", "en"} and all(told["texts"].values())
    assert not any(common_folder().glob("*"))


def test_each_model_takes_the_data_that_fits_it(jobs: Jobs) -> None:
    for model in MINUTE:
        wrong = ("drawings", "pictures") if model == "shakespeare" else ("text",)
        for kind in wrong:
            told = asked(jobs, model=model, data=kind)
            assert "learns from" in told["texts"]["en"]


def test_a_folder_that_cannot_be_made_is_told(jobs: Jobs, tmp_path: Path) -> None:
    common_folder().write_text("a file in its place")
    assert asked(jobs)["texts"] == WORDS.both("train.no_disk")
    common_folder().unlink()


@pytest.mark.parametrize("key", [None, "", "x", 7, [], {}, {"key": "x"}, "\ud83d"])
def test_without_the_key_there_is_nothing_to_see(jobs: Jobs, key: Any) -> None:
    asked(jobs)
    assert looker(jobs, jobs.models, WORDS)(key) == {"stage": "gone"}
    assert taker(jobs)(key) == ""
    stopper(jobs)(key)
    assert jobs.find("one session") is not None


def test_who_waits_sees_the_place_and_the_command(jobs: Jobs) -> None:
    told = looker(jobs, jobs.models, WORDS)(asked(jobs)["key"])
    assert (told["stage"], told["before"]) == ("waiting", 0)
    assert told["command"] == (
        "python -m aigc_demo train gan --preset small --minutes 1 --snapshots 8 --output mine"
    )


def test_what_is_taken_home_holds_the_model_the_data_and_the_command(tmp_path: Path) -> None:
    job = Job("shakespeare", ["--preset", "small", "--text", "data.txt"], 60, "", "")
    job.folder = tmp_path
    (job.output / "history").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "README.md", "log.jsonl", "history/0.png"):
        (job.output / name).write_text(name)
    (tmp_path / "data.txt").write_text("To be.")
    (tmp_path / "said.txt").write_text("100 %")
    with zipfile.ZipFile(BytesIO(packed(job))) as archive:
        assert set(archive.namelist()) == {
            *("mine/README.md", "mine/config.json", "mine/model.safetensors"),
            *("mine/history/0.png", "data.txt", "train.sh"),
        }
        assert archive.read("train.sh").decode() == (
            "python -m aigc_demo train shakespeare --preset small --text data.txt --output mine\n"
        )
