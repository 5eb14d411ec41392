"""What a step of a lesson may ask for: sentences of a small vocabulary about what the page shows.

    tab is gan.morph
    digit read by the judge is 7 and seed is not 3
    label agreement over 20 draws > 0.9
    probability of the likeliest token > 0.9

Each is answered from the link to what is shown: a parameter of the link by its name, or something
measured on the result that the link makes.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aigc_demo.explain import transformer as inside
from aigc_demo.explain.branches import candidates, next_logits
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.drawings import drawn_digit
from aigc_demo.ui.page.share import Share

Value = str | float
TERM = re.compile(r"(?P<what>\S.*?) (?P<how>is not|is|contains|>=|<=|>|<) (?P<value>\S.*)")
MOST_TERMS = 4
MOST_DRAWS = 60
DRAWINGS = ("drawing", "image", "drawn")  # parameters of links that hold one


@dataclass(frozen=True)
class Term:
    """One comparison: `what` of MEASURES, "tab", or a parameter of a link."""

    what: str
    how: str
    value: str
    count: int = 0  # the N of "over N draws"


@dataclass(frozen=True)
class Found:
    """Whether a check holds, and the first value that decided against it."""

    holds: bool
    what: str = ""
    value: str = ""


class Unmeasured(ValueError):
    """The result that is shown has nothing of the kind."""


def parse_check(text: str) -> list[Term]:
    """The comparisons of a sentence.

    Raises:
        ValueError: it is none of the vocabulary.
    """
    parts = text.split(" and ")
    if len(parts) > MOST_TERMS:
        raise ValueError(f"expected at most {MOST_TERMS} comparisons in a check, got {len(parts)}")
    return [_parse_term(part) for part in parts]


def _parse_term(text: str) -> Term:
    found = TERM.fullmatch(text.strip())
    if not found:
        expected = "expected a check such as `digit read by the judge is 7`"
        raise ValueError(f"{expected}, got {text[:60]!r}")
    what, how, value = found["what"], found["how"], found["value"].strip()
    counted = re.fullmatch(r"(.+) over (\d{1,3}) draws", what)
    count = int(counted[2]) if counted else 0
    what = counted[1] if counted else what
    if not 0 <= count <= MOST_DRAWS or (counted and what not in DRAWN):
        raise ValueError(f"expected at most {MOST_DRAWS} draws of {', '.join(DRAWN)}, got {text!r}")
    if what not in MEASURES and not re.fullmatch(r"[a-z_]+[A-Z]?", what):
        offered = "; ".join(MEASURES)
        raise ValueError(f"expected a parameter of a link, or one of: {offered}; got {what[:60]!r}")
    if how in (">", "<", ">=", "<=") and _number(value) is None:
        raise ValueError(f"expected a number after {how}, got {value[:20]!r}")
    return Term(what, how, value.strip("\"'") if len(value) > 1 else value, count)


def judge_check(models: Models, share: Share, values: Mapping[str, Any], text: str) -> Found:
    """Answers a check about the result of a share with these fields.

    Raises:
        Unmeasured: it asks for what this result has not.
    """
    for term in parse_check(text):
        value = _value(models, share, values, term)
        if not _holds(term, value):
            return Found(False, term.what, _shown(value))
    return Found(True)


def asks_of(share: Share, text: str) -> list[str]:
    """What of a check a result does not have, by its kind alone."""
    parts = {*share.link.names, "tab", "model"}
    missing = []
    for term in parse_check(text):
        if term.what in MEASURES:
            if not NEEDS[term.what](share):
                missing.append(term.what)
        elif term.what not in parts:
            missing.append(term.what)
    return missing


def _value(models: Models, share: Share, values: Mapping[str, Any], term: Term) -> Value:
    if term.what == "tab":
        return share.tab
    if term.what in MEASURES:
        if not NEEDS[term.what](share):
            raise Unmeasured(term.what)
        if term.count:
            if "count" not in values:
                raise Unmeasured(f"{term.what} over draws")
            values = {**values, "count": term.count}
        return MEASURES[term.what](models, share, values)
    if term.what == "model":
        return str(values.get("model", share.link.model))
    if term.what not in values:
        raise Unmeasured(term.what)
    value = values[term.what]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, int | float) else str(value)


def _number(value: Value) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _holds(term: Term, value: Value) -> bool:
    here, wanted = _number(value), _number(term.value)
    same = here == wanted if None not in (here, wanted) else str(value) == term.value
    match term.how:
        case "is":
            return same
        case "is not":
            return not same
        case "contains":
            return term.value in str(value)
    if here is None or wanted is None:
        return False
    return {">": here > wanted, "<": here < wanted, ">=": here >= wanted, "<=": here <= wanted}[
        term.how
    ]


def _shown(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)[:40]


def _rows(models: Models, share: Share, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The result's table, a dictionary a picture."""
    assert share.table is not None
    try:
        head, *rows = share.table(models, *values.values())
    except ValueError as error:  # such as a class that the model does not know
        raise Unmeasured("the result") from error
    return [dict(zip(head, row, strict=True)) for row in rows]


