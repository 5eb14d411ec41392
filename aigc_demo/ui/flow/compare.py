"""Which for what: one digit by GAN, VAE and diffusion, a text by three more, and their figures."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import gradio as gr
import torch
from torch import Tensor, nn

from aigc_demo.explain.figures import card_figures, training_minutes
from aigc_demo.explain.gan import seeds_that_read
from aigc_demo.images import strip
from aigc_demo.names import TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.flow.compare_text import build_compare_text, which_text
from aigc_demo.ui.flow.requests import sampler_of
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import gallery, table
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.digits import digit_field
from aigc_demo.ui.page.inside_views import group, parameters_of
from aigc_demo.ui.page.page import DRAWING, Page, Update, dice
from aigc_demo.ui.page.share import Share

DIGITS_EACH = 5  # digits of each: a line on a phone
TIMED = 16  # digits that are drawn to see how long it takes
COMPARED = {"gan": "generator", "vae": "noise", "flow": "data"}  # model -> role of its colour
FIGURES = {  # of a card -> what is said of it; the shares in percent
    "label agreement": "which.agreement",
    "frechet distance to real": "which.frechet",
    "coverage to real": "which.coverage",
    "gan train accuracy": "which.taught",
    "negative log likelihood": "which.nats",
}
SHARES = ("label agreement", "gan train accuracy")


async def which(models: Models, words: Words, digit, seed) -> AsyncIterator[tuple]:
    """One digit by three models with their table, and then a text by three."""
    digit, seed = check.digit(digit), check.seed(seed)
    shown = await asyncio.to_thread(which_digit, models, words, digit, seed)
    yield (*shown, *(gr.skip() for _ in range(4)))
    yield (*shown, *await asyncio.to_thread(which_text, models, words, seed))


def which_digit(models: Models, words: Words, digit: int, seed: int) -> tuple[Update, Update]:
    """One digit by three models, each above the training digits nearest to it, and the table."""
    pictures, groups = [], []
    for name, role in COMPARED.items():
        drawn = _drawn(models, name, digit, seed, DIGITS_EACH)
        near = models.index.nearest(drawn, 1)
        sure = models.judge.classify(drawn)[:, digit]
        pictures += [drawn, near.pictures[:, 0]]
        groups += [
            group(words, role, f"which.{name}", [f"{100 * p:.0f}%" for p in sure.tolist()]),
            group(words, "loss", "which.near", [f"{d:.1f}" for d in near.distances[:, 0].tolist()]),
        ]
    shown = gr.update(
        strip=strip(torch.cat(pictures)), groups=groups, texts=words.both("which.told")
    )
    return shown, gr.update(table=_table(models, words, seed))


def _drawn(models: Models, name: str, digit: int, seed: int, count: int) -> Tensor:
    """So many digits of a class by one of the models; the VAE's are picked by the judge."""
    seeds, labels = range(seed, seed + count), [digit] * count
    if name == "gan":
        return models.gan().sample(seeds, labels, TRUNCATION)
    if name == "flow":
        return sampler_of(models).sample(seeds, labels)
    walker = models.vae("vae")
    found = seeds_that_read(walker.sample, models.judge, digit, seed, count)
    if len(found) < count:
        raise check.UserError("error.never_drawn_vae", digit=digit)
    return walker.sample(found)


def _table(models: Models, words: Words, seed: int) -> dict[str, Any]:
    """A row a figure, a column a model. Milliseconds are measured here and now."""
    gan, vae, flow = models.gan(), models.vae("vae"), sampler_of(models)
    networks: list[list[nn.Module]] = [
        [gan.generator],
        [vae.decoder, vae.prior],
        [flow.loaded.model],
    ]
    sources = [str(models.source(name)) for name in COMPARED]
    cards = [card_figures(source) for source in sources]
    rows = {
        "which.parameters": [f"{sum(map(parameters_of, used)):,}" for used in networks],
        "which.minutes": [training_minutes(source) for source in sources],
        "which.time": [_milliseconds(sampler, seed) for sampler in (gan, vae, flow)],
    }
    for figure, key in FIGURES.items():
        cells = [card.get(figure, "–") for card in cards]
        if figure in SHARES:
            cells = [cell if cell == "–" else f"{100 * float(cell):.2f}%" for cell in cells]
        rows[key] = cells
    return {
        "head": ["", *(words.both(f"which.{name}") for name in COMPARED)],
        "rows": [[{"text": words.both(key)}, *cells] for key, cells in rows.items()],
    }


def _milliseconds(sampler: Any, seed: int) -> str:
    """Draws some digits of any class; the time in milliseconds."""
    begun = perf_counter()
    sampler.sample(range(seed, seed + TIMED))
    return f"{1000 * (perf_counter() - begun):.0f}"


def build_compare(page: Page, here: gr.Tab) -> None:
    """Adds the task. here: its tab."""
    tr, words = page.words.tr, page.words
    tr(gr.Markdown(elem_classes="hint"), "which.hint")
    with gr.Row(elem_classes="asked"):
        digit = digit_field(words, "3", "which-digit")
        seed, roll = dice(words, 7, "which-seed")
    pictures = gallery(words, strip="", groups=[], elem_id="which-digits")
    figures = table(words, table={}, elem_id="which-figures")
    fields = {"digit": digit, "seed": seed}
    about: dict[str, Any] = {"model": "flow", "saves": (), "there": False}
    texts = build_compare_text(page)
    share = Share(page, "compare", which, fields, [pictures, figures, *texts], **about, **DRAWING)
    share.follows(digit.input, seed.submit, roll.then, tab=here)
