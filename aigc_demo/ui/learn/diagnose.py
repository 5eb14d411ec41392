"""The game of the broken models: what is wrong with this one?

Each has one fault in its training, and stands beside a healthy model of its kind. The answer names
a number that gives the fault away, computed here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from aigc_demo.explain.history import History
from aigc_demo.explain.transformer import surprise
from aigc_demo.images import data_uri, grid, png
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import BROKEN, WRITERS
from aigc_demo.samples import sample_text
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.learn import insides
from aigc_demo.ui.page.page import Update

CASES = 5  # of a game
SHOWN, COLUMNS = 20, 5  # digits of a model
MEASURED = 200  # digits that the judge reads
PROMPT, LENGTH = "ROMEO:\n", 240
READ = 1_000  # characters of a text that no model has seen
LONG, PIECES = 256, 8  # characters of a piece that is mixed up, and pieces
POINTS = 60  # of a curve
LETTERS = tuple(name for name, kind in BROKEN.items() if kind in WRITERS)


@dataclass(frozen=True)
class Fault:
    """What is wrong, with whom, a healthy model beside it, and the number that gives it away."""

    name: str
    broken: str
    healthy: str
    number: Callable[[Models, str], float]


def commonest(models: Models, name: str) -> float:
    """The share of its digits, in percent, that the judge reads as the commonest one."""
    images = _drawer(models, name).sample(range(MEASURED))
    counts = models.judge.classify(images).argmax(1).bincount(minlength=10)
    return 100 * counts.max().item() / MEASURED


def lead(models: Models, name: str) -> float:
    """How far the discriminator scored real digits above made ones when its training ended."""
    curves = _history(models, name).curves
    return curves["real"][-1][1] - curves["fake"][-1][1]


def rate(models: Models, name: str) -> float:
    """The nats that a VAE's z carries of a test digit: the KL term."""
    return models.tradeoff(name).rate


def mixing(models: Models, name: str) -> float:
    """What it costs a writer, in nats, that all before the last two characters is mixed up."""
    writer = models.writer(name)
    ids = writer.tokenizer.encode(sample_text("unseen.txt"))
    length = min(LONG, writer.context)
    chance, costs = np.random.default_rng(0), []
    for start in range(0, len(ids) - length, length)[:PIECES]:
        piece = ids[start : start + length]
        mixed = [*chance.permutation(piece[:-2]).tolist(), *piece[-2:]]
        costs.append((surprise(writer, mixed)[-1] - surprise(writer, piece)[-1]).item())
    return sum(costs) / len(costs)


def gap(models: Models, name: str) -> float:
    """Nats a character on a text that no model has seen, less those on what it learnt from."""
    writer = models.writer(name)
    ids = writer.tokenizer.encode(sample_text("unseen.txt")[:READ])
    return surprise(writer, ids).mean().item() - learnt(models, name)


def learnt(models: Models, name: str) -> float:
    """The loss when the training ended, in nats a character."""
    return _history(models, name).curves["loss"][-1][1]


FAULTS = (  # in links by their places
    Fault("collapse", "broken-collapse", "gan-small", commonest),
    Fault("judge", "broken-judge", "gan-mlp", lead),
    Fault("free", "vae-beta-0", "vae-beta-1", rate),
    Fault("dear", "vae-beta-10", "vae-beta-1", rate),
    Fault("order", "broken-order", "shakespeare", mixing),
    Fault("peek", "broken-peek", "shakespeare", gap),
    Fault("parrot", "broken-parrot", "shakespeare", gap),
    Fault("rate", "broken-rate", "shakespeare", learnt),
)


def what_is_wrong(models: Models, words: Words, seed, picks) -> Update:
    """Broken models in the order of a seed, each beside a healthy one that had the same seed."""
    chance = np.random.default_rng(check.seed(seed))
    places = chance.permutation(len(FAULTS))[:CASES].tolist()
    rounds = []
    for place in places:
        fault, own = FAULTS[place], int(chance.integers(0, 2**31))
        both = (fault.broken, fault.healthy)
        alike = [k for k, other in enumerate(FAULTS) if _writes(other) == _writes(fault)]
        rounds.append(
            {
                "right": place,
                "offers": alike,
                "sides": [_made(models, name, own) for name in both],
                "numbers": [round(_number(models, fault, name), 2) + 0.0 for name in both],
            }
        )
    return gr.update(game={"rounds": rounds, "picks": picks})


def _writes(fault: Fault) -> bool:
    return fault.broken in LETTERS


def _number(models: Models, fault: Fault, name: str) -> float:
    return models.get(f"{name} {fault.name}", lambda _: fault.number(models, name))


def _drawer(models: Models, name: str) -> DigitSampler:
    """A GAN; gan-small by its own name is what a training of a visitor starts from."""
    return models.get(f"{name} drawer", lambda _: DigitSampler.load(models.source(name)))


def _history(models: Models, name: str) -> History:
    found = models.history(name)
    if found is None:
        raise check.UserError("error.weights", model=name)
    return found


def _made(models: Models, name: str, seed: int) -> dict[str, Any]:
    """What a model makes with a seed, and its loss curves: {name: [[step, value], ...]}."""
    curves = {
        key: [[step, round(value, 3)] for step, value in rows[:: max(1, len(rows) // POINTS)]]
        for key, rows in _history(models, name).curves.items()
    }
    inside = {"inside": models.get(f"{name} inside", lambda _: _inside(models, name))}
    if name in (*LETTERS, *WRITERS):
        text = models.writer(name).write(PROMPT, LENGTH, temperature=0.8, seed=seed)
        return {"text": PROMPT + text, "picture": "", "curves": curves, "kind": "text", **inside}
    seeds = range(seed, seed + SHOWN)
    images = (models.vae(name) if "vae" in name else _drawer(models, name)).sample(seeds)
    picture = data_uri(png(grid(images.cpu(), COLUMNS)))
    kind = "vae" if "vae" in name else "gan"
    return {"text": "", "picture": picture, "curves": curves, "kind": kind, **inside}


def _inside(models: Models, name: str) -> str:
    """A look inside, as a picture for the browser."""
    if name in (*LETTERS, *WRITERS):
        seen = insides.attention(models.writer(name))
    elif "vae" in name:
        seen = insides.codes(models.encoded(name)[0])
    else:
        seen = insides.scores(_drawer(models, name))
    return data_uri(png(seen.cpu(), scale=3))
