"""The handlers of the GAN tab: digits, a number, a morph."""

import gradio as gr

from aigc_demo.images import strip
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import GANS, TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import Update

LONGEST_NUMBER = 16
MAX_COUNT = 64


def draw(models: Models, words: Words, model, wanted, count, seed, truncation) -> Update:
    """Digits of the wanted classes in turn, or mixed where none is wanted.

    Of a model without classes, whose page shows no choice of them, always mixed.
    """
    sampler = models.gan(models.known(model, GANS))
    classes = _wanted(sampler, wanted)
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
    return gr.update(
        strip=strip(images), count=count, texts=words.both("gan.drawn", count=count, seed=seed)
    )


def in_turn(classes: list[int], count: int) -> list[int] | None:
    """So many labels, of the wanted classes in turn; None where none is wanted."""
    return [classes[i % len(classes)] for i in range(count)] if classes else None


def names_of(sampler: DigitSampler) -> list[str]:
    """The names of a model's classes."""
    return list(sampler.loaded.class_names) or [str(i) for i in range(sampler.classes)]


def are_digits(sampler: DigitSampler) -> bool:
    """Whether the classes are the digits from 0 on, as the judge and the real pictures know them.

    A model without classes is taken to draw digits.
    """
    return names_of(sampler) == list(check.DIGITS)[: sampler.classes]


def digits_only(sampler: DigitSampler) -> None:
    """Refuses a model of other classes where the judge or real digits are to be asked.

    Raises:
        UserError: its classes are not the digits.
    """
    if not are_digits(sampler):
        raise check.UserError("error.not_digits")


def classes_of_model(more: str) -> str:
    """The script that offers the classes of a chosen model, by name where it has names.

    more: further properties of the field, as a JavaScript object.
    """
    names = "(window.aigc.page.about || {})[model]?.classes || []"
    return (
        f"(model) => {{ const names = {names}; const known = names.length ? names"
        " : [...'0123456789']; return { __type__: 'update', choices: known.map((name, i) =>"
        f" [name, String(i)]), ...{more} }}; }}"
    )


def _labels(sampler: DigitSampler) -> tuple[str, ...]:
    """The choices of the page: "0" to "9", or as many as a model of a user's own has."""
    return tuple(map(str, range(max(10, sampler.classes))))


def label_of(sampler: DigitSampler, value) -> int:
    """A class as a choice of the page."""
    return int(check.one_of(value, "digits", _labels(sampler)))


def _wanted(sampler: DigitSampler, wanted) -> list[int]:
    """The classes that a visitor ticked; none means all."""
    allowed = _labels(sampler)
    if not isinstance(wanted, list) or len(wanted) > len(allowed):
        raise check.UserError("error.choice", name="digits", allowed=", ".join(allowed))
    return [label_of(sampler, label) for label in wanted]


def known_classes(sampler: DigitSampler, labels: list[int]) -> list[int]:
    """The labels, if the model knows them all: own weights may have fewer classes than ten.

    Raises:
        UserError: it does not.
    """
    if not sampler.classes:
        raise check.UserError("error.no_classes")
    if any(label >= sampler.classes for label in labels):
        raise check.UserError("error.classes", classes=sampler.classes)
    return labels


def write_number(models: Models, words: Words, number, seed) -> Update:
    """A typed number, one digit after the other."""
    labels = known_classes(models.gan(), check.digits(number, LONGEST_NUMBER))
    seed = check.seed(seed)
    images = models.gan().sample(range(seed, seed + len(labels)), labels, TRUNCATION)
    typed = "".join(map(str, labels))
    texts = words.both("gan.written", number=typed, seed=seed)
    return gr.update(strip=strip(images), count=len(labels), texts=texts)


def morph(models: Models, words: Words, first, last, seed, steps) -> tuple[Update, Update]:
    """From one digit to another, as an animation and as a strip."""
    labels = [check.digit(digit) for digit in (first, last)]
    known_classes(models.gan(), labels)
    seed = check.seed(seed)
    steps = check.whole(steps, "steps", 2, MAX_COUNT)
    frames = models.gan().morph((labels[0], labels[1]), (seed, seed + 1), steps, TRUNCATION)
    texts = words.both("gan.morphed", first=labels[0], last=labels[1], steps=steps, seed=seed)
    sheet = strip(frames)
    return gr.update(strip=sheet, count=steps, texts=texts), gr.update(strip=sheet, count=steps)


def pick(models: Models, words: Words, model, wanted, seed, truncation, place) -> tuple:
    """The digit at a place of the field, for the inside view: its model, class and seed."""
    sampler = models.gan(models.known(model, GANS))
    place = check.whole(place, "place", 0, MAX_COUNT - 1)
    seed = check.seed(seed) + place
    truncation = check.real(truncation, "truncation", 0, 1)
    label = "0"
    classes = _wanted(sampler, wanted)
    if sampler.classes and classes:
        label = str(classes[place % len(classes)])
    elif sampler.classes:
        label = str(sampler.noise([seed])[1][0])
    return model, label, seed, truncation, gr.update(selected="inside")
