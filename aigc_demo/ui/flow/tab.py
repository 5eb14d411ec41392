"""The diffusion tab: draw, follow one path, vary a drawing, fill a gap, morph; look inside."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from aigc_demo.images import SIDE, strip
from aigc_demo.inference.flow import MOST_STEPS
from aigc_demo.names import FLOW_STEPS, GUIDANCE
from aigc_demo.samples import sample_digits
from aigc_demo.ui.flow import code, tables
from aigc_demo.ui.flow.compare import build_compare
from aigc_demo.ui.flow.inside import build_inside
from aigc_demo.ui.flow.lab import LAB
from aigc_demo.ui.flow.requests import (
    HIGHEST_GUIDANCE,
    MAX_COUNT,
    MOST_FRAMES,
    PICKABLE,
    STAND_INS,
    draw,
    fill,
    morph,
    path,
    pick,
    picked,
    vary,
)
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawing_of
from aigc_demo.ui.kit.widgets import pad, player, tiles
from aigc_demo.ui.page.classes import follow_classes
from aigc_demo.ui.page.digits import (
    digit_field,
    drawn_test_digit,
    nothing_shown,
    shelf,
    wanted_field,
)
from aigc_demo.ui.page.hub_panel import add_other_weights
from aigc_demo.ui.page.page import DRAWING, LOCAL, Page, dice
from aigc_demo.ui.page.share import CUT, FILM, Share

FIRST_TEST = 6  # the test digit that is on the pads when they open


def build_flow_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="flow-tasks", elem_classes="tasks", overflow_behavior="wrap") as tasks:
        with tr(gr.Tab(id="digits"), "flow.digits_tab"):
            picking, fields = _build_digits(page)
        with tr(gr.Tab(id="path"), "flow.path_tab") as here:
            _build_path(page, here)
        with tr(gr.Tab(id="vary"), "flow.vary_tab") as here:
            _build_vary(page, here)
        with tr(gr.Tab(id="fill"), "flow.fill_tab") as here:
            _build_fill(page, here)
        with tr(gr.Tab(id="morph"), "flow.morph_tab") as here:
            _build_morph(page, here)
        with tr(gr.Tab(id="lab"), "flowlab.tab"):
            LAB.build(page)
        with tr(gr.Tab(id="compare"), "which.tab") as here:
            build_compare(page, here)
        with tr(gr.Tab(id="inside"), "flow.inside_tab") as here:
            looked_at, follow = build_inside(page, here)
    follow(page.compute(picking, pick, fields, [*looked_at, tasks], show_progress="hidden").then)
    add_other_weights(page, "flow.model")
    page.lesson("flow")


def _choice(page: Page, name: str) -> gr.Radio:
    """Which flow; there is a choice as soon as other weights were fetched."""
    return page.words.tr(
        gr.Radio(value="flow", visible=False, elem_id=f"{name}-model"), "flow.model"
    )


def _settings(page: Page) -> dict[str, Any]:
    """Adds the settings of the solver."""
    tr = page.words.tr
    return {
        "ode_steps": tr(gr.Slider(1, MOST_STEPS, FLOW_STEPS, step=1), "flow.steps"),
        "guidance": _guidance(page),
    }


def _guidance(page: Page) -> gr.Slider:
    return page.words.tr(gr.Slider(0, HIGHEST_GUIDANCE, GUIDANCE, step=0.25), "flow.guidance")


def _build_digits(page: Page) -> tuple[Callable, list]:
    """Returns the event of picking a digit, and the fields that say which it is."""
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            result = tiles(words, choosing=True, elem_id="flow-digits", strip="", count=0)
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "flow")
            wanted = wanted_field(words, "flow.wanted", "flow-wanted")
            count = tr(gr.Slider(1, MAX_COUNT, 35, step=1, elem_id="flow-count"), "flow.count")
            seed, roll = dice(words, 7, "flow-seed")
            button = tr(gr.Button(variant="primary", elem_id="flow-draw"), "flow.draw")
            with tr(gr.Accordion(open=False), "page.more"):
                settings = _settings(page)
    fields = {"model": model, "digits": wanted, "count": count, "seed": seed, **settings}
    with left:
        about: dict[str, Any] = {"saves": CUT, "table": tables.digits, "code": code.digits}
        about["show_progress"] = "hidden"
        share = Share(page, "digits", draw, fields, [result], there=False, **about, **DRAWING)
        tr(gr.Markdown(elem_classes="hint"), "flow.pick_hint")
    chosen = follow_classes(words, model, wanted)
    sliders = [slider.release for slider in (count, *settings.values())]
    events = (button.click, wanted.input, *sliders, seed.submit, roll.then, chosen)
    share.follows(*events, tab=page.tab)
    return result.pick, [model, wanted, seed, settings["guidance"], result]


def _build_path(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            film = player(words, elem_id="flow-film", strip="", count=0)
            frames = tiles(words, columns=11, largest=3, elem_id="flow-frames", strip="", count=0)
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "flow-path")
            digit = digit_field(words, "3", "flow-digit")
            seed, roll = dice(words, 7, "flow-path-seed")
            button = tr(gr.Button(variant="primary", elem_id="flow-follow"), "flow.follow")
            settings = _settings(page)
    chosen = follow_classes(words, model, digit)
    fields = {"model": model, "digit": digit, "seed": seed, **settings}
    with left:
        about: dict[str, Any] = {"saves": FILM, "table": tables.path, "there": False}
        share = Share(page, "path", path, fields, [film, frames], **about, **DRAWING)
    sliders = [slider.release for slider in settings.values()]
    share.follows(button.click, digit.input, *sliders, seed.submit, roll.then, chosen, tab=here)


def _build_morph(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            film = player(words, elem_id="flow-morph-film", strip="", count=0)
            shown = tiles(
                words, columns=12, largest=3, elem_id="flow-morph-frames", strip="", count=0
            )
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "flow-morph")
            first = digit_field(words, "3", "flow-first", "flow.first")
            last = digit_field(words, "8", "flow-last", "flow.last")
            seed, roll = dice(words, 5, "flow-morph-seed")
            button = tr(gr.Button(variant="primary", elem_id="flow-morph"), "flow.morph")
            with tr(gr.Accordion(open=False), "page.more"):
                frames = tr(gr.Slider(2, MOST_FRAMES, 24, step=1), "flow.frames")
                settings = _settings(page)
    chosen = follow_classes(words, model, first, last)
    ends = {"first": first, "last": last, "seed": seed, "frames": frames}
    fields = {"model": model, **ends, **settings}
    with left:
        about: dict[str, Any] = {"saves": FILM, "table": tables.morph, "there": False}
        share = Share(page, "morph", morph, fields, [film, shown], **about, **DRAWING)
    sliders = [slider.release for slider in (frames, *settings.values())]
    given = (first.input, last.input, *sliders, seed.submit)
    share.follows(button.click, *given, roll.then, chosen, tab=here)


def _first_digit() -> dict[str, Any]:
    """The digit that a pad opens with."""
    return {
        "value": drawn_test_digit(FIRST_TEST),
        "strip": strip(sample_digits("test")[0][FIRST_TEST][None]),
    }


def _add_shelf(page: Page, share: Share, canvas: gr.HTML, name: str) -> None:
    """Test digits that go to a pad, and from there to its result."""
    page.words.tr(gr.Markdown(elem_classes="hint"), "page.pick_hint")
    picking = shelf(page.words, PICKABLE, name)
    share.compute(page.compute(picking.pick, picked, [picking], canvas, **LOCAL).success)


def _as_digit(page: Page, model: gr.Radio, value: str, name: str) -> tuple[gr.Dropdown, Callable]:
    """The class that the flow is told: one of the model's, or a stand-in; and `follow_classes`."""
    words, key = page.words, "flow.as_digit"
    choices = [(choice, choice) for choice in (*STAND_INS, *check.DIGITS)]
    field = words.tr(gr.Dropdown(choices, value=value, elem_id=name), key)
    stand_ins = {
        language: words.properties(language, key)["choices"][: len(STAND_INS)]
        for language in words.table
    }
    return field, follow_classes(words, model, field, before=stand_ins)


