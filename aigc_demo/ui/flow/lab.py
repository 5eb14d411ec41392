"""The laboratory of the diffusion tab: flow matching on points of the plane, in the browser.

All of it is static/flowlab*.js, and what ui/plane/ shares. A link says the settings and how many
steps were taken; the browser takes them again.
"""

import re
from collections.abc import Mapping
from typing import Any

import gradio as gr

from aigc_demo.ui import plane
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.page.link import Fields
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.page.query import Codec
from aigc_demo.ui.page.share import Share

OWN = ("flow/flowlab_model", "flow/flowlab_draw")
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


def replay(models: Models, words: Words, *values) -> Update:
    """Gives the browser the settings of a link, by which it trains again."""
    return gr.update(run=dict(zip(fields(), values, strict=True)))


def fields() -> dict[str, str]:
    """The state by a link's names, as the laboratory opens."""
    chosen = {name: offered[0] for name, offered in CHOICES.items()}
    return {**chosen, "seed": "1", "time": "1", "trained": "0", "points": ""}


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


def _used(values: Mapping[str, Any]) -> list[str]:
    return [name for name in fields() if name != "points" or values["data"] == "own"]


CODECS = {
    **{name: plane.choice(name, offered) for name, offered in CHOICES.items()},
    "seed": plane.SEED,
    "time": Codec(str, read_time),
    "trained": Codec(str, read_trained),
    "points": plane.DRAWN,
}


def build_lab(page: Page) -> None:
    """Adds the laboratory and what to try in it."""
    assert page.tab is not None
    lab = widget(
        "flow/flowlab",
        static("flow/flowlab.html"),
        shared=(*plane.SCRIPTS, *OWN),
        words={**page.words.group("lab"), **page.words.group("flowlab")},
        elem_id="flowlab",
        run=None,
        bar=f"{page.tab.id}.lab",
        most=STEPS,
        apart=True,
    )
    hidden = {name: gr.Textbox(value, visible=False) for name, value in fields().items()}
    held = Fields(hidden, codecs=CODECS, used=_used)
    share = Share(page, "lab", replay, held, [lab], saves=())
    share.opens(show_progress="hidden")
    page.words.tr(gr.Markdown(elem_classes="hint"), "flowlab.hint")