def _readings(models: Models, share: Share, values: Mapping[str, Any]) -> list[list[float]]:
    """The judge's ten probabilities of each picture."""
    rows = _rows(models, share, values)
    if not rows or "probability_0" not in rows[0]:
        raise Unmeasured("the judge")
    return [[row[f"probability_{digit}"] for digit in range(10)] for row in rows]


def _digits(models: Models, share: Share, values: Mapping[str, Any]) -> list[int]:
    """What the judge reads in each picture."""
    return [row.index(max(row)) for row in _readings(models, share, values)]


def _read(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return Counter(_digits(models, share, values)).most_common(1)[0][0]


def _certainty(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    rows = _readings(models, share, values)
    return sum(map(max, rows)) / len(rows)


def _agreement(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    rows = _rows(models, share, values)
    asked = [row for row in rows if row.get("asked", "") != ""]
    if not asked:
        raise Unmeasured("label agreement")
    return sum(row["asked"] == row["judge_reads"] for row in asked) / len(asked)


def _kinds(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return len(set(_digits(models, share, values)))


def _origin(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    point = values["point"]
    return (point["x"] ** 2 + point["y"] ** 2) ** 0.5


def _drawn(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    name = next(name for name in DRAWINGS if name in values)
    return int(models.judge.classify(drawn_digit(values[name])[None])[0].argmax())


def _next(models: Models, values: Mapping[str, Any]) -> tuple[TextWriter, list[tuple[int, float]]]:
    """The writer, and what may come after the text: tokens with their probabilities, best first."""
    writer = models.writer(values["model"])
    text = values["text"] if "text" in values else values["prompt"]
    try:
        ids = inside.read(writer, text).ids
    except ValueError as error:  # no verse, or characters that the model does not know
        raise Unmeasured("the text") from error
    if not ids:
        raise Unmeasured("the text")
    logits = next_logits(writer, ids)
    return writer, candidates(logits, len(logits), values.get("temperature", 1.0), None, 1.0)


def _likeliest(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return _next(models, values)[1][0][1]


def _entropy(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return -sum(chance * math.log(chance) for _, chance in _next(models, values)[1])


def _token(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    writer, best = _next(models, values)
    return inside.named(writer, best[0][0])


def _clicks(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return len(values["clicks"])


def _steps(models: Models, share: Share, values: Mapping[str, Any]) -> Value:
    return sum(map(int, re.findall(r"[dgbth](\d+)", values["moves"])))


def _tables(share: Share) -> bool:
    return share.table is not None


def _texts(share: Share) -> bool:
    return _has("text", "prompt")(share) and "model" in share.link.names


def _has(*names: str) -> Callable[[Share], bool]:
    return lambda share: any(name in share.link.names for name in names)


Measure = Callable[[Models, Share, Mapping[str, Any]], Value]
VOCABULARY: dict[str, tuple[Measure, Callable[[Share], bool]]] = {
    "digit read by the judge": (_read, _tables),  # the commonest, of several
    "certainty of the judge": (_certainty, _tables),  # 0 to 1, the mean
    "label agreement": (_agreement, _has("digits", "number")),  # the share, 0 to 1
    "different digits": (_kinds, _tables),  # 1 to 10
    "digit drawn": (_drawn, _has(*DRAWINGS)),  # by the visitor
    "distance from the origin": (_origin, _has("point")),
    "probability of the likeliest token": (_likeliest, _texts),
    "entropy of the next token": (_entropy, _texts),  # nats
    "likeliest token": (_token, _texts),
    "clicks": (_clicks, _has("clicks")),  # of one step at a time
    "training steps": (_steps, _has("moves")),  # of the laboratory
}
MEASURES = {name: measure for name, (measure, _) in VOCABULARY.items()}
NEEDS = {name: needs for name, (_, needs) in VOCABULARY.items()}
DRAWN = ("label agreement", "digit read by the judge", "certainty of the judge", "different digits")
