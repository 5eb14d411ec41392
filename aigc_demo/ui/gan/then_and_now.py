"""Then and now: the same digit from a GAN in the manner of 2014 and from today's."""

from functools import partial
from typing import Any

import gradio as gr
import torch

from aigc_demo.explain import gan as inside
from aigc_demo.explain.figures import card_figures
from aigc_demo.images import strip
from aigc_demo.names import GANS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import formulas
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import code, gallery, network
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.classes import digits_only
from aigc_demo.ui.page.inside_views import View, code_of, group, parameters_of, station
from aigc_demo.ui.page.page import Page, Update

PER_MODEL = 8  # digits of each
CODE = {"gan-mlp": ("models/gan_mlp.py", "MLPGenerator"), "gan": ("models/gan.py", "Generator")}
FIGURES = ("frechet_distance", "coverage", "gan_train_accuracy")


def compare(models: Models, words: Words, model, digit, seed, truncation) -> tuple[Update, ...]:
    """The same digit by both models, with figures of their cards, and the layers of each.

    model: of digits, else there is nothing to compare.
    """
    digits_only(models.gan(models.known(model, GANS)))
    digit = check.digit(digit)
    seed, truncation = check.seed(seed), check.real(truncation, "truncation", 0, 1)
    old, new = models.gan("gan-mlp"), models.gan("gan")
    if old.classes or new.classes <= digit:
        raise check.UserError("error.no_classes")
    draw_old = partial(old.sample, truncation=truncation)
    seeds = inside.seeds_that_read(draw_old, models.judge, digit, seed, PER_MODEL)
    if not seeds:
        raise check.UserError("error.never_drawn", digit=digit)
    pictures = [
        old.sample(seeds, truncation=truncation),
        new.sample(range(seed, seed + PER_MODEL), [digit] * PER_MODEL, truncation),
    ]
    groups = [
        group(words, "noise", "inside.then", [""] * len(seeds)),
        group(words, "generator", "inside.now", [""] * PER_MODEL),
    ]
    texts = words.both("inside.figures", **_figures(models))
    shown = gr.update(strip=strip(torch.cat(pictures)), groups=groups, texts=texts)
    told = {"gan-mlp": (seeds[0], "inside.then"), "gan": (seed, "inside.now")}
    stacks = (
        gr.update(stations=_stations(models, name, digit, first), texts=words.both(key))
        for name, (first, key) in told.items()
    )
    return shown, *stacks


def _figures(models: Models) -> dict[str, str]:
    """Parameters of both generators, and the figures that their cards state: old_..., new_...."""
    found = {}
    for which, name in (("old", "gan-mlp"), ("new", "gan")):
        found[f"{which}_size"] = f"{parameters_of(models.gan(name).generator):,}"
        card = card_figures(str(models.source(name)))
        for key in FIGURES:
            found[f"{which}_{key}"] = card.get(key.replace("_", " "), "–")
    return found


def _stations(models: Models, name: str, digit: int, seed: int) -> list[dict[str, Any]]:
    """The layers of a model and what each makes of one digit's noise, for the network's widget."""
    sampler = models.gan(name)
    label = digit if sampler.classes else None
    z, _ = sampler.noise([seed], [digit] if sampler.classes else None)
    return [station(part, formulas.title(part)) for part in inside.layers(sampler, z[0], label)]


def build_then(page: Page, asked: list) -> View:
    """Adds the view."""
    both = gallery(page.words, strip="", groups=[], elem_id="inside-then")
    stacks = [network(page.words, stations=[], elem_id=f"inside-then-{name}") for name in CODE]
    with gr.Row(equal_height=False):
        for name, (path, definition) in CODE.items():
            with gr.Column(min_width=280):
                text = code_of(path, definition, ())["code"]
                code(code=text, elem_id=f"inside-code-{name}")
    return View(compare, asked, [both, *stacks])
