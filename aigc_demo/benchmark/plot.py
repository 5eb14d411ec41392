"""Plots of how cost grows: a panel for each series of rows."""

import io
import math

from PIL import Image, ImageDraw, ImageFont

from aigc_demo.benchmark.rows import Row

WIDTH, HEIGHT = 640, 220  # pixels, of a panel
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 40  # what its frame leaves
MEDIAN, WORST = "#0072B2", "#E69F00"  # Okabe and Ito's palette


def plot(rows: list[Row]) -> bytes:
    """A PNG: the median of each series against what it grows with, and p95 where it differs.

    The horizontal axis is logarithmic, the vertical one begins at 0.

    Raises:
        ValueError: no row belongs to a series.
    """
    panels: dict[str, list[Row]] = {}
    for row in rows:
        if row.series:
            panels.setdefault(row.series, []).append(row)
    if not panels:
        raise ValueError("expected a subject whose rows grow with something, got none of these")
    sheet = Image.new("RGB", (WIDTH, HEIGHT * len(panels)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (series, members) in enumerate(panels.items()):
        _panel(pen, index * HEIGHT, series, sorted(members, key=lambda row: row.at))
    file = io.BytesIO()
    sheet.save(file, "PNG", optimize=True)
    return file.getvalue()


def _panel(pen: ImageDraw.ImageDraw, top: int, series: str, rows: list[Row]) -> None:
    font = ImageFont.load_default(14)
    left, right, ceiling, floor = LEFT, WIDTH - RIGHT, top + TOP, top + HEIGHT - BOTTOM
    first, last = math.log(rows[0].at), math.log(rows[-1].at)
    most = max(max(row.median, row.p95) for row in rows) or 1.0

    def across(at: float) -> float:
        return left + (right - left) * (math.log(at) - first) / ((last - first) or 1.0)

    def down(value: float) -> float:
        return floor - (floor - ceiling) * value / most

    pen.line([(left, ceiling), (left, floor), (right, floor)], fill="#888888")
    pen.text((left, top + 8), f"{series}, {rows[0].unit}", fill="black", font=font)
    pen.text((left - 8, ceiling), f"{most:.3g}", fill="black", font=font, anchor="rm")
    pen.text((left - 8, floor), "0", fill="black", font=font, anchor="rm")
    lines = {MEDIAN: [row.median for row in rows]}
    if any(row.p95 != row.median for row in rows):
        lines = {WORST: [row.p95 for row in rows], **lines}
        pen.text((right, top + 8), "p95", fill=WORST, font=font, anchor="ra")
        pen.text((right - 40, top + 8), "median", fill=MEDIAN, font=font, anchor="ra")
    for colour, values in lines.items():
        points = [(across(row.at), down(value)) for row, value in zip(rows, values, strict=True)]
        pen.line(points, fill=colour, width=2)
        for x, y in points:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
    for row in rows:
        pen.text((across(row.at), floor + 8), f"{row.at:g}", fill="black", font=font, anchor="ma")
