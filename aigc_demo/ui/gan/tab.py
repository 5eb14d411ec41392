"""The GAN tab: draw, write a number, morph; look inside; train a step; play in the plane."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from aigc_demo.names import TRUNCATION
from aigc_demo.ui.gan import code, tables
from aigc_demo.ui.gan.inside import build_inside
from aigc_demo.ui.gan.lab import LAB
from aigc_demo.ui.gan.one_step import build_duel
from aigc_demo.ui.gan.requests import MAX_COUNT, draw, morph, pick, write_number
from aigc_demo.ui.kit.widgets import player, tiles
from aigc_demo.ui.page.classes import follow_classes
from aigc_demo.ui.page.digits import digit_field, wanted_field
from aigc_demo.ui.page.hub_panel import add_other_weights
from aigc_demo.ui.page.page import DRAWING, Page, dice
from aigc_demo.ui.page.share import CUT, FILM, Share


def build_gan_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="gan-tasks", elem_classes="tasks", overflow_behavior="wrap") as tasks:
        with tr(gr.Tab(id="digits"), "gan.digits_tab"):
            picked, fields = _build_digits(page)
        with tr(gr.Tab(id="number"), "gan.number_tab"):
            _build_number(page)
        with tr(gr.Tab(id="morph"), "gan.morph_tab"):
            _build_morph(page)
        with tr(gr.Tab(id="inside"), "gan.inside_tab") as here:
            looked_at, follow = build_inside(page, here)
        with tr(gr.Tab(id="duel"), "duel.tab") as tab:
            build_duel(page, tab)
        with tr(gr.Tab(id="lab"), "lab.tab"):
            LAB.build(page)
    follow(page.compute(picked, pick, fields, [*looked_at, tasks], show_progress="hidden").then)
    add_other_weights(page, "gan.model", "gan.by_class")
    page.lesson("gan")


def _build_digits(page: Page) -> tuple[Callable, list]:
    """Returns the event of picking a digit, and the fields that say which it is."""
    tr, words = page.words.tr, page.words
    first = page.first(draw, "gan", [], 35, 7, TRUNCATION)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            result = tiles(words, choosing=True, elem_id="gan-digits", at_once=True, **first)
        with gr.Column(scale=2, min_width=280):
            model = tr(gr.Radio(value="gan", elem_id="gan-model"), "gan.model")
            wanted = wanted_field(words, "gan.wanted", "gan-wanted")
            count = tr(gr.Slider(1, MAX_COUNT, 35, step=1, elem_id="gan-count"), "gan.count")
            seed, roll = dice(words, 7, "gan-seed")
            button = tr(gr.Button(variant="primary", elem_id="gan-draw"), "gan.draw")
            with tr(gr.Accordion(open=False), "page.more"):
                truncation = tr(gr.Slider(0, 1, TRUNCATION, step=0.05), "gan.truncation")
    fields = {"model": model, "digits": wanted, "count": count, "seed": seed}
    with left:
        fields["truncation"] = truncation
        about: dict[str, Any] = {"saves": CUT, "table": tables.digits, "code": code.digits}
        share = Share(page, "digits", draw, fields, [result], **about, **DRAWING)
        tr(gr.Markdown(elem_classes="hint"), "gan.pick_hint")
    plain = "['gan-mlp', ...(window.aigc.page.plain || [])].includes(model)"
    more = f"{{ visible: !{plain} }}"  # one without classes shows no choice
    chosen = follow_classes(words, model, wanted, more=more)
    given = (wanted.input, count.release, truncation.release, seed.submit)
    share.follows(button.click, *given, roll.then, chosen)
    return result.pick, [model, wanted, seed, truncation, result]


def _by_class(page: Page, name: str) -> gr.Radio:
    """Which model that knows classes; there is a choice as soon as other weights are there."""
    return page.words.tr(gr.Radio(value="gan", visible=False, elem_id=name), "gan.by_class")


def _build_number(page: Page) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            shown = page.first(write_number, "gan", "2026", 3)
            result = tiles(words, columns=16, elem_id="gan-number-result", **shown)
        with gr.Column(scale=2, min_width=280):
            model = _by_class(page, "gan-number-model")
            number = tr(gr.Textbox("2026", max_lines=1, elem_id="gan-number"), "gan.number")
            seed, roll = dice(words, 3, "gan-number-seed")
            button = tr(gr.Button(variant="primary", elem_id="gan-write"), "gan.write")
    with left:
        fields = {"model": model, "number": number, "seed": seed}
        about: dict[str, Any] = {"table": tables.number, "code": code.number, **DRAWING}
        share = Share(page, "number", write_number, fields, [result], **about)
    share.follows(button.click, model.input, number.submit, seed.submit, roll.then)


def _build_morph(page: Page) -> None:
    tr, words = page.words.tr, page.words
    animated, laid_out = page.first_of(morph, 2, "gan", "3", "8", 5, 24)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            film = player(words, elem_id="gan-film", **animated)
            frames = tiles(words, columns=12, largest=3, elem_id="gan-frames", **laid_out)
        with gr.Column(scale=2, min_width=280):
            model = _by_class(page, "gan-morph-model")
            first = digit_field(words, "3", "gan-first", "gan.first")
            last = digit_field(words, "8", "gan-last", "gan.last")
            seed, roll = dice(words, 5, "gan-morph-seed")
            button = tr(gr.Button(variant="primary", elem_id="gan-morph"), "gan.morph")
            with tr(gr.Accordion(open=False), "page.more"):
                steps = tr(gr.Slider(2, MAX_COUNT, 24, step=1), "gan.steps")
    chosen = follow_classes(words, model, first, last)
    fields = {"model": model, "first": first, "last": last, "seed": seed, "steps": steps}
    with left:
        about = {"saves": FILM, "table": tables.morph, "code": code.morph, **DRAWING}
        share = Share(page, "morph", morph, fields, [film, frames], **about)
    given = (first.input, last.input, steps.release, seed.submit)
    share.follows(button.click, *given, roll.then, chosen)
