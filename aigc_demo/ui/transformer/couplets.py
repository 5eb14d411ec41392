"""Couplets (对联): several second lines to a first line of five or seven characters."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import gradio as gr

from aigc_demo.inference import text_mode
from aigc_demo.inference.transformer import LONGEST_LINE
from aigc_demo.inference.verse import ANSWERING
from aigc_demo.inference.writing.text import Generation
from aigc_demo.names import COUPLETS, POEM_TOP_P, TEMPERATURE
from aigc_demo.tokenizer import characters_of
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import LOCAL, WRITING, Page, dice
from aigc_demo.ui.page.share import TEXT, Share
from aigc_demo.ui.transformer import code
from aigc_demo.ui.transformer.requests import SCRIPTS, in_script, paced_beside, ready, stood_in

EXAMPLES = ("两岸猿声啼不住", "白日依山尽", "春风又绿江南岸")


async def answering(models: Models, line, temperature, seed, count=COUPLETS) -> list[Generation]:
    """So many second lines that are being written, by fields that are checked."""
    line = characters_of(check.text(line, "line", LONGEST_LINE))
    if len(line) not in ANSWERING:
        raise check.UserError("error.couplet_line", got=len(line))
    temperature, seed = check.real(temperature, "temperature", 0, 2), check.seed(seed)
    poet = await ready(models, models.known("poems", ("poems",)))
    if ANSWERING[len(line)] not in poet.forms:
        raise check.UserError("error.no_form")
    return [
        poet.begin_couplet(line, temperature, top_p=POEM_TOP_P, seed=seed + place)
        for place in range(count)
    ]


async def answer_line(
    models: Models, words: Words, line, script, temperature, seed
) -> AsyncIterator[str]:
    """The first line, and below it the second ones as they grow, of this seed and the next."""
    script = check.one_of(script, "script", SCRIPTS)
    texts = await answering(models, line, temperature, seed)
    stood_in(words, texts[0])
    async with aclosing(paced_beside(texts)) as found:
        async for lines in found:
            yield in_script("\n".join([texts[0].prompt, "", *lines]), script)


def build_couplets(page: Page, here: gr.Tab) -> None:
    """Adds the view's components and events."""
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="result") as left:
            text = gr.Textbox(
                lines=COUPLETS + 2,
                max_lines=COUPLETS + 2,
                interactive=False,
                buttons=["copy"],
                elem_id="couplets-text",
                elem_classes="verse",
            )
            tr(text, "couplets.text")
            script = gr.Radio(value="simplified", elem_id="couplets-script")
            tr(script, "transformer.script")
        with gr.Column(scale=2, min_width=280):
            line = gr.Textbox(EXAMPLES[0], max_lines=1, elem_id="couplets-line")
            tr(line, "couplets.line")
            with gr.Row(elem_classes="examples"):
                buttons = [gr.Button(example, size="sm", min_width=90) for example in EXAMPLES]
            seed, roll = dice(words, 1, "couplets-seed")
            button = tr(gr.Button(variant="primary", elem_id="couplets-write"), "transformer.write")
            with tr(gr.Accordion(open=False), "page.more"):
                heat = tr(gr.Slider(0, 2, TEMPERATURE, step=0.05), "transformer.temperature")
    tr(gr.Markdown(elem_classes="hint"), "couplets.hint")
    fields = {"line": line, "script": script, "temperature": heat, "seed": seed}
    about: dict[str, Any] = {"model": "poems", "mode": text_mode(verse=True), "saves": TEXT}
    about["code"] = code.couplet
    with left:
        share = Share(
            page, "couplets", answer_line, fields, [text], there=False, **about, **WRITING
        )
    starts = (button.click, line.submit, script.input, heat.release, seed.submit, roll.then)
    share.follows(*starts, tab=here)
    for example, one in zip(EXAMPLES, buttons, strict=True):
        chosen = one.click(None, None, line, js=f"() => {json.dumps(example)}", **LOCAL)
        share.compute(chosen.then)
