"""The Transformer tab: Shakespeare continued, and Chinese verse by form, title and first line."""

import asyncio
import time
from collections.abc import AsyncIterator
from inspect import signature
from typing import Any

import gradio as gr

from aigc_demo.inference import text_mode
from aigc_demo.inference.transformer import Text, TextWriter, set_in_lines, to_simplified
from aigc_demo.prosody import COMMA, FORMS, STOP
from aigc_demo.ui import check
from aigc_demo.ui.layout import WRITING, Page, several, throw
from aigc_demo.ui.models import Models
from aigc_demo.ui.other_weights import add_other_weights
from aigc_demo.ui.share import TEXT, Share
from aigc_demo.ui.text_inside import build_inside
from aigc_demo.ui.widgets import together
from aigc_demo.ui.words import Words

LONGEST_PROMPT = 2_000
LONGEST = 1_000  # new characters
SCRIPTS = ("simplified", "traditional")
PROMPTS = ("ROMEO:\n", "To be, or not to be", "KING RICHARD III:\nNow is the winter")
POEM_SEED = 27  # of the poem that the tab opens with
UPDATES, FEWEST = 25, 5  # streamed updates a second: of a text alone, and where many wait
BESIDES = 20  # times as long as an update took, the time to the next
FIRST = 200  # looks a second for the first character


async def paced(writing: Text) -> AsyncIterator[str]:
    """The text so far, not oftener than the page can show it; the whole text last.

    No thread waits meanwhile, and a visitor who leaves frees the place.
    """
    shown, pause = "", 1 / FIRST
    try:
        while True:
            done, text = writing.done, writing.so_far
            if done or text != shown:
                shown, begun = text, time.perf_counter()
                yield text  # until it is sent
                took = time.perf_counter() - begun
                pause = min(max(1 / UPDATES, BESIDES * took), 1 / FEWEST)
            if done:
                return
            await asyncio.sleep(pause)
    finally:
        writing.leave()


def shape_of(temperature, top_k, top_p) -> dict:
    """What shapes the next token's distribution; 0 for top-k and 1 for top-p mean: off."""
    return {
        "temperature": check.real(temperature, "temperature", 0, 2),
        "top_k": check.whole(top_k, "top_k", 0, 200) or None,
        "top_p": check.real(top_p, "top_p", 0.05, 1),
    }


def settings_of(temperature, top_k, top_p, penalty, seed) -> dict:
    """The settings that both writers share."""
    return {
        **shape_of(temperature, top_k, top_p),
        "repetition_penalty": check.real(penalty, "penalty", 1, 5),
        "seed": check.seed(seed),
    }


async def ready(models: Models, name: str) -> TextWriter:
    """A writer. One from the Hub may have to be loaded again, which others need not wait for."""
    if name not in models.others:
        return models.writer(name)

    def load() -> TextWriter:
        writer = models.writer(name)
        _ = writer.engine
        return writer

    return await asyncio.to_thread(load)


async def continue_text(
    models: Models, words: Words, model, prompt, length, temperature, top_k, top_p, penalty, seed
) -> AsyncIterator[str]:
    """The prompt with its continuation, growing."""
    model = models.known(model, ("shakespeare",))
    prompt = check.text(prompt, "prompt", LONGEST_PROMPT)
    if not prompt:
        raise check.Complaint("error.empty_prompt")
    length = check.whole(length, "length", 1, LONGEST)
    settings = settings_of(temperature, top_k, top_p, penalty, seed)
    writing = (await ready(models, model)).begin(prompt, length, **settings)
    async for text in paced(writing):
        yield prompt + text


async def write_poem(
    models: Models,
    words: Words,
    model,
    form,
    title,
    heads,
    regulated,
    script,
    line,
    temperature,
    top_k,
    top_p,
    penalty,
    seed,
) -> AsyncIterator[tuple[str, str]]:
    """A poem, growing: as displayed, and in traditional characters for a later change of script.

    heads: the characters that its lines begin with (藏头); regulated: held to the rules (格律).
    """
    model = models.known(model, ("poems",))
    script = check.one_of(script, "script", SCRIPTS)
    asked = begun(form, title, line, heads, regulated)
    settings = settings_of(temperature, top_k, top_p, penalty, seed)
    form, title = asked[:2]
    poet = await ready(models, model)
    if form not in poet.forms:
        raise check.Complaint("error.no_form")
    writing = poet.begin_poem(*asked, **settings)
    async for text in paced(writing):
        poem = (f"《{title}》\n" if title else "") + set_in_lines(text)
        yield in_script(poem, script), poem


def begun(form, title, line, heads, regulated) -> tuple[str, str, str, str, bool]:
    """What a poem is asked to be, checked: form, title, first line, acrostic, held to the rules."""
    form = check.one_of(form, "form", tuple(FORMS))
    title = check.text(title, "title", 16).strip()
    line, heads = check.text(line, "line", 20), check.text(heads, "heads", 20)
    first, acrostic = "".join(line.split()).rstrip("，。,."), "".join(heads.split())
    if len(first) > FORMS[form].characters:
        raise check.Complaint("error.long_line", form=form)
    if len(acrostic) > FORMS[form].lines:
        raise check.Complaint("error.long_acrostic", form=form)
    if any(mark in first + acrostic for mark in COMMA + STOP):
        raise check.Complaint("error.marks")
    if first and acrostic and to_simplified(first[0]) != to_simplified(acrostic[0]):
        raise check.Complaint("error.two_beginnings")
    return form, title, line, heads, check.yes_or_no(regulated, "regulated")


