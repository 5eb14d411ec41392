"""What a training kept of itself: its losses, and what the model made at some moments of it."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.weights import find_folder

LARGEST = 1_000_000  # bytes of history.json
MOST_MOMENTS, MOST_ROWS, MOST_CURVES = 32, 2_000, 5
LARGEST_PICTURE = 400_000  # bytes
LONGEST = 2_000  # characters of a text
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NOT_DRAWN = ("step", "seconds")


@dataclass(frozen=True)
class Moment:
    """What a model made after so many steps, always from the same noise or prompt."""

    step: int
    seen: int  # pictures or tokens, with repetitions
    seconds: float  # of training so far
    picture: bytes  # a PNG, or nothing
    text: str


@dataclass(frozen=True)
class History:
    """The moments in their order, and the losses: [(step, value)] by name."""

    moments: list[Moment]
    curves: dict[str, list[tuple[int, float]]]
    unit: str  # of what was seen: images or tokens


def read_history(source: str | Path) -> History | None:
    """The history of a model, by its name or folder; None where it has none that can be read.

    It may come from a stranger: nothing is read but pictures in its folder history/, of limited
    size, and numbers.

    Raises:
        ValueError: an unknown name.
    """
    folder = find_folder(source)
    path = folder / "history.json"
    try:
        if path.stat().st_size > LARGEST:
            return None
        found = json.loads(path.read_bytes())
        moments, rows = found["moments"][:MOST_MOMENTS], found["curves"][:MOST_ROWS]
        unit = "images" if "images" in moments[0] else "tokens"
        curves = _curves(rows)
        return History([_moment(folder, one, unit, rows) for one in moments], curves, unit)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None


def _moment(folder: Path, told: dict[str, Any], unit: str, rows: list[dict[str, Any]]) -> Moment:
    step = _whole(told["step"])
    before = [float(row["seconds"]) for row in rows if row["step"] <= step]
    picture = b""
    if "picture" in told:
        path = folder / "history" / Path(told["picture"]).name
        if not path.is_symlink() and path.stat().st_size <= LARGEST_PICTURE:
            picture = path.read_bytes()
        if not picture.startswith(SIGNATURE):
            raise ValueError(f"expected a PNG as {path.name}")
    text = str(told.get("text", ""))[:LONGEST]
    return Moment(step, _whole(told[unit]), before[-1] if before else 0.0, picture, text)


def _curves(rows: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    names = [name for name in rows[0] if name not in NOT_DRAWN][:MOST_CURVES]
    found: dict[str, list[tuple[int, float]]] = {str(name)[:40]: [] for name in names}
    for row in rows:
        for name in names:
            value = float(row[name])
            if math.isfinite(value):
                found[str(name)[:40]].append((_whole(row["step"]), value))
    return found


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(f"expected a number of steps, got {str(value)[:20]!r}")
    return value
