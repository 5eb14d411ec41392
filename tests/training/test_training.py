"""Every model's smoke training, and trainings that are killed and go on."""

import gc
import io
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from servers import ROOT
from torch import nn

from aigc_demo import training
from aigc_demo.data import own
from aigc_demo.explain.duel import Duel
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.unmask import GapWriter
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.models.gan import GANConfig
from aigc_demo.models.vae import VAE, VAEConfig
from aigc_demo.names import TRAINED
from aigc_demo.samples import sample_digits
from aigc_demo.training import gan, run, vae
from aigc_demo.training.log import read_rows
from aigc_demo.training.steps import log_spaced, shuffled_batch, warm_then_fall

STEPS = {
    "judge": 60,
    "gan": 40,
    "gan-mlp": 60,
    "gan-small": 40,
    "flow": 40,
    "vae": 100,
    "vae-2d": 100,
    "vae-beta-0": 100,
    "vae-beta-1": 100,
    "vae-beta-10": 100,
    "shakespeare": 20,
    "poems": 60,
    "unmask": 20,
    "broken-collapse": 40,
    "broken-judge": 60,
    "broken-order": 20,
    "broken-peek": 20,
    "broken-parrot": 20,
    "broken-rate": 20,
}
USE = {
    "judge": lambda f: (
        DigitJudge.load(f, "cpu").classify(sample_digits("test")[0]).isfinite().all()
    ),
    "gan": lambda f: DigitSampler.load(f, "cpu").sample([1, 2]).isfinite().all(),
    "gan-mlp": lambda f: DigitSampler.load(f, "cpu").sample([1, 2]).isfinite().all(),
    "gan-small": lambda f: Duel.start(f).train_generator().fakes.isfinite().all(),
    "flow": lambda f: FlowSampler.load(f, "cpu").sample([1, 2], steps=2).isfinite().all(),
    "vae": lambda f: LatentWalker.load(f, "cpu").sample([1, 2]).isfinite().all(),
    "vae-2d": lambda f: LatentWalker.load(f, "cpu").sample([1, 2]).isfinite().all(),
    **{
        name: lambda f: LatentWalker.load(f, "cpu").sample([1, 2]).isfinite().all()
        for name in ("vae-beta-0", "vae-beta-1", "vae-beta-10")
    },
    "shakespeare": lambda f: len(TextWriter.load(f, "cpu").write("ROMEO:\n", 9)) == 9,
    "unmask": lambda f: "_" not in GapWriter.load(f, "cpu").fill("ROMEO: ____ thou"),
    "poems": lambda f: len(TextWriter.load(f, "cpu").poem("七绝")) == 4 * 8 + 3,
    **{
        name: lambda f: DigitSampler.load(f, "cpu").sample([1, 2]).isfinite().all()
        for name in ("broken-collapse", "broken-judge")
    },
    **{
        f"broken-{fault}": lambda f: len(TextWriter.load(f, "cpu").write("ROMEO:\n", 9)) == 9
        for fault in ("order", "peek", "parrot", "rate")
    },
}
PICTURED, WRITTEN = (
    ("gan", "gan-mlp", "gan-small", "flow", "vae", "vae-2d"),
    ("shakespeare", "poems"),
)
GENERATIVE = PICTURED + WRITTEN


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """name -> the folder of its uninterrupted smoke training, made when first asked for."""
    folders: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            training.train(name, "smoke", None, folders[name])
        return folders[name]

    return folder


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


# A whole training


def test_every_model_has_a_smoke_training_tested_here():
    assert set(TRAINED) == set(STEPS)


@pytest.mark.parametrize("name", STEPS)
def test_a_training_ends_with_a_folder_that_the_app_can_load(trained, name):
    assert USE[name](trained(name))


@pytest.mark.parametrize("name", STEPS)
def test_the_log_holds_the_steps_in_order_with_finite_losses(trained, name):
    rows = read_rows(trained(name) / "log.jsonl")
    steps = [row["step"] for row in rows]
    assert steps == sorted(set(steps))
    assert steps[-1] == STEPS[name]
    for row in rows:
        assert row["seconds"] >= 0
        losses = [value for key, value in row.items() if "loss" in key]
        assert losses
        assert all(abs(loss) < 1e6 for loss in losses)


