"""All at once: masked diffusion fills the gaps of a text, beside the writer from left to right."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import gradio as gr

from aigc_demo.explain.figures import card_figures
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.unmask import GAP, ORDERS, GapWriter, Moment
from aigc_demo.names import GAP_STEPS, TEMPERATURE, UNMASKS
from aigc_demo.tokenizer import UnknownCharacters
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import LOCAL, Page, Update, dice
from aigc_demo.ui.page.share import TEXT, Share
from aigc_demo.ui.page.tables import Rows
from aigc_demo.ui.page.training_view import history_widget, seeing
from aigc_demo.ui.transformer import code
from aigc_demo.ui.transformer.requests import UPDATES
from aigc_demo.ui.transformer.widgets import filling

MOST_STEPS = 128
EXAMPLES = ("ROMEO: ____ thou", "____ the ____ of ____ and ____", "ROMEO:\n")
FILLING: dict[str, Any] = {"concurrency_id": "filling", "concurrency_limit": 3}  # it takes a core
Timed = tuple[Moment, float]
MORE = 200  # characters to add that the view opens with


def asked(
    models: Models, text, more, steps, order, temperature, seed
) -> tuple[GapWriter, str, dict]:
    """The model, the text with its gaps, and the settings, all checked."""
    model = models.known(UNMASKS[0], UNMASKS)
    gaps = models.gaps(model)
    text = check.text(text, "gapped", 2_000)
    text = gaps.tokenizer.fold(text) + GAP * check.whole(more, "more", 0, gaps.context)
    settings = {
        "steps": check.whole(steps, "gap_steps", 1, MOST_STEPS),
        "order": check.one_of(order, "filling", ORDERS),
        "temperature": check.real(temperature, "temperature", 0, 2),
        "seed": check.seed(seed),
    }
    if len(text) > gaps.context:
        raise check.UserError("error.long_gaps", most=gaps.context, got=len(text))
    if GAP not in text:
        raise check.UserError("error.no_text_gap")
    return gaps, text, settings


async def moments(gaps: GapWriter, text: str, **settings: Any) -> AsyncIterator[Timed]:
    """The text after each step, not oftener than the page can show it; the last one for certain.

    With each the seconds of computing so far.
    """
    found = gaps.moments(text, **settings)

    def following() -> tuple[Moment | None, float]:
        begun = time.perf_counter()
        return next(found, None), time.perf_counter() - begun

    shown, took, last = 0.0, 0.0, None
    while True:
        moment, seconds = await asyncio.to_thread(following)
        if moment is None:
            break
        took, last = took + seconds, moment
        if time.monotonic() - shown >= 1 / UPDATES:
            shown, last = time.monotonic(), None
            yield moment, took
    if last is not None:
        yield last, took


async def fill_gaps(
    models: Models, words: Words, text, more, steps, order, temperature, seed
) -> AsyncIterator[Update]:
    """The text as it fills, and at the end what it cost and how it reads."""
    fields = (text, more, steps, order, temperature, seed)
    gaps, text, settings = await asyncio.to_thread(asked, models, *fields)  # it may be loaded
    async for timed in moments(gaps, text, **settings):
        yield gr.update(**_shown(gaps, timed[0]), texts=None)
    moment, took = timed
    told = await asyncio.to_thread(_told, models, words, gaps, moment, took, settings)
    yield gr.update(**_shown(gaps, moment), texts=told)


def table(models: Models, *fields: Any) -> Rows:
    """Each place of the text: what stands there, the step that filled it, and how sure it was."""
    gaps, text, settings = asked(models, *fields)
    *_, last = gaps.moments(text, **settings)
    named = [gaps.tokenizer.name_of(token) for token in last.ids]
    rows = zip(range(len(named)), named, last.filled, last.sure, strict=True)
    return [["place", "character", "step", "probability"], *map(list, rows)]


def _shown(gaps: GapWriter, moment: Moment) -> dict[str, Any]:
    return {
        "text": gaps.shown(moment.ids),
        "filled": list(moment.filled),
        "sure": [round(value, 2) for value in moment.sure],
    }


def _told(
    models: Models,
    words: Words,
    gaps: GapWriter,
    moment: Moment,
    took: float,
    settings: dict[str, Any],
) -> dict[str, str]:
    """What it cost and how the writer from left to right reads it, in both languages."""
    places = [place for place, step in enumerate(moment.filled) if step > 0]
    count, steps = len(places), max(moment.filled)
    cost = {"count": count, "steps": steps, "took": f"{took:.1f}", "each": f"{count / steps:.1f}"}
    writer, written = models.writer("shakespeare"), gaps.shown(moment.ids)
    prompt = written[: places[0]] or "\n"  # which each begins with
    ahead = len(prompt) - places[0]
    try:
        begun = time.perf_counter()
        shape = {"temperature": settings["temperature"], "seed": settings["seed"]}
        other = prompt + writer.write(prompt, count, **shape)
        left = time.perf_counter() - begun
        read = "\n" * ahead + written
        surprise = _surprise(writer, read, [place + ahead for place in places])
        own = _surprise(writer, other, range(len(prompt), len(other)))
    except UnknownCharacters:  # the writer was replaced by one that reads something else
        return words.both("gaps.cost", **cost)
    beside = {"left": f"{left:.1f}", "nats": f"{surprise:.2f}", "other": f"{own:.2f}"}
    return words.both("gaps.told", **cost, **beside, **_figures(models))


def _surprise(writer: TextWriter, text: str, places: Sequence[int]) -> float:
    """The writer's mean surprise at some places of a text, none of them the first, in nats."""
    return -writer.log_probabilities(text)[[place - 1 for place in places]].mean().item()


