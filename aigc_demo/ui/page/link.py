"""The content of a link: the values of a result's fields, and the engine that computed it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.query import Codec, codec, decode, encode

HASH = 8  # hexadecimal digits of the weights' SHA-256 that a link holds
HASHES = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
NONSENSE = (ArithmeticError, AttributeError, TypeError, ValueError)  # what a client's can raise
# The numbers that text is computed in, and "-2" for the second way of drawing tokens by a seed.
NUMBERS = ("bfloat16", "float32", "int8")
MODES = (*NUMBERS[:2], *(f"{name}-{version}" for version in (2, 3) for name in NUMBERS))


@dataclass(frozen=True)
class Fields:
    """The fields that a result is computed from, by their names in a link.

    by_name: the components.
    first: values that the page opens with, where the components do not hold them.
    examples: the same for some models, where these open with others.
    used: which of the fields a result depends on, by their values; where it is not all.
    codecs: of fields that `codec` of query.py does not know.
    """

    by_name: Mapping[str, Any]
    first: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    used: Callable[[Mapping[str, Any]], Iterable[str]] | None = None
    codecs: Mapping[str, Codec] = field(default_factory=dict)


class Link:
    """Writes the query of a link to a result of a task, and reads it.

    Args:
        models: which know the hash of each model's weights.
        tab: the names of tab and task, with a dot between.
        fields: what the result is computed from.
        model: the model, where none of the fields says which.
        mode: the numbers that it is computed in, of MODES.
    """

    def __init__(self, models: Models, tab: str, fields: Fields, model: str, mode: str) -> None:
        self.models, self.tab, self.fields = models, tab, fields
        self.model, self.mode = model, mode
        self.names = list(fields.by_name)
        self.codecs = {
            name: fields.codecs.get(name) or codec(name, part)
            for name, part in fields.by_name.items()
        }
        self.first = {name: part.value for name, part in fields.by_name.items()}
        self.first |= fields.first

    def about(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The parameters that every link has; the model may be one of the result's fields."""
        name = values.get("model", self.model)
        if not name:
            return {"tab": self.tab}  # no weights have to do with it
        known = {} if "model" in values else {"model": name}
        weights = self.models.hash(name)[:HASH]
        return {"tab": self.tab, **known, "weights": weights, "mode": self.mode}

    def query(self, values: tuple) -> str:
        """The query of the link to a result; none where the model is damaged."""
        named = dict(zip(self.names, values, strict=True))
        try:
            if self.fields.used:
                named = {name: named[name] for name in self.fields.used(named)}
            return encode(self.about(named), named, self.codecs)
        except NONSENSE:  # in a field that the handler does not read
            return ""

    def restore(self, query: Any, words: Words, language: Any) -> tuple[tuple, list[str]]:
        """The fields' values by a query, and sentences about what is wrong with it."""
        opened = decode(query, self.codecs)
        example = self.fields.examples.get(opened.values.get("model", ""), {})
        values = {**self.first, **example, **opened.values}
        here, wrong = self.about(values), []
        for name, said in opened.about.items():
            if name == "weights" and HASHES.fullmatch(said):
                if not said.startswith(here.get(name, said)):
                    wrong.append(words.say(language, "error.other_weights"))
            elif name == "mode" and said in MODES:
                if said != self.mode:
                    wrong.append(
                        words.say(language, "error.other_mode", theirs=said, here=self.mode)
                    )
            elif said != here.get(name):
                opened.left_out.append(name)
        if opened.left_out:
            names = "、" if language == "zh" else ", "
            told = names.join(_told(name, words, language) for name in opened.left_out)
            wrong.insert(0, words.say(language, "error.left_out", names=told))
        return tuple(values[name] for name in self.names), wrong


def _told(name: str, words: Words, language: Any) -> str:
    """A parameter's name as a notice tells it; toasts would show a stranger's HTML."""
    if f"name.{name}" in words.table["en"]:
        return words.say(language, f"name.{name}")
    return name if name.isascii() and name.isidentifier() and len(name) <= 20 else "?"
