"""The results of the GAN tab as code."""

from aigc_demo.names import TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan.requests import LONGEST_NUMBER
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.classes import in_turn
from aigc_demo.ui.page.code import Code, asked, drawing, source_of, turns


def digits(models: Models, model, wanted, count, seed, truncation) -> Code:
    """Of the wanted classes in turn."""
    source, known = source_of(models, model), models.gan(model).classes
    classes = list(map(int, wanted)) if known else []
    call = f"sample(range({seed}, {seed + count}), {turns(classes, count)}, {truncation})"
    options = {**asked(in_turn(classes, count), count), "seed": seed, "truncation": truncation}
    return Code(drawing("DigitSampler", "gan", source, call), source, options)


def number(models: Models, model, number, seed) -> Code:
    """Digit by digit."""
    source, labels = source_of(models, model), check.digits(number, LONGEST_NUMBER)
    call = f"sample(range({seed}, {seed + len(labels)}), {labels}, {TRUNCATION})"
    options = {**asked(labels, len(labels)), "seed": seed, "truncation": TRUNCATION}
    return Code(drawing("DigitSampler", "gan", source, call), source, options)


def morph(models: Models, model, first, last, seed, steps) -> Code:
    """Frame by frame; no command does it."""
    call = f"morph(({int(first)}, {int(last)}), ({seed}, {seed + 1}), {steps}, {TRUNCATION})"
    return Code(drawing("DigitSampler", "gan", source_of(models, model), call))
