"""The VAE tab: walk the map, rebuild a digit, walk from A to B, draw from the prior."""

import gradio as gr

from aigc_demo.ui.kit.widgets import gallery, pad, player, tiles
from aigc_demo.ui.page.digits import drawn_test_digit, nothing_shown, shelf
from aigc_demo.ui.page.hub_panel import add_other_weights
from aigc_demo.ui.page.page import DRAWING, Page, dice, several
from aigc_demo.ui.page.share import FILM, Share
from aigc_demo.ui.vae import code, tables
from aigc_demo.ui.vae.inside import build_inside
from aigc_demo.ui.vae.requests import (
    MAX_COUNT,
    PICKABLE,
    REACH,
    START,
    compare_walks,
    decode_point,
    draw,
    map_decoder,
    map_digits,
    rebuild,
    rebuild_picked,
    walk,
)
from aigc_demo.ui.vae.widgets import latent_map


def build_vae_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="vae-tasks", elem_classes="tasks", overflow_behavior="wrap"):
        with tr(gr.Tab(id="map"), "vae.map_tab"):
            _build_map(page)
        with tr(gr.Tab(id="rebuild"), "vae.rebuild_tab"):
            _build_rebuild(page)
        with tr(gr.Tab(id="walk"), "vae.walk_tab") as here:
            _build_walk(page, here)
        with tr(gr.Tab(id="prior"), "vae.prior_tab"):
            _build_prior(page)
        with tr(gr.Tab(id="inside"), "vae.inside_tab") as here:
            build_inside(page, here)
    add_other_weights(page, "vae.model")
    page.lesson("vae")


def _build_map(page: Page) -> None:
    point = dict(zip("xy", START, strict=True))
    shown = page.first(decode_point, point)
    plane = latent_map(
        page.words,
        REACH,
        value=point,
        at=point,
        elem_id="vae-map",
        server_functions=[page.serve(map_digits), page.serve(map_decoder)],
        **shown,
    )
    share = Share(
        page,
        "map",
        decode_point,
        {"point": plane},
        [plane],
        model="vae-2d",
        table=tables.point,
        show_progress="hidden",
        **DRAWING,
    )
    page.words.tr(gr.Markdown(elem_classes="hint"), "vae.map_hint")
    share.opens()
    share.compute(plane.move, trigger_mode="always_last")


def _choice(page: Page, name: str) -> gr.Radio:
    """Which of the two VAEs."""
    return page.words.tr(gr.Radio(value="vae-2d", elem_id=name), "vae.model")


def _build_rebuild(page: Page) -> None:
    tr, words = page.words.tr, page.words
    shown = page.first_of(rebuild_picked, 2, "vae-2d", 0, 0)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            digit = {"value": drawn_test_digit(0), "strip": shown[0]["strip"]}
            canvas = pad(words, elem_id="vae-pad", **digit)
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, columns=3, elem_id="vae-rebuilt", **shown[1])
            place = gr.Column()
            model = _choice(page, "vae-rebuild-model")
            seed, roll = dice(words, 0, "vae-seed")
    tr(gr.Markdown(elem_classes="hint"), "page.pick_hint")
    picking = shelf(words, PICKABLE, "vae-shelf")
    fields, both = {"model": model, "drawing": canvas, "seed": seed}, [canvas, result]
    with place:
        about = {"show_progress_on": result, "table": tables.rebuilt, **DRAWING}
        share = Share(page, "rebuild", rebuild, fields, both, **about)
    share.follows(canvas.stroke, model.input, roll.then)
    page.compute(canvas.cleared, nothing_shown, [], result, show_progress="hidden", **DRAWING)
    picked = share.linked(
        rebuild_picked, lambda name, at, number: (name, drawn_test_digit(int(at)), number)
    )
    inputs = [model, picking, seed]
    page.compute(picking.pick, picked, inputs, share.outputs, show_progress_on=result)


def _build_walk(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    film_shown, frames_shown = page.first_of(walk, 2, "vae-2d", "38", "straight", 0, 24)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            film = player(words, elem_id="vae-film", **film_shown)
            frames = tiles(words, columns=12, largest=3, elem_id="vae-frames", **frames_shown)
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "vae-walk-model")
            route = tr(gr.Textbox("38", max_lines=1, elem_id="vae-route"), "vae.route")
            seed, roll = dice(words, 0, "vae-walk-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-walk"), "vae.walk")
            with tr(gr.Accordion(open=False), "page.more"):
                path = tr(gr.Radio(value="straight", elem_id="vae-path"), "vae.path")
                steps = tr(gr.Slider(2, MAX_COUNT, 24, step=1), "vae.steps")
    tr(gr.Markdown(elem_classes="hint"), "vae.beside_hint")
    beside = gallery(words, strip="", groups=[], elem_id="vae-beside")
    named = {"model": model, "route": route, "path": path, "seed": seed}
    fields = list(named.values())
    with left:
        walks = {**named, "steps": steps}
        share = Share(
            page, "walk", walk, walks, [film, frames], saves=FILM, table=tables.walk, **DRAWING
        )
    page.compute(share.opens().success, compare_walks, fields, beside)
    chosen = (model.input, route.submit, path.input, seed.submit)
    for event in several(button.click, *chosen, roll.then):
        page.compute(share.compute(event).success, compare_walks, fields, beside)
    share.compute(steps.release)
    page.compute(here.select, compare_walks, fields, beside)  # not before the tab opens


def _build_prior(page: Page) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            result = tiles(words, elem_id="vae-digits", **page.first(draw, "vae-2d", 35, 0))
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "vae-prior-model")
            count = tr(gr.Slider(1, MAX_COUNT, 35, step=1, elem_id="vae-count"), "vae.count")
            seed, roll = dice(words, 0, "vae-prior-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-draw"), "vae.draw")
    fields = {"model": model, "count": count, "seed": seed}
    with left:
        about = {"table": tables.samples, "code": code.samples, **DRAWING}
        share = Share(page, "prior", draw, fields, [result], **about)
    share.follows(button.click, model.input, count.release, seed.submit, roll.then)
