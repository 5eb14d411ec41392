"""Then and now: the same digit from a GAN in the manner of 2014 and from today's."""

from functools import partial
from itertools import zip_longest

import gradio as gr
import torch

from aigc_demo.explain import gan as inside
from aigc_demo.explain.figures import card_figures
from aigc_demo.images import strip
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import code, gallery
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, code_of, group, parameters_of, shape_of
from aigc_demo.ui.page.page import FORMULAS, Page, Update

PER_MODEL = 8  # digits of each
CODE = {"gan-mlp": ("models/gan_mlp.py", "MLPGenerator"), "gan": ("models/gan.py", "Generator")}
FIGURES = ("frechet_distance", "coverage", "gan_train_accuracy")


def compare(models: Models, words: Words, digit, seed, truncation) -> tuple[Update, str]:
    """The same digit by both models, and a table: layers, parameters, figures of the cards."""
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
    return shown, _layers(models, digit, seed)


def _figures(models: Models) -> dict[str, str]:
    """Parameters of both generators, and the figures that their cards state: old_..., new_...."""
    found = {}
    for which, name in (("old", "gan-mlp"), ("new", "gan")):
        found[f"{which}_size"] = f"{parameters_of(models.gan(name).generator):,}"
        card = card_figures(str(models.folders.get(name, name)))
        for key in FIGURES:
            found[f"{which}_{key}"] = card.get(key.replace("_", " "), "–")
    return found


def _layers(models: Models, digit: int, seed: int) -> str:
    """The layers' output shapes of both models, side by side, as a table."""
    rows = [["", "`gan-mlp`", "`gan`"], ["---", "---", "---"]]
    found = []
    for name in CODE:
        sampler = models.gan(name)
        label = digit if sampler.classes else None
        z, _ = sampler.noise([seed], [digit] if sampler.classes else None)
        found.append(inside.layers(sampler, z[0], label))
    for player, symbol in (("noise", "$z$"), ("generator", "$G$"), ("discriminator", "$D$")):
        shapes = [[shape_of(part) for part in parts if part.player == player] for parts in found]
        rows += [[symbol, a, b] for a, b in zip_longest(*shapes, fillvalue="")]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def build_then(page: Page, asked: list) -> View:
    """Adds the view."""
    both = gallery(page.words, strip="", groups=[], elem_id="inside-then")
    table = gr.Markdown(
        latex_delimiters=FORMULAS, elem_classes="formula", elem_id="inside-then-table"
    )
    with gr.Row(equal_height=False):
        for name, (path, definition) in CODE.items():
            with gr.Column(min_width=280):
                text = code_of(path, definition, ())["code"]
                code(code=text, elem_id=f"inside-code-{name}")
    return View(compare, asked[1:], [both, table])
