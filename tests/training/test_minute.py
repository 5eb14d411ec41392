"""Trainings with a limit of time: they end when it is over, and leave a whole model."""

import json
import math
import signal
import subprocess
import sys
import time
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from servers import ROOT

from aigc_demo import training
from aigc_demo.explain.history import read_history
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import MINUTE, SIZES
from aigc_demo.training import gan, run

LIMIT = 3.0  # seconds
STEP = 0.1  # seconds of a step, by the clock of `even_steps`
LOADERS = {"gan": DigitSampler, "vae-2d": LatentWalker, "flow": FlowSampler}


@pytest.fixture
def even_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which every step of a training takes as long, however busy the machine is."""
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=count(0.0, STEP).__next__))


@pytest.mark.usefixtures("even_steps")
@pytest.mark.parametrize("name", MINUTE)
def test_a_training_ends_with_its_time_and_leaves_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(run, "LOOK_EVERY", 0.5)
    training.train(name, "small", None, tmp_path, minutes=LIMIT / 60)
    if name == "shakespeare":
        assert len(TextWriter.load(tmp_path, "cpu").write("ROMEO:\n", 9)) == 9
    else:
        assert LOADERS[name].load(tmp_path, "cpu").sample([1, 2]).isfinite().all()
    history = read_history(str(tmp_path))
    assert history is not None
    steps = [moment.step for moment in history.moments]
    assert steps == sorted(set(steps)) and steps[0] == 0 and len(steps) > 3
    rows = run.read_rows(tmp_path / "log.jsonl")
    assert rows[-1]["step"] == steps[-1] == pytest.approx(LIMIT / STEP, abs=1)
    assert rows[-1]["seconds"] == pytest.approx(LIMIT, abs=STEP)
    pictures = {path.name for path in tmp_path.glob("history/*")}
    assert len(pictures) == (0 if name == "shakespeare" else len(steps))


@pytest.mark.usefixtures("even_steps")
def test_rates_fall_with_the_time_that_is_left(tmp_path: Path) -> None:
    recipe = gan.Recipe(gan.SMALL.model, steps=10**6, batch=8, seconds=10 * LIMIT)
    timed = run.Run("gan", tmp_path, recipe, "", 1, "image")
    shares = []
    for step in timed.steps():
        shares.append(step / timed.total)
    assert timed.total == len(shares) == pytest.approx(10 * LIMIT / STEP, abs=1)
    late = shares[len(shares) // 10 :]
    assert all(before <= after + 0.05 for before, after in pairwise(late))
    assert late[len(late) // 2] == pytest.approx(0.55, abs=0.15) and shares[-1] > 0.9


def test_told_to_end_early_it_leaves_what_there_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aigc_demo", "train", "vae-2d", "--preset", "small"]
    command += ["--minutes", "5", "--output", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    log = tmp_path / "log.jsonl"
    for _ in range(600):
        if log.is_file() and log.stat().st_size:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said, wrong = process.communicate(timeout=60)
    assert process.returncode == 0, wrong.decode()
    assert "is ready" in said.decode()
    assert LatentWalker.load(tmp_path, "cpu").sample([1]).isfinite().all()
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "train vae-2d --preset small --minutes 5`" in card and "bundled sample" in card


def test_close_moments_are_thinned_out_and_their_pictures_go(tmp_path: Path) -> None:
    recipe = gan.Recipe(gan.SMALL.model, steps=1_000, seconds=60.0)
    timed = run.Run("gan", tmp_path, recipe, "", 1, "image")
    for step in range(0, 1_000, 5):
        timed.remember(step, b"picture")
    steps = [moment["step"] for moment in timed.history]
    assert steps[:3] == [0, 5, 10] and steps[-1] == 995 and len(steps) < 60
    assert all(c - a > run.CLOSE * c for a, _, c in zip(steps, steps[1:], steps[2:], strict=False))
    kept = {moment["picture"] for moment in timed.history}
    assert kept == {f"history/{path.name}" for path in tmp_path.glob("history/*")}
    assert len(json.loads((tmp_path / "history.json").read_text())["moments"]) == len(steps)


@pytest.mark.parametrize("name", ["gan-mlp", "judge", "poems"])
def test_sizes_are_for_some_models_alone(tmp_path: Path, name: str) -> None:
    for size in SIZES:
        with pytest.raises(ValueError, match="expected one of smoke, cpu, gpu for"):
            training.train(name, size, None, tmp_path)


@pytest.mark.parametrize("minutes", [-1.0, math.nan, math.inf])
def test_minutes_are_a_number_that_ends(tmp_path: Path, minutes: float) -> None:
    with pytest.raises(ValueError, match="expected minutes"):
        training.train("gan", "small", None, tmp_path, minutes=minutes)


def test_minutes_are_for_sizes_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected minutes with small or medium, got cpu"):
        training.train("flow", "cpu", None, tmp_path, minutes=1)


def test_a_vae_learns_own_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, picture in enumerate((torch.rand(70, 28, 28) * 255).byte()):
        Image.fromarray(picture.numpy()).save(folder / f"{number}.png")
    own = training.Own(images=folder)
    training.train("vae-2d", "small", None, tmp_path / "model", own, minutes=0.02)
    walker = LatentWalker.load(tmp_path / "model", "cpu")
    assert not walker.loaded.digits and not walker.loaded.class_names


@pytest.mark.usefixtures("even_steps")
@pytest.mark.parametrize("minutes", [0.0, LIMIT / 60])
def test_snapshots_are_weights_of_moments_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: float
) -> None:
    monkeypatch.setattr(run, "LOOK_EVERY", 0.2)
    preset = "small" if minutes else "smoke"
    training.train("vae-2d", preset, None, tmp_path, minutes=minutes, snapshots=3)
    steps = [
        moment["step"] for moment in json.loads((tmp_path / "history.json").read_text())["moments"]
    ]
    kept = sorted(int(folder.name) for folder in (tmp_path / "snapshots").iterdir())
    assert len(kept) == 3 and set(kept) <= set(steps)
    assert (kept[0], kept[-1]) == (steps[0], steps[-1])
    last = tmp_path / "snapshots" / f"{kept[-1]:06d}" / "model.safetensors"
    assert last.read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    first = LatentWalker.load(tmp_path / "snapshots" / f"{kept[0]:06d}", "cpu")
    z = [[0.5, -0.5]]
    assert not torch.equal(first.decode(z), LatentWalker.load(tmp_path, "cpu").decode(z))


@pytest.mark.parametrize(("name", "number"), [("gan", 1), ("gan", -2), ("gan", 13), ("judge", 8)])
def test_snapshots_that_cannot_be_are_refused(tmp_path: Path, name: str, number: int) -> None:
    with pytest.raises(ValueError, match="snapshots"):
        training.train(name, "smoke", None, tmp_path, snapshots=number)
