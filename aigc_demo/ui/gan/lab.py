"""The laboratory of the GAN tab: a GAN on points of the plane, trained by the visitor's browser.

All of it is static/lab*.js, and what ui/plane/ shares. Playing sends no request, whoever plays, and
its link is made there too: the settings that the game began with, and its moves. The server only
checks what a link says; the browser makes the moves again.
"""

import re

from aigc_demo.ui import plane
from aigc_demo.ui.page.query import MAX_UNPACKED, Codec

STEPS = 20_000  # that a browser takes again, at most
CHOICES = {  # what the fields offer; the first is what the laboratory opens with
    "data": plane.DATA,
    "loss": ("saturating_not", "minimax", "squares", "wasserstein", "relativistic"),
    "layers": ("2", "1", "3"),
    "width": ("32", *plane.WIDTHS),
    "rateD": ("0.003", *plane.RATES),
    "rateG": ("0.001", *plane.RATES),
    "turns": ("1", "2", "3", "5", "10"),
}
# Steps of D, of G, of both; in slow motion D's turns and then G's; a rate or D's turns from here
# on; how many points were drawn by now.
_RATES, _TURNS = "|".join(map(re.escape, plane.RATES)), "|".join(CHOICES["turns"])
MOVES = re.compile(rf"([dgbth]\d{{1,5}}|[DG]({_RATES})|T({_TURNS})|p\d{{1,4}})*", re.ASCII)


def read_moves(text: str) -> str:
    """The moves of a link.

    Raises:
        ValueError: something else, or more steps than are taken again.
    """
    steps = sum(int(count) for count in re.findall(r"[dgbth](\d+)", text))
    if len(text) > MAX_UNPACKED or not MOVES.fullmatch(text) or steps > STEPS:
        raise ValueError(f"expected moves of at most {STEPS} steps, got {text[:20]!r}")
    return text


LAB = plane.Laboratory(
    room="gan",
    name="lab",
    own=("gan/lab_play", "gan/lab_moves"),
    choices=CHOICES,
    more={"moves": ("", Codec(str, read_moves))},
    most=STEPS,
    groups=("lab",),
)
