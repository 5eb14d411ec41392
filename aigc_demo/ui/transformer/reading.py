"""A finished poem read closely: tones and rhymes under it, pinyin over it, or set as a picture."""

import gradio as gr

from aigc_demo.prosody import FORMS, Scanned, form_of, lines_of, scan
from aigc_demo.tokenizer import to_simplified
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.transformer.requests import SCRIPTS, in_script
from aigc_demo.ui.transformer.widgets import poem

LOOKS = ("text", "tones", "pinyin", "picture")


def read_poem(models: Models, words: Words, text, form, script, look) -> Update:
    """The poem as the browser shows it; text: the poem in traditional characters."""
    look = check.one_of(look, "look", LOOKS)
    text = check.text(text, "title", 1_000)
    form = FORMS[form_of(_body(text)) or check.one_of(form, "form", tuple(FORMS))]
    lines = lines_of(_body(text))
    if look == "text" or not lines:
        return gr.update(poem=None)
    script = check.one_of(script, "script", SCRIPTS)
    shown = {
        "title": in_script(text[1:].partition("》\n")[0] if text[:1] == "《" else "", script),
        "look": look,
        "lines": [_line(row, look, script) for row in scan(lines, form)],
    }
    return gr.update(poem=shown)


def _body(text: str) -> str:
    """A poem without its title."""
    return text.partition("》\n")[2] if text[:1] == "《" else text


def _line(row: list[Scanned], look: str, script: str) -> list[dict]:
    """The characters of a line for the browser."""
    line = "".join(one.character for one in row)
    sounds: list = [None] * len(row)
    if look == "pinyin":
        from pypinyin import Style, lazy_pinyin  # not before someone asks for it

        sounds = lazy_pinyin(to_simplified(line), Style.TONE, errors=list)  # type: ignore[arg-type]
    return [
        {"name": name, "tone": one.tone, "foot": one.foot, "kept": one.kept, "sound": sound}
        for name, one, sound in zip(in_script(line, script), row, sounds, strict=True)
    ]


def add_reading(
    page: Page, poem_text: gr.Textbox, form: gr.Radio, script: gr.Radio, written: list
) -> None:
    """Adds the choice of a look and the poem in it. written: the events that wrote a poem."""
    look = page.words.tr(gr.Radio(value="text", elem_id="poems-look"), "transformer.look")
    shown = poem(page.words, poem=None, elem_id="poems-read")
    inputs = [poem_text, form, script, look]
    for event in (look.input, script.input, *(event.success for event in written)):
        page.compute(event, read_poem, inputs, shown, show_progress="hidden")