def _build_vary(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            canvas = pad(words, elem_id="flow-pad", **_first_digit())
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, columns=5, largest=3, elem_id="flow-varied", strip="", count=0)
            place = gr.Column()
            model = _choice(page, "flow-vary")
            start = tr(gr.Slider(0, 1, 0.4, step=0.05, elem_id="flow-start"), "flow.start")
            as_digit, chosen = _as_digit(page, model, "read", "flow-vary-as")
            seed, roll = dice(words, 1, "flow-vary-seed")
            with tr(gr.Accordion(open=False), "page.more"):
                guidance = _guidance(page)
    fields = {
        "model": model,
        "drawing": canvas,
        "start": start,
        "as_digit": as_digit,
        "seed": seed,
        "guidance": guidance,
    }
    with place:
        about: dict[str, Any] = {"table": tables.varied, "there": False}
        about["show_progress_on"] = result
        share = Share(page, "vary", vary, fields, [canvas, result], **about, **DRAWING)
    sliders = (start.release, guidance.release, seed.submit)
    share.follows(canvas.stroke, *sliders, as_digit.input, roll.then, chosen, tab=here)
    page.compute(canvas.cleared, nothing_shown, [], result, show_progress="hidden", **DRAWING)
    _add_shelf(page, share, canvas, "flow-shelf")


def _build_fill(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    digit = _first_digit()
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            canvas = pad(words, elem_id="flow-fill-pad", **digit)
        with gr.Column(scale=2, min_width=280):
            gap = pad(words, gap=True, elem_id="flow-gap", value=_first_gap(), under=digit["strip"])
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, columns=5, largest=3, elem_id="flow-filled", strip="", count=0)
            place = gr.Column()
            model = _choice(page, "flow-fill")
            as_digit, chosen = _as_digit(page, model, "none", "flow-fill-as")
            seed, roll = dice(words, 1, "flow-fill-seed")
            with tr(gr.Accordion(open=False), "page.more"):
                guidance = _guidance(page)
    fields = {
        "model": model,
        "drawing": canvas,
        "gap": gap,
        "as_digit": as_digit,
        "seed": seed,
        "guidance": guidance,
    }
    with place:
        about: dict[str, Any] = {"table": tables.filled, "there": False}
        about["show_progress_on"] = result
        share = Share(page, "fill", fill, fields, [canvas, gap, result], **about, **DRAWING)
    given = (as_digit.input, guidance.release, seed.submit)
    share.follows(canvas.stroke, gap.stroke, *given, roll.then, chosen, tab=here)
    for cleared in (canvas.cleared, gap.cleared):
        page.compute(cleared, nothing_shown, [], result, show_progress="hidden", **DRAWING)
    _add_shelf(page, share, canvas, "flow-fill-shelf")


def _first_gap() -> str:
    """The lower half, painted out."""
    gap = np.zeros((SIDE, SIDE), np.uint8)
    gap[15:] = 255
    return drawing_of(gap)
