"""The handlers of the diffusion tab: digits, one path, variations, gaps, a morph."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import gradio as gr
from torch import Tensor

from aigc_demo.images import strip
from aigc_demo.inference.flow import MOST_STEPS, FlowSampler
from aigc_demo.names import FLOWS
from aigc_demo.samples import sample_digits
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit, gap_of, seen
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.classes import (
    are_digits,
    in_turn,
    known_classes,
    label_of,
    names_of,
    wanted_of,
)
from aigc_demo.ui.page.page import Update

MAX_COUNT = 64
MOST_FRAMES = 48  # of a morph
HIGHEST_GUIDANCE = 6
VARIATIONS = 15
STREAMED = 10  # pictures on the way, at most: each is as large as the noise in it
GREYS = 15  # levels of these: the noise compresses badly
PICKABLE = 30  # test digits to pick from
STAND_INS = ("read", "none")  # of a class: what the judge reads, or none told


class Settings(NamedTuple):
    """The settings of a sampler: Euler steps and weight of guidance."""

    steps: int
    guidance: float


def settings_of(steps, guidance) -> Settings:
    """The two fields, checked."""
    return Settings(
        check.whole(steps, "ode_steps", 1, MOST_STEPS),
        check.real(guidance, "guidance", 0, HIGHEST_GUIDANCE),
    )


def sampler_of(models: Models, model: Any = "flow") -> FlowSampler:
    """The flow that a client names, by default the bundled one."""
    return models.get(models.known(model, FLOWS), FlowSampler.load)


async def draw(models: Models, words: Words, *fields: Any) -> AsyncIterator[Update]:
    """Digits of the wanted classes in turn, as they come out of the noise.

    fields: as of `drawing`, which is computed in a thread: the server goes on meanwhile.
    """
    updates = drawing(models, words, *fields)
    while update := await asyncio.to_thread(next, updates, None):
        yield update


def drawing(
    models: Models, words: Words, model, wanted, count, seed, ode_steps, guidance
) -> Iterator[Update]:
    """The same, step by step."""
    sampler = sampler_of(models, model)
    classes = known_classes(sampler, wanted_of(sampler, wanted))
    count = check.whole(count, "count", 1, MAX_COUNT)
    seed = check.seed(seed)
    chosen = settings_of(ode_steps, guidance)
    every = -(-chosen.steps // STREAMED)
    moments = sampler.moments(range(seed, seed + count), in_turn(classes, count), *chosen)
    for step, images in enumerate(moments):
        last = step == chosen.steps
        if step % every and not last:
            continue
        time = {"time": f"{step / chosen.steps:.2f}", "steps": chosen.steps}
        texts = words.both("flow.drawn" if last else "flow.drawing", count=count, seed=seed, **time)
        shown = images if last else (images * GREYS).round() / GREYS
        yield gr.update(strip=strip(shown), count=count, texts=texts)


def pick(models: Models, words: Words, model, wanted, seed, guidance, place) -> tuple:
    """The digit at a place of the field, for the inside view: its model, class and seed."""
    sampler = sampler_of(models, model)
    place = check.whole(place, "place", 0, MAX_COUNT - 1)
    seed = check.seed(seed) + place
    classes = wanted_of(sampler, wanted)
    label = classes[place % len(classes)] if classes else sampler.noise([seed])[1][0]
    guidance = settings_of(1, guidance).guidance
    return model, str(label), seed, guidance, gr.update(selected="inside")


def path(
    models: Models, words: Words, model, digit, seed, ode_steps, guidance
) -> tuple[Update, Update]:
    """One digit's way from noise, as an animation and as a strip."""
    sampler = sampler_of(models, model)
    label = known_classes(sampler, [label_of(sampler, digit)])
    seed, chosen = check.seed(seed), settings_of(ode_steps, guidance)
    frames = sampler.path([seed], label, *chosen)[:, 0]
    texts = words.both("flow.followed", steps=chosen.steps, seed=seed)
    sheet, count = strip(frames), len(frames)
    return gr.update(strip=sheet, count=count, texts=texts), gr.update(strip=sheet, count=count)


