"""The Transformer tab: Shakespeare continued, and Chinese verse by form, title and first line."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from aigc_demo.inference import text_mode
from aigc_demo.inference.transformer import LONGEST_LINE
from aigc_demo.names import POEM_TOP_P, TEMPERATURE, TITLE_GUIDANCE, TOP_P
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.hub_panel import TOLD, add_other_weights
from aigc_demo.ui.page.page import LOCAL, WRITING, Page, several, throw
from aigc_demo.ui.page.share import TEXT, Share
from aigc_demo.ui.transformer import code
from aigc_demo.ui.transformer.couplets import build_couplets
from aigc_demo.ui.transformer.gaps import build_gaps
from aigc_demo.ui.transformer.inside import build_inside
from aigc_demo.ui.transformer.ngram import build_ngram
from aigc_demo.ui.transformer.reading import add_reading
from aigc_demo.ui.transformer.requests import (
    MAX_LENGTH,
    MOST_GUIDANCE,
    POEM_SEED,
    PROMPTS,
    TITLES,
    change_script,
    continue_text,
    write_poem,
)
from aigc_demo.ui.transformer.slots import add_slots


def build_transformer_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="transformer-tasks", elem_classes="tasks", overflow_behavior="wrap"):
        with tr(gr.Tab(id="shakespeare"), "transformer.shakespeare_tab"):
            play, writer = _build_shakespeare(page)
        with tr(gr.Tab(id="poems"), "transformer.poems_tab"):
            poem, poet = _build_poems(page)
        with tr(gr.Tab(id="couplets"), "couplets.tab") as here:
            build_couplets(page, here)
        with tr(gr.Tab(id="ngram"), "ngram.tab") as here:
            build_ngram(page, here)
        with tr(gr.Tab(id="gaps"), "gaps.tab") as here:
            build_gaps(page, here)
        with tr(gr.Tab(id="inside"), "transformer.inside_tab") as inside:
            build_inside(page, inside, [play, poem, writer, poet])
    add_other_weights(page, "transformer.writer", "transformer.poet", "through.model")
    tr(gr.Markdown(elem_classes="hint"), "transformer.notice")
    page.lesson("transformer")


def _when_opened(page: Page, share: Share) -> Any:
    """Writes a first text when the model's tab opens; what is already there, or asked for by a
    link, stays."""
    handler, outputs = share.linked(share.handler), share.outputs

    async def write_first(models: Models, words: Words, shown, link, *values) -> AsyncIterator[Any]:
        if shown or link:
            yield tuple(gr.skip() for _ in outputs)
            return
        async for text in handler(models, words, *values):
            yield text

    assert page.tab is not None
    options = {"show_progress": "hidden", **WRITING}
    inputs = [outputs[0], share.bar, *share.inputs]
    return page.compute(page.tab.select, write_first, inputs, outputs, opening=True, **options)


def _sampling(page: Page, temperature: float, top_p: float, seed: int, name: str) -> dict:
    """Adds the sampling settings."""
    tr = page.words.tr
    return {
        "temperature": tr(gr.Slider(0, 2, temperature, step=0.05), "transformer.temperature"),
        "top_k": tr(gr.Slider(0, 200, 0, step=1), "transformer.top_k"),
        "top_p": tr(gr.Slider(0.05, 1, top_p, step=0.05), "transformer.top_p"),
        "penalty": tr(gr.Slider(1, 2, 1, step=0.05), "transformer.penalty"),
        "seed": tr(gr.Number(seed, precision=0, elem_id=f"{name}-seed"), "page.seed"),
    }


def _writing(page: Page, name: str) -> list[gr.Button]:
    """The buttons Write, Another (with a new seed) and Stop."""
    with gr.Row(equal_height=True):
        buttons = {
            "write": gr.Button(variant="primary", elem_id=f"{name}-write", min_width=80),
            "again": gr.Button(elem_id=f"{name}-again", min_width=80),
            "stop": gr.Button(variant="stop", elem_id=f"{name}-stop", min_width=80),
        }
    return [page.words.tr(button, f"transformer.{key}") for key, button in buttons.items()]


def _choice(page: Page, name: str, key: str) -> gr.Radio:
    """Who writes; there is a choice as soon as other weights were fetched."""
    return page.words.tr(gr.Radio(value=name, visible=False, elem_id=f"{name}-model"), key)


def _share(
    page: Page, name: str, handler: Callable, made_by: Callable, fields: dict, widgets: list
) -> Share:
    """The bar of a text. fields: as the handler takes them, by the names that a link gives them."""
    mode = text_mode(verse=name == "poems")
    about: dict[str, Any] = {"mode": mode, "saves": TEXT, "code": made_by}
    return Share(page, name, handler, fields, widgets, **about, **WRITING)


def _connect(page: Page, triggers: list, buttons: list, share: Share) -> list:
    """Streams on each trigger, on Another after a new seed, and for a link, until Stop.

    Returns the events that write.
    """
    write, again, stop = buttons
    first = _when_opened(page, share)
    options = {"show_progress": "minimal", "cancels": [first]}
    starts = several(write.click, *triggers, throw(again.click, share.inputs[-1]).then)
    events = [share.compute(start, trigger_mode="once", **options) for start in starts]
    events.append(share.opens(**options))
    stop.click(None, None, None, cancels=[first, *events], api_visibility="private")
    return [first, *events]


def _build_shakespeare(page: Page) -> tuple[gr.Textbox, gr.Radio]:
    """Adds the writer of plays; returns where its text stands, and who writes it."""
    tr = page.words.tr
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            text = tr(
                gr.Textbox(
                    lines=14,
                    max_lines=22,
                    interactive=False,
                    buttons=["copy"],
                    elem_id="shakespeare-text",
                    elem_classes="manuscript",
                ),
                "transformer.text",
            )
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "shakespeare", "transformer.writer")
            prompt = tr(
                gr.Textbox(PROMPTS[0], lines=2, max_lines=6, elem_id="shakespeare-prompt"),
                "transformer.prompt",
            )
            _add_examples(model, prompt)
            buttons = _writing(page, "shakespeare")
            length = tr(gr.Slider(1, MAX_LENGTH, 300, step=1), "transformer.length")
            with tr(gr.Accordion(open=False), "page.more"):
                sampling = _sampling(page, TEMPERATURE, TOP_P, 1, "shakespeare")
    opens_with = f"(model, prompt) => {TOLD}?.opening ?? prompt"
    model.input(None, [model, prompt], prompt, js=opens_with, api_visibility="private")
    with left:
        fields = {"model": model, "prompt": prompt, "length": length, **sampling}
        share = _share(page, "shakespeare", continue_text, code.play, fields, [text])
        add_slots(page)
    _connect(page, [sampling["seed"].submit], buttons, share)
    return text, model


def _add_examples(model: gr.Radio, prompt: gr.Textbox) -> None:
    """Prompts to try, each as a button; those of a guest are from its own text."""
    first = [example.split("\n")[0].rstrip(":") for example in PROMPTS]
    with gr.Row(elem_classes="examples"):
        buttons = [gr.Button(name, size="sm", min_width=90) for name in first]
    for place, (button, example) in enumerate(zip(buttons, PROMPTS, strict=True)):
        taken = f"(model) => {TOLD}?.examples[{place}] ?? {json.dumps(example)}"
        button.click(None, model, prompt, js=taken, **LOCAL)
    named = f"""(model) => {json.dumps(first)}.map((bundled, place) => {{
      const own = {TOLD}?.examples;
      const text = own ? (own[place] ?? "").split("\\n")[0].replace(/:$/, "") : bundled;
      const value = text.length > 24 ? `${{text.slice(0, 23)}}…` : text;
      return {{ __type__: "update", value, visible: Boolean(text) }};
    }})"""
    model.change(None, model, buttons, js=named, **LOCAL)


def _build_poems(page: Page) -> tuple[gr.Textbox, gr.Radio]:
    """Adds the writer of verse; returns where its poem stands, and who writes it."""
    tr = page.words.tr
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            text = tr(
                gr.Textbox(
                    lines=6,
                    max_lines=12,
                    interactive=False,
                    buttons=["copy"],
                    elem_id="poems-text",
                    elem_classes="verse",
                ),
                "transformer.poem",
            )
            poem = gr.Textbox("", visible=False)  # in the browser: any server can change its script
            script = tr(gr.Radio(value="simplified", elem_id="poems-script"), "transformer.script")
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "poems", "transformer.poet")
            form = tr(gr.Radio(value="七绝", elem_id="poems-form"), "transformer.form")
            title = tr(
                gr.Textbox("春江", max_lines=1, max_length=LONGEST_LINE, elem_id="poems-title"),
                "transformer.title",
            )
            with gr.Row(elem_classes="examples"):
                for example, key in TITLES.items():
                    button = tr(gr.Button(size="sm", min_width=90), f"transformer.{key}")
                    script_of = f'() => "{example}"'
                    button.click(None, None, title, js=script_of, api_visibility="private")
            slider = gr.Slider(0, MOST_GUIDANCE, TITLE_GUIDANCE, step=0.5, elem_id="poems-guidance")
            guidance = tr(slider, "transformer.guidance")
            heads = tr(gr.Textbox("", max_lines=1, elem_id="poems-heads"), "transformer.heads")
            regulated = tr(gr.Checkbox(True, elem_id="poems-regulated"), "transformer.regulated")
            buttons = _writing(page, "poems")
            with tr(gr.Accordion(open=False), "page.more"):
                line = tr(gr.Textbox("", max_lines=1, elem_id="poems-line"), "transformer.line")
                sampling = _sampling(page, TEMPERATURE, POEM_TOP_P, POEM_SEED, "poems")
    fields = {
        "model": model,
        "form": form,
        "title": title,
        "heads": heads,
        "regulated": regulated,
        "script": script,
        "line": line,
        "guidance": guidance,
        **sampling,
    }
    triggers = [title.submit, heads.submit, line.submit, sampling["seed"].submit]
    with left:
        share = _share(page, "poems", write_poem, code.poem, fields, [text, poem])
        add_slots(page)
    written = _connect(page, triggers, buttons, share)
    with left:
        add_reading(page, poem, form, script, written)
    page.compute(script.input, change_script, [poem, script], text, show_progress="hidden")
    return text, model
