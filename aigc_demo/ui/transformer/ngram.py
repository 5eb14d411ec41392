"""An n-gram model beside the Transformer: the same prompt and seed, and what each expects."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr
import numpy as np

from aigc_demo.explain.figures import card_figures
from aigc_demo.inference import text_mode
from aigc_demo.inference.ngram import ORDERS
from aigc_demo.inference.writing.sampler import Sampler
from aigc_demo.names import TEMPERATURE, TOP_P
from aigc_demo.samples import sample_text
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.catalog.ngrams import ngram_losses, ngram_model
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import bars
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import WRITING, Page, Update, dice
from aigc_demo.ui.page.share import Share
from aigc_demo.ui.transformer.requests import PROMPTS, continued, paced

LENGTH = 200  # characters that each writes
ORDER = 4  # that the view opens with


async def write_both(
    models: Models, words: Words, prompt, order, seed
) -> AsyncIterator[tuple[str, str, Update]]:
    """The n-gram's text, the Transformer's as it grows, and the losses of all."""
    order = check.whole(order, "order", ORDERS[0], ORDERS[-1])
    sampling = (TEMPERATURE, 0, TOP_P, 1, seed)
    writing = await continued(models, "shakespeare", prompt, LENGTH, *sampling)
    sampler = Sampler(TEMPERATURE, top_p=TOP_P, seed=check.seed(seed))

    def count() -> tuple[str, Update]:
        text = ngram_model(models, order).write(writing.prompt, LENGTH, sampler)
        return writing.prompt + text, _losses(models, words, order)

    text, shown = await asyncio.to_thread(count)  # the first time it takes a second
    async for more in paced(writing):
        yield text, writing.prompt + more, shown


def _losses(models: Models, words: Words, order: int) -> Update:
    nats = ngram_losses(models)
    found = [{"name": f"n = {n}", "value": value} for n, value in zip(ORDERS, nats, strict=True)]
    said = {"order": order, "nats": f"{nats[order - 1]:.2f}", "best": ORDERS[int(np.argmin(nats))]}
    said["count"] = f"{len(sample_text('unseen.txt')):,}"
    said["choices"] = f"{np.exp(nats[order - 1]):.1f}"
    told = "ngram.told_alone"
    if card := card_figures(str(models.source("shakespeare"))).get("nats per character"):
        found.append({"name": "Transformer", "value": float(card)})
        told, said["writer"] = "ngram.told", f"{float(card):.2f}"
        said["fewer"] = f"{np.exp(float(card)):.1f}"
    size = len(ngram_model(models, 1).characters)
    chance = {"size": size, "chance": f"{np.log(size):.2f}", "now": said["nats"]}
    meaning = words.both("meaning.ngram", **chance)
    return gr.update(bars=found, texts=words.both(told, **said), meaning=meaning)


def build_ngram(page: Page, here: gr.Tab) -> None:
    """Adds the view's components and events."""
    tr = page.words.tr
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            with gr.Row(equal_height=False):
                texts = [
                    tr(
                        gr.Textbox(
                            lines=12,
                            max_lines=12,
                            min_width=260,
                            interactive=False,
                            elem_id=f"ngram-{name}",
                            elem_classes="manuscript",
                        ),
                        f"ngram.{name}",
                    )
                    for name in ("counted", "written")
                ]
            shown = bars(page.words, bars=[], elem_id="ngram-losses")
        with gr.Column(scale=2, min_width=280):
            prompt = tr(
                gr.Textbox(PROMPTS[0], lines=2, max_lines=6, elem_id="ngram-prompt"),
                "transformer.prompt",
            )
            order = tr(
                gr.Slider(ORDERS[0], ORDERS[-1], ORDER, step=1, elem_id="ngram-order"),
                "ngram.order",
            )
            seed, roll = dice(page.words, 1, "ngram-seed")
            button = tr(gr.Button(variant="primary", elem_id="ngram-write"), "transformer.write")
    tr(gr.Markdown(elem_classes="hint"), "ngram.hint")
    fields = {"prompt": prompt, "order": order, "seed": seed}
    about: dict[str, Any] = {"mode": text_mode(), "saves": (), "there": False}
    with left:
        share = Share(
            page,
            "ngram",
            write_both,
            fields,
            [*texts, shown],
            model="shakespeare",
            **about,
            **WRITING,
        )
    share.follows(button.click, order.release, seed.submit, roll.then, tab=here)