def _figures(models: Models) -> dict[str, str]:
    """On text that neither has seen, by their cards."""
    cards = [card_figures(str(models.source(name))) for name in ("unmask", "shakespeare")]
    return {
        "bound": cards[0].get("nats per character at most", "–"),
        "card": cards[1].get("nats per character", "–"),
    }


def see_training(models: Models, words: Words) -> Update:
    """What the model wrote from nothing at moments of its training."""
    return seeing(UNMASKS)(models, words, UNMASKS[0], 0)


def build_gaps(page: Page, here: gr.Tab) -> None:
    """Adds the view's components and events."""
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            shown = filling(words, text="", filled=[], sure=[], elem_id="gaps-filling")
        with gr.Column(scale=2, min_width=280):
            text = tr(
                gr.Textbox(EXAMPLES[-1], lines=3, max_lines=8, elem_id="gaps-text"), "gaps.text"
            )
            with gr.Row(elem_classes="examples"):
                buttons = [
                    tr(gr.Button(size="sm", min_width=90), f"gaps.example{place}")
                    for place in range(len(EXAMPLES))
                ]
            more = tr(gr.Slider(0, 255, MORE, step=1, elem_id="gaps-more"), "gaps.more")
            steps = tr(
                gr.Slider(1, MOST_STEPS, GAP_STEPS, step=1, elem_id="gaps-steps"), "gaps.steps"
            )
            seed, roll = dice(words, 1, "gaps-seed")
            button = tr(gr.Button(variant="primary", elem_id="gaps-fill"), "gaps.fill")
            with tr(gr.Accordion(open=False), "page.more"):
                order = tr(gr.Radio(value="certain", elem_id="gaps-order"), "gaps.order")
                heat = tr(gr.Slider(0, 2, TEMPERATURE, step=0.05), "transformer.temperature")
    tr(gr.Markdown(elem_classes="hint"), "gaps.hint")
    with tr(gr.Accordion(open=False, elem_id="gaps-learned"), "gaps.learned") as folded:
        learned = history_widget(words, bar="", elem_id="gaps-history")
    page.compute(folded.expand, see_training, [], learned, show_progress="hidden")
    fields = {
        "text": text,
        "more": more,
        "steps": steps,
        "order": order,
        "temperature": heat,
        "seed": seed,
    }
    about: dict[str, Any] = {"saves": (*TEXT, "csv"), "table": table, "code": code.gaps}
    about |= {"model": UNMASKS[0], "there": False, "show_progress": "hidden"}
    with left:
        share = Share(page, "gaps", fill_gaps, fields, [shown], **about, **FILLING)
    sliders = [slider.release for slider in (more, steps, heat)]
    starts = (button.click, *sliders, order.input, seed.submit, roll.then)
    share.follows(*starts, tab=here)
    for place, (example, one) in enumerate(zip(EXAMPLES, buttons, strict=True)):
        length = MORE if place == len(EXAMPLES) - 1 else 0
        given = f"() => {json.dumps([example, length])}"
        chosen = one.click(None, None, [text, more], js=given, **LOCAL)
        share.compute(chosen.then)
