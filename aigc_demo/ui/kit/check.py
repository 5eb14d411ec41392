"""Checks of all that a client sends; a wrong input is answered in one sentence."""

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction
from typing import Any

import gradio as gr

from aigc_demo.tokenizer import UnknownCharacters
from aigc_demo.ui.kit.words import Words

DIGITS = tuple("0123456789")
PINNED = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}@[0-9a-f]{40}")  # on the Hub, or own/FOLDER
HIGHEST_SEED = 2**53 - 1  # the whole numbers that a browser holds exactly


class UserError(ValueError):
    """A wrong input: the key of a sentence, and the values in it."""

    def __init__(self, key: str, **values: Any) -> None:
        self.key, self.values = key, values
        super().__init__(key)


def whole(value: Any, name: str, low: int, high: int) -> int:
    """A whole number in a range. `name` is a key under "name." in words.*.json."""
    number = real(value, name, low, high)
    if number != int(number):
        raise UserError("error.whole", name=name, low=low, high=high)
    return int(number)


def real(value: Any, name: str, low: float, high: float) -> float:
    """A finite number in a range."""
    wrong = isinstance(value, bool) or not isinstance(value, int | float)
    if wrong or not low <= value <= high:  # NaN is in no range
        raise UserError("error.range", name=name, low=low, high=high)
    return value


def seed(value: Any) -> int:
    return whole(value, "seed", 0, HIGHEST_SEED)


def text(value: Any, name: str, longest: int) -> str:
    """A text of at most so many characters."""
    if not isinstance(value, str) or len(value) > longest:
        raise UserError("error.text", name=name, longest=longest)
    return value


def one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """A value of a fixed list."""
    if not isinstance(value, str) or value not in allowed:
        raise UserError("error.choice", name=name, allowed=", ".join(allowed))
    return value


def yes_or_no(value: Any, name: str) -> bool:
    """A switch."""
    if not isinstance(value, bool):
        raise UserError("error.switch", name=name)
    return value


def digit(value: Any) -> int:
    """One of the ten digits, as a choice of the page."""
    return int(one_of(value, "digits", DIGITS))


def digits(value: Any, most: int) -> list[int]:
    """The digits of a number typed as text, such as 2026."""
    typed = "".join(text(value, "number", 100).split())
    if not 0 < len(typed) <= most or any(c not in "0123456789" for c in typed):
        raise UserError("error.digits", most=most)
    return [int(c) for c in typed]


_language: ContextVar[Any] = ContextVar("language", default="en")  # of who is being answered


def note(words: Words, key: str, **values: Any) -> None:
    """Tells the visitor something beside the result, in the visitor's language."""
    gr.Info(
        words.say(_language.get(), key, **values), title=words.say(_language.get(), "note.title")
    )


def answered(words: Words, handler: Callable) -> Callable:
    """The handler with the visitor's language as a last argument, and its errors as toasts.

    Results stay as they are after a complaint: nothing is lost.
    """

    @wraps(handler)
    def run(*values: Any) -> Any:
        _language.set(values[-1])
        with said_to_the_client(words, values[-1], titled=True):
            return handler(*values[:-1])

    @wraps(handler)
    async def write(*values: Any) -> Any:
        _language.set(values[-1])
        with said_to_the_client(words, values[-1], titled=True):
            async for answer in handler(*values[:-1]):
                yield answer

    chosen = write if isasyncgenfunction(handler) else run
    del chosen.__wrapped__  # type: ignore[attr-defined]  # Gradio counts its own arguments
    return chosen


@contextmanager
def said_to_the_client(words: Words, language: Any, titled: bool = False) -> Iterator[None]:
    """Turns any error into a gr.Error: one sentence in the client's language.

    titled: with a title that says whose fault it is, as the page's toasts have one.
    """
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        told: dict[str, Any] = {}
        if titled:
            ours = not isinstance(error, UserError | UnknownCharacters)
            told["title"] = words.say(language, "error.fault_title" if ours else "error.title")
        raise gr.Error(explain(words, error, language), print_exception=False, **told) from error


def explain(words: Words, error: Exception, language: Any) -> str:
    """One clear sentence in the visitor's language: about a wrong input, or that a fault is ours.

    The fault itself goes to the log, with its traceback.
    """
    if isinstance(error, UserError):
        values = dict(error.values)
        if "name" in values:
            values["name"] = words.say(language, f"name.{values['name']}")
        return words.say(language, error.key, **values)
    if isinstance(error, UnknownCharacters):
        seen = (c if c.isprintable() and c != " " else f" U+{ord(c):04X}" for c in error.characters)
        return words.say(language, "error.unknown_characters", characters="".join(seen)[:40])
    traceback.print_exception(error)
    return words.say(language, "error.fault")


def explained(words: Words, error: UserError) -> dict[str, str]:
    """What is wrong with an input, in every language, for a widget that shows it itself."""
    return {language: explain(words, error, language) for language in words.table}
