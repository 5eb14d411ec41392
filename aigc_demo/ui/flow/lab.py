"""The laboratory of the diffusion tab: flow matching on points of the plane, in the browser.

All of it is static/flowlab*.js, and what ui/plane/ shares. A link says the settings and how many
steps were taken; the browser takes them again.
"""

import re

from aigc_demo.ui import plane
from aigc_demo.ui.page.query import Codec

STEPS = 5_000  # that a browser takes again, at most
CHOICES = {  # what the fields offer; the first is what the laboratory opens with
    "data": plane.DATA,
    "layers": ("3", "1", "2"),
    "width": ("32", *plane.WIDTHS),
    "rate": ("0.01", *plane.RATES),
    "rates": ("good", "bad"),
    "ode": ("20", "1", "2", "4", "8", "50"),
    "kind": ("-1", "0", "1"),
    "guidance": ("1", "0", "1.5", "2", "3", "4"),
    "beside": ("0", "1"),
}


def read_time(text: str) -> str:
    """A time from noise, 0, to data, 1."""
    if not re.fullmatch(r"0|1|0\.\d\d?", text, re.ASCII):
        raise ValueError(f"expected a time from 0 to 1, got {text[:20]!r}")
    return text


def read_trained(text: str) -> str:
    """How many steps were taken."""
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or int(text) > STEPS:
        raise ValueError(f"expected at most {STEPS} steps, got {text[:20]!r}")
    return text


LAB = plane.Laboratory(
    room="flow",
    name="flowlab",
    own=("flow/flowlab_model", "flow/flowlab_draw"),
    choices=CHOICES,
    more={"time": ("1", Codec(str, read_time)), "trained": ("0", Codec(str, read_trained))},
    most=STEPS,
    groups=("lab", "flowlab"),
)
