"""How fast it is: medians on an otherwise idle machine, beside a peer measured in the same run.

One file a subject; `benchmark` picks it. Rows with a peer state the ratio, the better the larger.
"""

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SUBJECTS = ("gan", "vae", "text", "app", "load")


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
        """How often better than the peer: 2 is twice as fast, or half of what it takes."""
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
    """How long a call takes, so many times, after some that do not count."""
    for _ in range(warm):
        call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return taken


def benchmark(subject: str) -> list[Row]:
    """The rows of one subject.

    Raises:
        ValueError: an unknown subject, or a peer that is not installed.
    """
    if subject not in SUBJECTS:
        raise ValueError(f"expected one of {', '.join(SUBJECTS)}, got {subject!r}")
    measure: Callable[[], list[Row]]
    if subject == "gan":
        from aigc_demo.benchmark.pictures import measure_gan as measure
    elif subject == "vae":
        from aigc_demo.benchmark.pictures import measure_vae as measure
    elif subject == "text":
        from aigc_demo.benchmark.text import measure
    elif subject == "app":
        from aigc_demo.benchmark.app import measure
    else:
        from aigc_demo.benchmark.load import measure
    return measure()


def hardware() -> str:
    """What it ran on, in a line."""
    import torch

    from aigc_demo.weights import choose_device, multiplies_bfloat16

    device = choose_device()
    kind = "bfloat16" if multiplies_bfloat16(device) else "float32"
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    return (
        f"{name}, {torch.get_num_threads()} threads, products in {kind}, torch {torch.__version__}"
    )


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
