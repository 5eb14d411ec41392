"""Draws the curves of a training, from its history, for the model card.

python -m aigc_demo.training.curves weights/gan
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from aigc_demo.weights import replace_file

WIDTH, HEIGHT, MARGIN = 720, 200, 48  # pixels, of one curve
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
    """
    if len(rows) < 2:
        raise ValueError(f"expected at least two rows of a log, got {len(rows)}")
    names = [key for key in rows[0] if key not in ("step", "seconds")]
    sheet = Image.new("RGB", (WIDTH, HEIGHT * len(names)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for index, name in enumerate(names):
        top = index * HEIGHT
        values = [row[name] for row in rows]
        low, high = _range(values)
        left, right, floor, ceiling = MARGIN + 20, WIDTH - 16, top + HEIGHT - 30, top + 30
        pen.line([(left, ceiling), (left, floor), (right, floor)], fill="#888888")
        points = [
            (
                left + (right - left) * row["step"] / rows[-1]["step"],
                floor - (floor - ceiling) * min(max((row[name] - low) / (high - low), 0), 1),
            )
            for row in rows
        ]
        pen.line(points, fill=COLOURS.get(name, LOSS), width=2)
        pen.text((left + 8, top + 6), name.replace("_", " "), fill="black", font=font)
        for value, y in ((high, ceiling), (low, floor)):
            pen.text((left - 6, y), f"{value:.3g}", fill="black", font=font, anchor="rm")
        pen.text((left, floor + 6), "0", fill="black", font=font)
        last = f"step {rows[-1]['step']:,}"
        pen.text((right, floor + 6), last, fill="black", font=font, anchor="ra")
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _range(values: list[float]) -> tuple[float, float]:
    """The range of an axis: the first twentieth, often far off, may run out of it."""
    kept = values[len(values) // 20 :]
    low, high = min(kept), max(kept)
    return low, high if high > low else low + 1


def write_curves(folder: Path) -> None:
    """Writes curves.png beside the history of a weights folder."""
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    replace_file(folder / "curves.png", draw_curves(history["curves"]))


if __name__ == "__main__":
    for place in sys.argv[1:]:
        write_curves(Path(place))
        print(Path(place) / "curves.png")
