"""The selection of the Transformer's inside views: a text as its model reads it, a token in it."""

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from aigc_demo.explain import transformer as inside
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.names import WRITERS
from aigc_demo.tokenizer import UnknownCharacters
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import code_of, settled
from aigc_demo.ui.page.page import FORMULAS, Update

MAX_CHARACTERS = 2_000  # characters
LAST = 9_999  # the place of the last token of any text


@dataclass(frozen=True)
class Fields:
    """The fields that say what is looked at."""

    model: gr.Radio
    text: gr.Textbox
    place: gr.HTML  # of a token
    layer: gr.Number
    head: gr.Number
    changed: list[Any] = field(default_factory=list)  # events after which the text is another one
    moved: list[Any] = field(default_factory=list)  # after which token, layer or head is

    @property
    def all(self) -> list[Any]:
        return [self.model, self.text, self.place, self.layer, self.head]


Asked = tuple[TextWriter, inside.Reading, int]


def asked(models: Models, model, text, place=None) -> Asked:
    """The writer, the text as it reads it, and the token that is looked at; None: the last one."""
    writer = models.writer(models.known(model, WRITERS))
    text = check.text(text, "text", MAX_CHARACTERS)
    if not writer.tokenizer.fold(text).strip():
        raise check.UserError("error.empty_prompt")
    try:
        reading = inside.read(writer, text)
    except UnknownCharacters:
        raise
    except ValueError:
        raise check.UserError("error.no_verse") from None
    last = len(reading.ids) - 1
    place = last if place is None else min(check.whole(place, "token", 0, LAST), last)
    return writer, reading, place


def older(writer: TextWriter) -> bool:
    """True for a GPT-2: learned positions, LayerNorm and GELU instead of ours."""
    return type(writer.model).__name__ == "GPT2"


def model_code(writer: TextWriter, name: str, marks: tuple[str, ...]) -> Update:
    """A piece of the file that defines the writer's model, lines marked; "Model" is its class."""
    kind = type(writer.model)
    path = f"models/{kind.__module__.rpartition('.')[2]}.py"
    return code_of(path, name.replace("Model", kind.__name__), marks)


def part_of(writer: TextWriter, layer: Any, head: Any = 1) -> tuple[int, int]:
    """A layer and one of its heads, from 0; of a smaller model the last there is."""
    config = writer.model.config
    layer = check.whole(layer, "layer", 1, 99)
    head = check.whole(head, "head", 1, 99)
    return min(layer, config.layers) - 1, min(head, config.heads) - 1


def show_tokens(models: Models, words: Words, model, text, chosen=None) -> Update:
    """The text token by token, with ids and positions, one of them chosen; None: the last one."""
    asked_for = chosen
    writer, reading, chosen = asked(models, model, text, chosen)

    def instead(name: str) -> str:
        return f" ({reading.stand_ins[name]})" if name in reading.stand_ins else ""

    listed = [
        {
            "text": name,
            "note": f"id {token}{instead(name)}, t = {place}",
            "role": "" if place >= reading.first else "given",
        }
        for place, (name, token) in enumerate(zip(reading.names, reading.ids, strict=True))
    ]
    size = f"{len(writer.tokenizer):,}"
    told = {"count": len(listed), "vocabulary": size}
    if reading.cut:
        texts = words.both("through.tokens_cut", cut=f"{reading.cut:,}", **told)
    else:
        texts = words.both("through.tokens", **told)
    return settled(asked_for, chosen, tokens=listed, texts=texts)


def formula_of(name: str) -> gr.Markdown:
    """A place for a formula."""
    return gr.Markdown(latex_delimiters=FORMULAS, elem_classes="formula", elem_id=f"through-{name}")