@pytest.mark.parametrize("name", ["judge", "vae", "vae-2d", "shakespeare", "poems"])
def test_a_training_learns(trained, name):
    losses = [row["loss"] for row in read_rows(trained(name) / "log.jsonl")]
    third = len(losses) // 3
    assert max(losses[-third:]) < min(losses[:third])


def test_every_name_is_trained_here():
    assert set(STEPS) == set(USE) == set(TRAINED)


@pytest.mark.parametrize("beta", [0.0, 1.0, 10.0])
def test_beta_weighs_the_divergence_and_nothing_else(beta):
    torch.manual_seed(0)
    model = VAE(VAEConfig(hidden=8))
    image = torch.rand(4, 1, 28, 28).round()
    torch.manual_seed(1)
    likelihood, ratio = model(image, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)
    torch.manual_seed(1)
    losses = vae.train_step(model, optimizer, image, 1, beta)
    expected = -likelihood.mean() - beta * ratio.mean()
    torch.testing.assert_close(losses["loss"], expected, atol=0.5, rtol=1e-3)
    torch.testing.assert_close(losses["kl"], -ratio.mean(), atol=0.05, rtol=1e-2)


@pytest.mark.parametrize("name", STEPS)
def test_the_history_holds_the_curves_of_the_log(trained, name):
    folder = trained(name)
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    assert history["curves"] == read_rows(folder / "log.jsonl")