def morph(
    models: Models, words: Words, model, first, last, seed, frames, ode_steps, guidance
) -> tuple[Update, Update]:
    """From one noise to another: what each noise between them becomes."""
    sampler = sampler_of(models, model)
    labels = known_classes(sampler, [label_of(sampler, digit) for digit in (first, last)])
    seed, chosen = check.seed(seed), settings_of(ode_steps, guidance)
    count = check.whole(frames, "frames", 2, MOST_FRAMES)
    made = sampler.morph((labels[0], labels[1]), (seed, seed + 1), count, *chosen)
    ends = {"first": _named(sampler, labels[0]), "last": _named(sampler, labels[1])}
    texts = words.both("flow.morphed", **ends, seed=seed)
    sheet = strip(made)
    return gr.update(strip=sheet, count=count, texts=texts), gr.update(strip=sheet, count=count)


def vary(
    models: Models, words: Words, model, drawn, start, as_digit, seed, guidance
) -> tuple[Update, Update]:
    """Variations of a drawn digit: noised back to a time, and led forward again."""
    sampler, image = sampler_of(models, model), drawn_digit(drawn)
    start = check.real(start, "start", 0, 1)
    label, guidance = class_told(models, sampler, image, as_digit, guidance)
    seed = check.seed(seed)
    made = variations(sampler, image, start, label, seed, guidance)
    named = _named(sampler, label)
    texts = words.both("flow.varied", start=f"{start:.2f}", seed=seed, label=named)
    return gr.update(**seen(image, drawn)), gr.update(
        strip=strip(made), count=VARIATIONS, texts=texts
    )


def variations(
    sampler: FlowSampler, image: Tensor, start: float, label: int | None, seed: int, guidance: float
) -> Tensor:
    """Of a digit (28, 28), from seeds one after the other: (VARIATIONS, 28, 28)."""
    seeds, labels = range(seed, seed + VARIATIONS), [label or 0] * VARIATIONS
    images = image.expand(VARIATIONS, -1, -1)
    return sampler.redraw(images, start, seeds, labels, guidance=guidance)


def fill(
    models: Models, words: Words, model, drawn, gap, as_digit, seed, guidance
) -> tuple[Update, Update, Update]:
    """A drawn digit, of which a part is painted out, completed in several ways."""
    sampler, image = sampler_of(models, model), drawn_digit(drawn)
    keep = ~gap_of(gap)
    label, guidance = class_told(models, sampler, image * keep, as_digit, guidance)
    seed = check.seed(seed)
    made = completions(sampler, image, keep, label, seed, guidance)
    share = f"{100 * (1 - keep.float().mean().item()):.0f}"
    texts = words.both("flow.filled", share=share, seed=seed, label=_named(sampler, label))
    return (
        gr.update(**seen(image, drawn)),
        gr.update(under=strip(image[None])),
        gr.update(strip=strip(made), count=VARIATIONS, texts=texts),
    )


def completions(
    sampler: FlowSampler, image: Tensor, keep: Tensor, label: int | None, seed: int, guidance: float
) -> Tensor:
    """A digit (28, 28) whose gap is painted anew, from seeds one after the other."""
    seeds, labels = range(seed, seed + VARIATIONS), [label or 0] * VARIATIONS
    images, kept = (x.expand(VARIATIONS, -1, -1) for x in (image, keep.float()))
    return sampler.fill(images, kept, seeds, labels, guidance=guidance)


def picked(models: Models, words: Words, place) -> Update:
    """A test digit for the pad, by its place on the shelf."""
    image = sample_digits("test")[0][check.whole(place, "place", 0, PICKABLE - 1)]
    return gr.update(**seen(image))


def class_told(
    models: Models, sampler: FlowSampler, image: Tensor, as_digit, guidance
) -> tuple[int | None, float]:
    """The class that the flow is told, and its guidance; None and 0 where it is told none.

    as_digit: a class, "none", or "read": what the judge reads; of a model of other classes none.
    """
    guidance = settings_of(1, guidance).guidance
    if as_digit not in STAND_INS:
        return known_classes(sampler, [label_of(sampler, as_digit)])[0], guidance
    if as_digit == "none" or not are_digits(sampler):
        return None, 0
    read = int(models.judge.classify(image[None])[0].argmax())
    return known_classes(sampler, [read])[0], guidance


def _named(sampler: FlowSampler, label: int | None) -> str:
    """The class for a sentence; "–" where none was told."""
    return "–" if label is None else names_of(sampler)[label]
