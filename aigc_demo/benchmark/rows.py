"""Figures, with a peer's beside them, and how they are printed."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure, in `unit`; peer: with what it is compared, in the same unit.

    series, at: for figures of one kind that grow with something, the kind and how much of it.
    """

    what: str
    unit: str
    median: float
    p95: float
    peer: str = ""
    peer_median: float | None = None
    higher_is_better: bool = False
    series: str = ""
    at: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The advantage over the peer: 2 is twice as fast, or half of what it takes."""
        if self.peer_median is None or not self.median or not self.peer_median:
            return None
        ratio = self.median / self.peer_median
        return ratio if self.higher_is_better else 1 / ratio


def row(
    what: str,
    unit: str,
    values: list[float],
    peer: str = "",
    peer_values: Sequence[float] = (),
    **more: Any,
) -> Row:
    """A row of some measured values; p95 is the worse end."""
    ordered = sorted(values, reverse=bool(more.get("higher_is_better")))
    worst = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    other = statistics.median(peer_values) if peer_values else None
    return Row(what, unit, statistics.median(values), worst, peer, other, **more)


def seconds(call: Callable[[], Any], times: int, warm: int = 1) -> list[float]:
    """The seconds that a call takes, so many times, after some that do not count."""
    for _ in range(warm):
        call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return taken


def as_table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | median | p95 | peer | ratio |", "| --- | --- | --- | --- | --- |"]
    for one in rows:
        peer = "" if one.peer_median is None else f"{one.peer}: {one.peer_median:.4g} {one.unit}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f} x"
        values = [f"{value:.4g} {one.unit}".strip() for value in (one.median, one.p95)]
        lines.append(f"| {' | '.join([one.what, *values, peer, ratio])} |")
    return "\n".join(lines)


def as_data(rows: list[Row]) -> list[dict[str, Any]]:
    """The rows for JSON."""
    return [{**asdict(one), "ratio": one.ratio} for one in rows]