@pytest.mark.parametrize("name", GENERATIVE)
def test_the_history_looks_at_about_a_dozen_moments_ever_further_apart(trained, name):
    history = json.loads((trained(name) / "history.json").read_text(encoding="utf-8"))
    steps = [moment["step"] for moment in history["moments"]]
    assert 9 <= len(steps) <= 13
    assert (steps[0], steps[-1]) == (0, STEPS[name])
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    assert min(gaps) > 0
    assert gaps[-1] == max(gaps)
    unit = "images" if name in PICTURED else "tokens"
    read = [moment[unit] for moment in history["moments"]]
    assert read == [step * (read[-1] // STEPS[name]) for step in steps]


@pytest.mark.parametrize("name", PICTURED)
def test_every_moment_has_its_picture_and_no_two_are_alike(trained, name):
    folder = trained(name)
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    pictures = [Image.open(folder / moment["picture"]) for moment in history["moments"]]
    assert {picture.size for picture in pictures} == {(280, 280)}  # ten by ten digits
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_moment_has_its_text(trained, name):
    history = json.loads((trained(name) / "history.json").read_text(encoding="utf-8"))
    texts = [moment["text"] for moment in history["moments"]]
    assert all(isinstance(text, str) for text in texts)
    assert len(set(texts)) > 1
    if name == "shakespeare":
        assert {len(text) for text in texts} == {120}


def test_the_judge_makes_nothing_to_look_back_at(trained):
    history = json.loads((trained("judge") / "history.json").read_text(encoding="utf-8"))
    assert history["moments"] == []


def test_the_same_training_gives_the_same_bits_and_a_finished_one_stays_as_it_is(trained, tmp_path):
    expected = weights_of(trained("vae-2d"))
    for _ in range(2):  # anew, then again in the finished folder
        training.train("vae-2d", "smoke", None, tmp_path)
        assert weights_of(tmp_path) == expected


# Wrong input


@pytest.mark.parametrize("name, preset", [("rnn", "smoke"), ("", "smoke"), ("gan", "huge")])
def test_an_unknown_name_or_preset_is_refused(tmp_path, name, preset):
    with pytest.raises(ValueError, match="expected one of"):
        training.train(name, preset, None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_missing_data_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected"):
        training.train("gan", "smoke", tmp_path / "no-such-folder", tmp_path)
    with pytest.raises(ValueError, match="get it with"):
        training.train("gan", "smoke", tmp_path, tmp_path)


TINY_VAE = vae.Recipe(VAEConfig(hidden=4), steps=3, batch=8)


@pytest.fixture
def finished(tmp_path):
    """A folder with three steps on the first hundred digits, and those digits."""
    images = sample_digits("train")[0][:100]
    vae.train("vae-2d", tmp_path, TINY_VAE, images)
    return tmp_path, images


def test_another_recipe_in_the_same_folder_is_refused(finished):
    folder, images = finished
    before = weights_of(folder)
    with pytest.raises(ValueError, match="other settings"):
        vae.train("vae-2d", folder, vae.Recipe(VAEConfig(hidden=4), steps=4, batch=8), images)
    assert weights_of(folder) == before


def test_another_model_in_the_same_folder_is_refused(finished):
    folder, images = finished
    recipe = gan.Recipe(GANConfig(latent_size=4, channels=4, discriminator_channels=4), steps=3)
    with pytest.raises(ValueError, match="other settings"):
        gan.train(folder, recipe, images, torch.zeros(100, dtype=torch.long))


def test_other_data_in_the_same_folder_is_refused(finished):
    folder, images = finished
    with pytest.raises(ValueError, match="other"):
        vae.train("vae-2d", folder, TINY_VAE, 1 - images)


# Own data


@pytest.fixture
def pictures(tmp_path):
    """Three class folders of 30 pictures, larger than digits and of other modes."""
    images, labels = sample_digits("train")
    for digit in range(3):
        folder = tmp_path / "pictures" / f"class {digit}"
        folder.mkdir(parents=True)
        for index, image in enumerate(images[labels == digit][:30]):
            picture = Image.fromarray((image * 255).byte().numpy()).resize((60, 56))
            picture.convert("RGB").save(folder / f"{index:02}.png")
    return tmp_path / "pictures"


def test_a_gan_learns_own_classes_of_pictures(pictures, tmp_path):
    output = tmp_path / "gan"
    training.train("gan", "smoke", None, output, training.Own(images=pictures))
    sampler = DigitSampler.load(output, "cpu")
    assert sampler.classes == 3
    assert sampler.sample([1, 2], labels=[0, 2]).shape == (2, 28, 28)
    with pytest.raises(ValueError, match="labels from 0 to 2"):
        sampler.sample([1], labels=[3])


@pytest.mark.parametrize("turned", [False, True])
def test_folders_named_like_digits_are_digits_only_if_the_judge_reads_them(
    pictures, tmp_path, turned
):
    for digit in range(3):
        (pictures / f"class {digit}").rename(pictures / str((digit + turned) % 3))
    training.train("gan", "smoke", None, tmp_path / "gan", training.Own(images=pictures))
    assert DigitSampler.load(tmp_path / "gan", "cpu").loaded.digits is not turned


def test_pictures_are_read_as_they_lie(pictures):
    images, labels, names = own.read_pictures(pictures)
    assert names == ["class 0", "class 1", "class 2"]
    assert images.shape == (90, 28, 28)
    assert labels.tolist() == [0] * 30 + [1] * 30 + [2] * 30
    known, digits = sample_digits("train")
    expected = torch.cat([known[digits == digit][:30] for digit in range(3)])
    assert (images - expected).abs().mean() < 0.06  # resized there and back
    for path in (pictures / "class 1").iterdir():
        path.rename(pictures / f"1-{path.name}")
    with pytest.raises(ValueError, match="got both"):
        own.read_pictures(pictures)


def test_pictures_that_cannot_be_used_are_named(pictures, tmp_path):
    with pytest.raises(ValueError, match="expected a folder of pictures"):
        own.read_pictures(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="at least 64 pictures .* got 0"):
        own.read_pictures(tmp_path / "empty")
    with pytest.raises(ValueError, match="at least 64 pictures .* got 30"):
        own.read_pictures(pictures / "class 0")
    broken = pictures / "class 2" / "07.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(ValueError, match="07.png: expected a picture"):
        own.read_pictures(pictures)


def test_a_transformer_learns_own_text_and_its_characters(tmp_path):
    (tmp_path / "one.txt").write_text("春眠不覺曉，處處聞啼鳥。\r\n" * 20, encoding="utf-8-sig")
    (tmp_path / "two.txt").write_text("to be, or not to be\n" * 20, encoding="utf-8")
    files = (tmp_path / "one.txt", tmp_path / "two.txt")
    training.train("shakespeare", "smoke", None, tmp_path / "own", training.Own(text=files))
    writer = TextWriter.load(tmp_path / "own", "cpu")
    text = "".join(path.read_text(encoding="utf-8-sig") for path in files)
    assert set(writer.tokenizer.characters) == set(text)  # newlines read as such, no mark before
    assert len(writer.write("春", 5)) == 5


BAD_TEXTS = {
    "missing": (None, "expected a text file"),
    "empty": (b" \n", "empty file"),
    "short": (b"to be", "at least 128 characters"),
    "binary": (bytes(range(128, 256)) * 50, "bytes of no known encoding"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_text_that_cannot_be_used_is_refused(tmp_path, name):
    content, sentence = BAD_TEXTS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        training.train(
            "shakespeare", "smoke", None, tmp_path / "out", training.Own(text=(tmp_path / name,))
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["judge", "poems", "shakespeare"])
def test_only_what_draws_learns_from_pictures(pictures, tmp_path, name):
    with pytest.raises(ValueError, match="expected one of gan, gan-mlp, vae-2d, vae, flow"):
        training.train(name, "smoke", None, tmp_path / "out", training.Own(images=pictures))


def test_a_class_whose_name_cannot_be_kept_is_refused_before_the_training(pictures, tmp_path):
    os.rename(pictures / "class 1", pictures / ("b" * 201))
    with pytest.raises(ValueError, match="expected class_names as"):
        training.train("gan", "smoke", None, tmp_path / "out", training.Own(images=pictures))
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_the_examples_of_a_text_are_lines_of_it():
    assert training._examples("one\ntwo\nthree\nfour\n" * 10) != []
    assert set(training._examples("one\ntwo\nthree\n" * 10)) <= {"two\n", "three\n"}
    assert training._examples("all of it in a single line " * 30) == []


# Tracking


def test_the_log_is_mirrored_to_trackio(tmp_path, monkeypatch):
    rows, begun = [], []
    fake = types.ModuleType("trackio")

    class Mirror:
        def log(self, row, step):
            rows.append((step, row))

        def finish(self):
            begun.append("finished")

    def init(**options):
        begun.append(options["project"])
        return Mirror()

    fake.init = init
    monkeypatch.setitem(sys.modules, "trackio", fake)
    training.train("vae-2d", "smoke", None, tmp_path, tracker="trackio")
    assert begun == ["aigc-demo", "finished"]
    logged = read_rows(tmp_path / "log.jsonl")
    assert rows == [(row.pop("step"), row) for row in logged]


def test_an_unknown_or_missing_tracker_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="expected the tracker trackio"):
        training.train("vae-2d", "smoke", None, tmp_path, tracker="wandb")
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(ValueError, match="pip install trackio"):
        training.train("vae-2d", "smoke", None, tmp_path, tracker="trackio")


# Killed and resumed

SLOWLY = """
import sys, time
from pathlib import Path
from aigc_demo import training
from aigc_demo.training import run

run.SAVE_EVERY = 0.0
write_row = run.Run._write_row

def slowly(self, *arguments):
    write_row(self, *arguments)
    time.sleep(0.03)

run.Run._write_row = slowly
training.train("vae-2d", "smoke", None, Path(sys.argv[1]))
"""


def kill_after(rows: int, delay: float, folder: Path) -> None:
    """Trains in a process of its own, and kills that after so many steps and seconds."""
    threads = str(torch.get_num_threads())  # as here: other numbers of threads give other bits
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + 60
        while len(read_rows(folder / "log.jsonl")) < rows and process.poll() is None:
            assert time.monotonic() < limit, "the training is stuck"
            time.sleep(0.002)
        time.sleep(delay)
    finally:
        process.kill()
        status = process.wait()
    assert status == -signal.SIGKILL, "it had ended before it was killed"
    assert not (folder / "model.safetensors").exists()
    # Between the two replacements of a save there is only the one before.
    assert any((folder / name).is_file() for name in ("checkpoint.pt", "checkpoint-before.pt"))


def assert_ended_alike(folder: Path, expected: Path) -> None:
    """The same weights, bit by bit, and the same history."""
    assert weights_of(folder) == weights_of(expected)
    moments, same = (
        json.loads((place / "history.json").read_text(encoding="utf-8"))["moments"]
        for place in (folder, expected)
    )
    assert moments == same
    for moment in moments:
        if "picture" in moment:
            pictures = [(place / moment["picture"]).read_bytes() for place in (folder, expected)]
            assert pictures[0] == pictures[1]


def test_a_training_killed_twice_ends_with_the_same_bits(trained, tmp_path, capsys):
    moment = random.Random()
    kill_after(moment.randint(5, 15), moment.random() / 20, tmp_path)
    kill_after(moment.randint(20, 35), moment.random() / 20, tmp_path)

    training.train("vae-2d", "smoke", None, tmp_path)

    resumed = int(capsys.readouterr().out.split("resumed after step ")[1].split()[0])
    assert 19 <= resumed < 100
    assert [row["step"] for row in read_rows(tmp_path / "log.jsonl")] == list(range(1, 101))
    assert_ended_alike(tmp_path, trained("vae-2d"))


class Stopped(Exception):
    """Ends a training right after a checkpoint."""


@pytest.mark.parametrize("name", ["judge", "gan", "gan-mlp", "vae", "shakespeare", "poems"])
def test_a_training_goes_on_from_its_checkpoint_to_the_same_bits(
    trained, tmp_path, monkeypatch, name
):
    expected, half, save = trained(name), STEPS[name] // 2, run.Run._save

    def save_and_stop(self, step):
        if step == half:
            save(self, step)
            raise Stopped

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(run, "SAVE_EVERY", 0.0)
        patch.setattr(run.Run, "_save", save_and_stop)
        training.train(name, "smoke", None, tmp_path)

    training.train(name, "smoke", None, tmp_path)

    assert_ended_alike(tmp_path, expected)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_told_to_stop_within_a_step_saves_and_ends_with_the_same_bits(
    tmp_path, monkeypatch, number
):
    config = GANConfig(latent_size=4, channels=4, discriminator_channels=4)
    recipe = gan.Recipe(config, steps=10, batch=8)
    images, labels = (part[:100] for part in sample_digits("train"))
    gan.train(tmp_path / "whole", recipe, images, labels)
    calls, train_generator = [], gan.train_generator

    def told_to_stop(*arguments):
        calls.append(1)
        if len(calls) == 5:  # the discriminator has made its step, the generator has not
            signal.raise_signal(number)
        return train_generator(*arguments)

    # Where the tests run in the background, Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(gan, "train_generator", told_to_stop)
            with pytest.raises(KeyboardInterrupt) as stopped:
                gan.train(tmp_path / "stopped", recipe, images, labels)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert stopped.value.args == (number,)
    gc.collect()  # what is left of the stopped training goes now, as when its process ends
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    saved = torch.load(tmp_path / "stopped" / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 5

    gan.train(tmp_path / "stopped", recipe, images, labels)

    assert_ended_alike(tmp_path / "stopped", tmp_path / "whole")


def test_a_process_told_to_end_saves_first(tmp_path):
    command = [sys.executable, "-m", "aigc_demo", "train", "gan", "--preset", "smoke"]
    script = "trap '' INT; exec \"$@\""  # as of a command in the background
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", *command, "--output", tmp_path],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not read_rows(tmp_path / "log.jsonl") and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)  # is ignored
    process.send_signal(signal.SIGTERM)
    assert "the same command goes on from here" in process.communicate(timeout=120)[1]
    assert process.returncode == 128 + signal.SIGTERM
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert 0 < saved["step"] == read_rows(tmp_path / "log.jsonl")[-1]["step"] < STEPS["gan"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from aigc_demo import training
from aigc_demo.training import run

run.SAVE_EVERY = 0.0
save = run.Run._save

def save_on_a_disk_that_fills_up(self, step):
    if step == 20:
        size = self.checkpoint.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
    save(self, step)

run.Run._save = save_on_a_disk_that_fills_up
training.train("vae-2d", "smoke", None, Path(sys.argv[1]))
"""


def changed(**what) -> Callable[[bytes], bytes]:
    """A whole checkpoint with another content."""

    def change(whole: bytes) -> bytes:
        saved = torch.load(io.BytesIO(whole), weights_only=True)
        file = io.BytesIO()
        torch.save({**saved, **what} if what else [1, 2], file)
        return file.getvalue()

    return change


ONE = b"\x00\x00\x80?"  # 1.0 in float32
DAMAGES = {
    "empty": b"",
    "cut to a word": b"cut",
    "another archive": b"PK\x03\x04 of another program",
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "a flipped weight": lambda whole: whole.replace(4 * ONE, 3 * ONE + b"\x01\x00\x80?", 1),
    "another kind": changed(),
    "no step": changed(step=None),
    "a step too far": changed(step=1_000_000),
    "a step before the first": changed(step=-5),
    "no seconds": changed(seconds=math.nan),
    "a text as settings": changed(settings="gan"),
    "no parts": changed(parts={}),
    "parts of another size": changed(parts={"model": nn.Linear(2, 3).state_dict()}),
    "a text as history": changed(history=["once"]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(damage, tmp_path, capsys) -> None:
    def resumed() -> run.Run:
        one = run.Run("vae", tmp_path, vae.RECIPES["vae"]["smoke"], "data", 1, "image")
        layer = nn.Linear(20, 30)
        nn.init.ones_(layer.weight)
        one.resume(model=layer)
        return one

    for step in (3, 5):
        resumed()._save(step)
    last = resumed()
    whole, before = last.checkpoint.read_bytes(), last.earlier.read_bytes()
    last.checkpoint.write_bytes(damage(whole) if callable(damage) else damage)
    again = resumed()
    assert again._start == 3
    assert "damaged, or of another program; the one before it is tried" in capsys.readouterr().out
    again._save(4)
    assert last.earlier.read_bytes() == before  # not the damaged one
    assert resumed()._start == 4
    for path in (last.checkpoint, last.earlier):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"expected a whole checkpoint\.pt or checkpoint-before"):
        resumed()


@pytest.mark.parametrize("name", ["checkpoint.pt", "checkpoint-before.pt", "log.jsonl"])
def test_a_folder_in_the_place_of_a_file_gets_a_sentence(name, tmp_path) -> None:
    (tmp_path / name).mkdir()
    one = run.Run("vae", tmp_path, vae.RECIPES["vae"]["smoke"], "data", 1, "image")
    with pytest.raises(ValueError, match="expected a file, got a folder"):
        one.resume()


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_whole(trained, tmp_path):
    threads = str(torch.get_num_threads())
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "OSError" in done.stderr
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 19
    training.train("vae-2d", "smoke", None, tmp_path)
    assert_ended_alike(tmp_path, trained("vae-2d"))


def test_a_last_line_of_the_log_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_rows(path) == []
    path.write_bytes(b'{"step": 1}\n\xff\n7\n{"step": "x"}\n[]\n{"step": 2}\n{"st')
    assert read_rows(path) == [{"step": 1}, {"step": 2}]


# Steps, batches and rates by hand


def test_log_spaced_steps_by_hand():
    assert log_spaced(1024, 12) == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert log_spaced(1, 12) == [0, 1]
    assert log_spaced(1000, 5) == [0, 1, 10, 100, 1000]


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_every_epoch_is_a_permutation_of_all_items(epoch):
    steps = range(epoch * 6, (epoch + 1) * 6)
    batches = [shuffled_batch(24, 4, 0, step).tolist() for step in steps]
    assert {len(batch) for batch in batches} == {4}
    assert sorted(sum(batches, [])) == list(range(24))


def test_every_epoch_has_an_order_of_its_own():
    def order(seed, epoch):
        return [shuffled_batch(24, 12, seed, 2 * epoch + half).tolist() for half in (0, 1)]

    orders = [order(0, 0), order(0, 1), order(1, 0), order(1, 1)]
    assert all(a != b for index, a in enumerate(orders) for b in orders[:index])
    assert order(0, 0) == orders[0]  # whatever was asked for in between


def test_an_epoch_has_whole_batches_alone_and_no_item_twice():
    batches = [shuffled_batch(10, 4, 0, step).tolist() for step in range(2)]
    assert [len(batch) for batch in batches] == [4, 4]
    assert len(set(sum(batches, []))) == 8


def test_fewer_items_than_a_batch_make_one_batch():
    assert sorted(shuffled_batch(3, 8, 0, 5).tolist()) == [0, 1, 2]


def test_the_rate_warms_up_and_falls_to_0_by_hand():
    rates = [warm_then_fall(step, steps=10, warm=4, fall=0.5) for step in range(11)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])
