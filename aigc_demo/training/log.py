"""The log of a training: its losses as lines of JSON, mirrored to a tracker if one is asked for."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aigc_demo.training.processes import first_process


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a log; a line that was cut off, or is none of a log, is left out."""
    rows = []
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
            row = json.loads(line)
            if type(row["step"]) is int:
                rows.append(row)
    return rows


def write_row(path: Path, row: dict[str, Any]) -> None:
    """Adds a row {step, seconds, losses by name} to a log, and to its mirrors."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    for mirror in _mirrors:
        mirror.log({key: row[key] for key in row if key != "step"}, step=row["step"])


_mirrors: list[Any] = []  # where else the rows of the log go


@contextmanager
def tracked(tracker: str, name: str, output: Path) -> Iterator[None]:
    """Mirrors the log of the trainings inside to a tracker, from the first process alone.

    tracker: "trackio", or nothing.

    Raises:
        ValueError: another tracker, or one that is not installed.
    """
    if tracker not in ("", "trackio"):
        raise ValueError(f"expected the tracker trackio, got {tracker!r}")
    if not tracker or not first_process():
        yield
        return
    try:
        import trackio
    except ImportError:
        raise ValueError("expected trackio to be installed: pip install trackio") from None
    run = trackio.init(
        project="aigc-demo", name=f"{name} {output}", auto_log_cpu=False, auto_log_gpu=False
    )
    _mirrors.append(run)
    try:
        yield
    finally:
        _mirrors.remove(run)
        run.finish()