def in_script(poem: str, script: str) -> str:
    """A poem in the script that the visitor reads."""
    return to_simplified(poem) if script == "simplified" else poem


def change_script(models: Models, words: Words, poem, script) -> str:
    """The poem on the page in the other script; nothing is written anew."""
    poem = check.text(poem, "title", 1_000)
    return in_script(poem, check.one_of(script, "script", SCRIPTS))


def writing_now(models: Models) -> dict[str, int]:
    """How many texts are written together, and how many wait."""
    writing, waiting = models.writing()
    return {"writing": writing, "waiting": waiting}


def build_transformer_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="transformer-tasks", elem_classes="tasks", overflow_behavior="wrap"):
        with tr(gr.Tab(id="shakespeare"), "transformer.shakespeare_tab"):
            play = _build_shakespeare(page)
        with tr(gr.Tab(id="poems"), "transformer.poems_tab"):
            poem = _build_poems(page)
        with tr(gr.Tab(id="inside"), "transformer.inside_tab") as inside:
            build_inside(page, inside, [play, poem])
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
    return page.compute(page.tab.select, write_first, inputs, outputs, **options)


def _sampling(page: Page, temperature: float, top_p: float, seed: int, name: str) -> list:
    """How the next character is drawn, the seed last."""
    tr = page.words.tr
    return [
        tr(gr.Slider(0, 2, temperature, step=0.05), "transformer.temperature"),
        tr(gr.Slider(0, 200, 0, step=1), "transformer.top_k"),
        tr(gr.Slider(0.05, 1, top_p, step=0.05), "transformer.top_p"),
        tr(gr.Slider(1, 2, 1, step=0.05), "transformer.penalty"),
        tr(gr.Number(seed, precision=0, elem_id=f"{name}-seed"), "page.seed"),
    ]


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


def _share(page: Page, name: str, handler, fields: list, widgets: list) -> Share:
    """The bar of a text. fields: as the handler takes them, named by its own arguments."""
    names = list(signature(handler).parameters)[2:]
    named = dict(zip(names, fields, strict=True))
    about: dict[str, Any] = {"mode": text_mode(), "saves": TEXT}
    return Share(page, name, handler, named, widgets, **about, **WRITING)


def _connect(page: Page, triggers: list, buttons: list, share: Share) -> None:
    """Streams on each trigger, on Another after a new seed, and for a link, until Stop."""
    write, again, stop = buttons
    first = _when_opened(page, share)
    options = {"show_progress": "minimal", "cancels": [first], "trigger_mode": "once"}
    starts = several(write.click, *triggers, throw(again, share.inputs[-1]).then)
    events = [share.compute(start, **options) for start in starts]
    events.append(share.opens(**options))
    stop.click(None, None, None, cancels=[first, *events], api_visibility="private")


def _build_shakespeare(page: Page) -> gr.Textbox:
    """Adds the writer of plays; returns where its text stands."""
    tr = page.words.tr
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300) as left:
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
            with gr.Row(elem_classes="examples"):
                for example in PROMPTS:
                    name = example.split("\n")[0].rstrip(":")
                    button = gr.Button(name, size="sm", min_width=90)
                    value = example.encode("unicode_escape").decode()
                    button.click(
                        None, None, prompt, js=f'() => "{value}"', api_visibility="private"
                    )
            buttons = _writing(page, "shakespeare")
            length = tr(gr.Slider(1, LONGEST, 300, step=1), "transformer.length")
            with tr(gr.Accordion(open=False), "page.more"):
                sampling = _sampling(page, 0.8, 0.95, 1, "shakespeare")
    with left:
        fields = [model, prompt, length, *sampling]
        share = _share(page, "shakespeare", continue_text, fields, [text])
        together(page.words, server_functions=[page.serve(writing_now)])
    _connect(page, [sampling[-1].submit], buttons, share)
    return text


def _build_poems(page: Page) -> gr.Textbox:
    """Adds the writer of verse; returns where its poem stands."""
    tr = page.words.tr
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300) as left:
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
                gr.Textbox("春江", max_lines=1, max_length=16, elem_id="poems-title"),
                "transformer.title",
            )
            heads = tr(gr.Textbox("", max_lines=1, elem_id="poems-heads"), "transformer.heads")
            regulated = tr(gr.Checkbox(True, elem_id="poems-regulated"), "transformer.regulated")
            buttons = _writing(page, "poems")
            with tr(gr.Accordion(open=False), "page.more"):
                line = tr(gr.Textbox("", max_lines=1, elem_id="poems-line"), "transformer.line")
                sampling = _sampling(page, 0.8, 0.9, POEM_SEED, "poems")
    inputs = [model, form, title, heads, regulated, script, line, *sampling]
    triggers = [title.submit, heads.submit, line.submit, sampling[-1].submit]
    with left:
        share = _share(page, "poems", write_poem, inputs, [text, poem])
        together(page.words, server_functions=[page.serve(writing_now)])
    _connect(page, triggers, buttons, share)
    page.compute(script.input, change_script, [poem, script], text, show_progress="hidden")
    return text
