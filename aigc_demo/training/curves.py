"""Draws the curves of a training, from its history, for the model card.

python -m aigc_demo.training.curves weights/gan
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

from aigc_demo.weights import replace_file

COLOURS = {  # the roles of the page; Okabe and Ito's palette
    "discriminator_loss": "#E69F00",
    "generator_loss": "#009E73",
    "kl": "#CC79A7",
    "real": "#0072B2",
    "fake": "#009E73",
}
LOSS = "#D55E00"


def draw_curves(rows: list[dict[str, Any]]) -> bytes:
    """A PNG with one curve below the other: what the log holds, against the step.

    rows: the log's, of step, seconds and losses, at least two.

    Raises:
        ValueError: fewer rows.
        ModuleNotFoundError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # for cards alone: the page does without it

    if len(rows) < 2:
        raise ValueError(f"expected at least two rows of a log, got {len(rows)}")
    names = [key for key in rows[0] if key not in ("step", "seconds")]
    figure = Figure(figsize=(7.2, 2 * len(names)), layout="constrained")
    steps = [row["step"] for row in rows]
    panels = figure.subplots(len(names), squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        values = [row[name] for row in rows]
        axes.plot(steps, values, color=COLOURS.get(name, LOSS))
        axes.set_title(name.replace("_", " "), loc="left", fontsize="medium")
        axes.set_ylim(*_range(values))
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("step")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _range(values: list[float]) -> tuple[float, float]:
    """The range of an axis: the first twentieth, often far off, may run out of it."""
    kept = values[len(values) // 20 :]
    low, high = min(kept), max(kept)
    return low, high if high > low else low + 1


def write_curves(folder: Path) -> bool:
    """Writes curves.png beside the history of a weights folder; False without matplotlib."""
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    try:
        picture = draw_curves(history["curves"])
    except ModuleNotFoundError:
        return False
    replace_file(folder / "curves.png", picture)
    return True


if __name__ == "__main__":
    for place in sys.argv[1:]:
        drawn = write_curves(Path(place))
        print(Path(place) / "curves.png" if drawn else "needs matplotlib: pip install matplotlib")
