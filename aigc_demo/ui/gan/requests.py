"""The handlers of the GAN tab: digits, a number, a morph."""

import gradio as gr

from aigc_demo.images import strip
from aigc_demo.names import GANS, TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.classes import (
    are_digits,
    digits_only,
    in_turn,
    known_classes,
    label_of,
    names_of,
    wanted_of,
)
from aigc_demo.ui.page.page import Update

LONGEST_NUMBER = 16
MAX_COUNT = 64


def draw(models: Models, words: Words, model, wanted, count, seed, truncation) -> Update:
    """Digits of the wanted classes in turn, or mixed where none is wanted.

    Of a model without classes, whose page shows no choice of them, always mixed.
    """
    sampler = models.gan(models.known(model, GANS))
    classes = wanted_of(sampler, wanted)
    if sampler.classes:
        known_classes(sampler, classes)
    else:
        classes = []
    count = check.whole(count, "count", 1, MAX_COUNT)
    seed = check.seed(seed)
    seeds = range(seed, seed + count)
    labels = in_turn(classes, count)
    truncation = check.real(truncation, "truncation", 0, 1)
    images = sampler.sample(seeds, labels, truncation)
    key = "gan.drawn" if are_digits(sampler) else "gan.drawn_own"
    return gr.update(
        strip=strip(images), count=count, texts=words.both(key, count=count, seed=seed)
    )


def write_number(models: Models, words: Words, model, number, seed) -> Update:
    """A typed number, one digit after the other."""
    sampler = models.gan(models.known(model, GANS))
    digits_only(sampler)
    labels = known_classes(sampler, check.digits(number, LONGEST_NUMBER))
    seed = check.seed(seed)
    images = sampler.sample(range(seed, seed + len(labels)), labels, TRUNCATION)
    typed = "".join(map(str, labels))
    texts = words.both("gan.written", number=typed, seed=seed)
    return gr.update(strip=strip(images), count=len(labels), texts=texts)


def morph(models: Models, words: Words, model, first, last, seed, steps) -> tuple[Update, Update]:
    """From one class to another, as an animation and as a strip."""
    sampler = models.gan(models.known(model, GANS))
    ends = known_classes(sampler, [label_of(sampler, digit) for digit in (first, last)])
    seed = check.seed(seed)
    steps = check.whole(steps, "steps", 2, MAX_COUNT)
    frames = sampler.morph((ends[0], ends[1]), (seed, seed + 1), steps, TRUNCATION)
    names = [names_of(sampler)[label] for label in ends]
    texts = words.both("gan.morphed", first=names[0], last=names[1], steps=steps, seed=seed)
    sheet = strip(frames)
    return gr.update(strip=sheet, count=steps, texts=texts), gr.update(strip=sheet, count=steps)


def pick(models: Models, words: Words, model, wanted, seed, truncation, place) -> tuple:
    """The digit at a place of the field, for the inside view: its model, class and seed."""
    sampler = models.gan(models.known(model, GANS))
    place = check.whole(place, "place", 0, MAX_COUNT - 1)
    seed = check.seed(seed) + place
    truncation = check.real(truncation, "truncation", 0, 1)
    label = "0"
    classes = wanted_of(sampler, wanted)
    if sampler.classes and classes:
        label = str(classes[place % len(classes)])
    elif sampler.classes:
        label = str(sampler.noise([seed])[1][0])
    return model, label, seed, truncation, gr.update(selected="inside")
