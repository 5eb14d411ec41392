"""Models that draw classes: their names, the choices of the page, what a visitor ticked."""

import json
from collections.abc import Callable
from typing import Any

from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.hub_panel import TOLD
from aigc_demo.ui.page.page import LOCAL


def in_turn(classes: list[int], count: int) -> list[int] | None:
    """So many labels, of the wanted classes in turn; None where none is wanted."""
    return [classes[i % len(classes)] for i in range(count)] if classes else None


def names_of(sampler: Any) -> list[str]:
    """The names of a model's classes."""
    named = [name or "–" for name in sampler.loaded.class_names]
    return named or [str(i) for i in range(sampler.classes)]


def are_digits(sampler: Any) -> bool:
    """True if the classes are the digits from 0 on, as the judge and the real pictures know them.

    A model without classes draws digits, unless its config says that it learnt others.
    """
    return sampler.loaded.digits and names_of(sampler) == list(check.DIGITS)[: sampler.classes]


def digits_only(sampler: Any) -> None:
    """Refuses a model of other classes where the judge or real digits are to be asked.

    Raises:
        UserError: its classes are not the digits.
    """
    if not are_digits(sampler):
        raise check.UserError("error.not_digits")


def follow_classes(
    words: Words,
    model: Any,
    *fields: Any,
    more: str = "{}",
    before: dict[str, list] | None = None,
) -> Callable:
    """Makes fields offer the classes of the chosen model, by name where it has names.

    What is chosen in a field and unknown to the model is dropped: a list loses it, a single choice
    becomes the first, in further fields the last. Returns the event that comes after all that, once
    a visitor has chosen.

    more: further properties of the fields, as a JavaScript object.
    before: choices by language that stand before the classes.
    """
    event = model.input
    for place, field in enumerate(fields):
        script = _classes_of_model(
            more, before, instead="choices.at(-1)" if place else "choices[0]"
        )
        model.change(None, [model, field], field, js=script, **LOCAL)
        event = event(None, [model, field], field, js=script, **LOCAL).then
        if before:
            words.after_switch.append((model, field, script))
    return event


def _classes_of_model(more: str, before: dict[str, list] | None, instead: str) -> str:
    """The script of a field: (model, chosen); without chosen the value stays as it is."""
    first = (
        f"...{json.dumps(before, ensure_ascii=False)}[document.documentElement.lang.slice(0, 2)],"
        if before
        else ""
    )
    return (
        f"(model, chosen) => {{ const names = {TOLD}?.classes || [];"
        " const known = names.length ? names : [...'0123456789'];"
        f" const choices = [{first}...known.map((name, i) => [name, String(i)])];"
        " const offered = (value) => choices.some(([, choice]) => choice === value);"
        " const kept = Array.isArray(chosen) ? { value: chosen.filter(offered) }"
        f" : chosen === undefined || offered(chosen) ? {{}} : {{ value: {instead}[1] }};"
        f" return {{ __type__: 'update', choices, ...kept, ...{more} }}; }}"
    )


def _labels(sampler: Any) -> tuple[str, ...]:
    """The choices of the page: "0" to "9", or as many as a model of a user's own has."""
    return tuple(map(str, range(max(10, sampler.classes))))


def label_of(sampler: Any, value) -> int:
    """A class as a choice of the page."""
    return int(check.one_of(value, "digits", _labels(sampler)))


def wanted_of(sampler: Any, wanted) -> list[int]:
    """The classes that a visitor ticked; none means all."""
    allowed = _labels(sampler)
    if not isinstance(wanted, list) or len(wanted) > len(allowed):
        raise check.UserError("error.choice", name="digits", allowed=", ".join(allowed))
    return [label_of(sampler, label) for label in wanted]


def known_classes(sampler: Any, labels: list[int]) -> list[int]:
    """The labels, if the model knows them all: own weights may have fewer classes than ten.

    Raises:
        UserError: it does not.
    """
    if not sampler.classes:
        raise check.UserError("error.no_classes")
    if any(label >= sampler.classes for label in labels):
        raise check.UserError("error.classes", names=", ".join(names_of(sampler)))
    return labels


def labels_of(labels: Any) -> list[int]:
    """Reads the classes that a program names: digits as text, or a list."""
    if isinstance(labels, list) and 0 < len(labels) <= 64:
        return [check.whole(label, "digits", 0, 99) for label in labels]
    return check.digits(labels, 64)
