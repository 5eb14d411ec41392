"""What the laboratories in the plane share: their scripts, and what a link says of their points.

A laboratory trains in the visitor's browser; the server only checks what a link says.
"""

import re

from aigc_demo.ui.kit import check
from aigc_demo.ui.page.query import MAX_UNPACKED, Codec

SCRIPTS = tuple(f"plane/{part}" for part in ("net", "points", "gan", "draw", "plot", "pen"))
DATA = ("ring", "moons", "spiral", "grid", "gaussian", "own")  # the first is what they open with
RATES = ("0.0003", "0.001", "0.003", "0.01", "0.03")
WIDTHS = ("4", "8", "16", "32", "64")
POINTS = re.compile(r"([\w-]{4})*", re.ASCII)  # x and y of each, 12 bits both


def choice(name: str, offered: tuple[str, ...]) -> Codec:
    """One of a few values, as it stands in a link."""
    return Codec(str, lambda text: check.one_of(text, name, offered))


def read_points(text: str) -> str:
    """The points that a visitor drew."""
    if len(text) > MAX_UNPACKED or not POINTS.fullmatch(text):
        raise ValueError(f"expected points, got {text[:20]!r}")
    return text


def read_seed(text: str) -> str:
    """A seed of the browser's random numbers."""
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise ValueError(f"expected a seed, got {text[:20]!r}")
    return text


SEED, DRAWN = Codec(str, read_seed), Codec(str, read_points)
