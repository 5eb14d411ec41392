"""The laboratory of the GAN tab: a GAN on points of the plane, trained by the visitor's browser.

All of it is static/lab*.js, and what ui/plane/ shares. Playing sends no request, whoever plays, and
its link is made there too: the settings that the game began with, and its moves. The server only
checks what a link says; the browser makes the moves again.
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
from aigc_demo.ui.page.query import MAX_UNPACKED, Codec
from aigc_demo.ui.page.share import Share

OWN = tuple(f"gan/lab_{part}" for part in ("play", "moves"))
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


def replay(models: Models, words: Words, *values) -> Update:
    """Gives the browser the moves of a link, which it plays again."""
    return gr.update(run=dict(zip(fields(), values, strict=True)))


def fields() -> dict[str, str]:
    """The state of a game by a link's names, as the laboratory opens."""
    chosen = {name: offered[0] for name, offered in CHOICES.items()}
    return {**chosen, "seed": "1", "moves": "", "points": ""}


def read_moves(text: str) -> str:
    """The moves of a link.

    Raises:
        ValueError: something else, or more steps than are taken again.
    """
    steps = sum(int(count) for count in re.findall(r"[dgbth](\d+)", text))
    if len(text) > MAX_UNPACKED or not MOVES.fullmatch(text) or steps > STEPS:
        raise ValueError(f"expected moves of at most {STEPS} steps, got {text[:20]!r}")
    return text


def _used(values: Mapping[str, Any]) -> list[str]:
    return [name for name in fields() if name != "points" or values["data"] == "own"]


CODECS = {
    **{name: plane.choice(name, offered) for name, offered in CHOICES.items()},
    "seed": plane.SEED,
    "moves": Codec(str, read_moves),
    "points": plane.DRAWN,
}


def build_lab(page: Page) -> None:
    """Adds the laboratory and what to try in it."""
    assert page.tab is not None
    lab = widget(
        "gan/lab",
        static("gan/lab.html"),
        shared=(*plane.SCRIPTS, *OWN),
        words=page.words.group("lab"),
        elem_id="lab",
        run=None,
        bar=f"{page.tab.id}.lab",
        most=STEPS,
        apart=True,
    )
    hidden = {name: gr.Textbox(value, visible=False) for name, value in fields().items()}
    held = Fields(hidden, codecs=CODECS, used=_used)
    share = Share(page, "lab", replay, held, [lab], saves=())
    share.opens(show_progress="hidden")
    page.words.tr(gr.Markdown(elem_classes="hint"), "lab.hint")
