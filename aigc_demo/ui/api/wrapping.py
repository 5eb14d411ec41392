"""Turns a method into an endpoint: errors in the caller's language, documentation for its page."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, cleandoc, isasyncgenfunction, signature
from typing import Any, get_args

import gradio as gr
from gradio.utils import get_function_description

from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import LANGUAGES, Words

LANG = Parameter("lang", Parameter.POSITIONAL_OR_KEYWORD, default="en", annotation=str)
ABOUT_LANG = "    lang: en or zh, the language of the sentence that says what is wrong.\n"


def speaking(words: Words, method: Callable) -> Callable:
    """The method with `lang` as its last parameter, and what is wrong as a sentence in it."""
    shape = _with_lang(method)

    def split(values: tuple, named: dict[str, Any]) -> tuple[Any, tuple]:
        bound = shape.bind(*values, **named)
        bound.apply_defaults()
        return bound.arguments.pop("lang"), tuple(bound.arguments.values())

    @wraps(method)
    def call(*values: Any, **named: Any) -> Any:
        lang, given = split(values, named)
        with check.said_to_the_client(words, lang):
            check.one_of(lang, "lang", LANGUAGES)
            return method(*given)

    @wraps(method)
    async def write(*values: Any, **named: Any) -> Any:
        lang, given = split(values, named)
        with check.said_to_the_client(words, lang):
            check.one_of(lang, "lang", LANGUAGES)
            async for answer in method(*given):
                yield answer

    chosen = write if isasyncgenfunction(method) else call
    chosen.__doc__ = cleandoc(method.__doc__ or "").replace(
        "\n\nReturns:", f"\n{ABOUT_LANG}\nReturns:"
    )
    chosen.__annotations__ = {**method.__annotations__, "lang": str}
    chosen.__signature__ = shape  # type: ignore[attr-defined]  # Gradio reads parameters from it
    return chosen


def _with_lang(method: Callable) -> Signature:
    """The signature with `lang`; of a stream, which yields texts, it names what it yields."""
    shape = signature(method)
    kind = shape.return_annotation
    if isasyncgenfunction(method):
        kind = get_args(kind)[0]
    return shape.replace(parameters=[*shape.parameters.values(), LANG], return_annotation=kind)


def parameters_of(method: Callable) -> dict[str, Any]:
    """An endpoint's parameters, `lang` last, with their defaults; None where there is none."""
    found = [p for p in _with_lang(method).parameters.values() if p.name != "self"]
    return {p.name: None if p.default is p.empty else p.default for p in found}


def document(demo: gr.Blocks, endpoint: Callable, examples: dict[str, Any], **options: Any) -> None:
    """Adds an endpoint whose page says of each parameter what its docstring says.

    examples: what the page's code gives for a parameter without default.
    """
    summary, notes, returns = get_function_description(endpoint)
    event = gr.api(endpoint, api_description=f"{summary} Returns: {' '.join(returns)}", **options)
    for number, (name, note) in zip(event["inputs"], notes.items(), strict=True):
        component: Any = demo.blocks[number]
        component.label = name
        component.api_info()["additional_description"] = note
        if component.value is None:
            component.example_payload = lambda name=name: examples[name]
