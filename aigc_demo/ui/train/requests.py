"""What the page asks of a training: start one, look at it, stop it, take home what it made."""

import base64
import io
import secrets
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from aigc_demo.explain.history import read_history
from aigc_demo.names import MINUTE, SIZES
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import address, visitor
from aigc_demo.ui.page.hub_panel import about
from aigc_demo.ui.page.jobs import Job, Jobs
from aigc_demo.ui.page.page import Update
from aigc_demo.ui.page.training_view import of_browser
from aigc_demo.ui.train.data import unpack_pictures, write_drawings, write_text

OPTIONS = {  # of `train`, by what it learns from
    "sample": (),
    "drawings": ("--images", "data"),
    "pictures": ("--images", "data"),
    "text": ("--text", "data.txt"),
}
DATA = tuple(OPTIONS)
WRITER = "shakespeare"  # learns from text, the others from pictures
LONGEST = 5  # minutes
SNAPSHOTS = 8  # of the weights of a training,
SHOWN_AGAIN = ("gan", "vae-2d")  # for these, whose view of their training draws with them
NAME = "mine"  # of the folder at home
LOOKS = (
    *("README.md", "config.json", "history.json", "curves.png", "*.safetensors"),
    *("history/*.png", "snapshots/*/*"),
)


def starter(jobs: Jobs) -> Callable:
    """The handler of Start."""

    def start(models: Models, words: Words, model, data, size, minutes, text, collected) -> Update:
        """Queues a training, unless this visitor has one already: its key, or why there is none."""
        session = visitor() or ""
        try:
            job = jobs.find(session) or _job(model, data, size, minutes, session)
            if job.folder == Path():
                _queue(jobs, job, data, text, collected if isinstance(collected, dict) else {})
        except (check.UserError, OSError) as error:
            if not isinstance(error, check.UserError):
                print(f"error: a training could not be prepared: {error}", file=sys.stderr)
                error = check.UserError("train.no_disk")
            texts = check.explained(words, error)
            return gr.update(job={"texts": texts, "number": secrets.token_hex(4)})
        return gr.update(job={"key": job.key})

    return start


def _queue(jobs: Jobs, job: Job, kind: str, text: Any, collected: dict[str, Any]) -> None:
    """Writes what a training learns from into a folder of its own, and puts it into the queue."""
    folder = jobs.folder()
    try:
        _write(kind, text, collected, folder)
        jobs.start(job, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _job(model: Any, data: Any, size: Any, minutes: Any, session: str) -> Job:
    """A training as it was asked for.

    Raises:
        UserError: there is none like that.
    """
    name = check.one_of(model, "model", MINUTE)
    kind = check.one_of(data, "data", DATA)
    long = check.whole(minutes, "minutes", 1, LONGEST)
    preset = check.one_of(size, "size", SIZES)
    if kind == "text" and name != WRITER:
        raise check.UserError("train.wants_pictures")
    if kind in ("drawings", "pictures") and name == WRITER:
        raise check.UserError("train.wants_text")
    kept = ["--snapshots", str(SNAPSHOTS)] * (name in SHOWN_AGAIN)
    arguments = ["--preset", preset, "--minutes", str(long), *kept, *OPTIONS[kind]]
    return Job(name, arguments, 60.0 * long, session, address())


def _write(kind: str, text: Any, collected: dict[str, Any], folder: Path) -> None:
    """Writes a visitor's own data into the folder of a training."""
    if kind == "drawings":
        write_drawings(collected.get("drawings"), folder / "data")
    elif kind == "pictures":
        unpack_pictures(collected.get("zip"), folder / "data")
    elif kind == "text":
        write_text(text, folder / "data.txt")


def looker(jobs: Jobs, models: Models, words: Words) -> Callable:
    """What the page asks every two seconds, by the key: how a training is going."""

    def look_at_training(key: Any = None) -> dict[str, Any]:
        job = jobs.look(key) if isinstance(key, str) else None
        if job is None:
            return {"stage": "gone"}
        told: dict[str, Any] = {"stage": job.stage, "model": job.model, "seconds": job.seconds}
        told["command"] = job.command(NAME)
        if job.stage == "waiting":
            return {**told, "before": jobs.place(job)}
        if job.stage == "failed":
            return {**told, "texts": words.both(job.error)}
        history = read_history(job.output) if job.output.is_dir() else None
        if history is not None:
            if not job.is_over:  # the moments before it are told at the end
                history = replace(history, moments=history.moments[-1:])
            told["history"] = {**of_browser(history), "phases": {}}
        if job.found is not None:
            told["about"] = {**about(models, job.found), "tab": job.found.tab.name}
        return told

    return look_at_training


def stopper(jobs: Jobs) -> Callable:
    """Ends a training by its key."""

    def stop_training(key: Any = None) -> None:
        if isinstance(key, str):
            jobs.stop(key)

    return stop_training


def taker(jobs: Jobs) -> Callable:
    """What a training made, by its key, as a zip in base64; "" where it is gone."""

    def take_training(key: Any = None) -> str:
        job = jobs.look(key) if isinstance(key, str) else None
        return base64.b64encode(packed(job)).decode() if job and job.found else ""

    return take_training


def packed(job: Job) -> bytes:
    """A zip: the weights folder, the visitor's own data, the command that makes the same again."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for pattern in LOOKS:
            for path in sorted(job.output.glob(pattern)):
                archive.write(path, f"{NAME}/{path.relative_to(job.output).as_posix()}")
        for path in sorted(job.folder.glob("data*")):
            for inner in sorted(path.rglob("*")) if path.is_dir() else [path]:
                archive.write(inner, inner.relative_to(job.folder).as_posix())
        archive.writestr("train.sh", job.command(NAME) + "\n")
    return file.getvalue()
