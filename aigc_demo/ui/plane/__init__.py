"""What the laboratories in the plane share: their scripts, their place on the page, their links.

A laboratory trains in the visitor's browser; the server only checks what a link says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.page.link import Fields
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.page.query import MAX_UNPACKED, Codec
from aigc_demo.ui.page.share import Share

SCRIPTS = tuple(f"plane/{part}" for part in ("net", "points", "gan", "draw", "plot", "pen"))
DATA = ("ring", "moons", "spiral", "grid", "gaussian", "own")  # the first is what they open with
RATES = ("0.0003", "0.001", "0.003", "0.01", "0.03")
WIDTHS = ("4", "8", "16", "32", "64")
POINTS = re.compile(r"([\w-]{4})*", re.ASCII)  # x and y of each, 12 bits both


def _choice(name: str, offered: tuple[str, ...]) -> Codec:
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


@dataclass(frozen=True)
class Laboratory:
    """A laboratory of a tab. Its scripts and its page are ui/ROOM/static/NAME*.

    own: its further scripts, after those that all share.
    choices: what its fields offer; the first is what it opens with.
    more: further fields of its links: what each begins with, and its codec.
    most: steps that a browser takes again.
    groups: of its words.
    """

    room: str
    name: str
    own: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    more: Mapping[str, tuple[str, Codec]]
    most: int
    groups: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """The state by a link's names, as it opens."""
        chosen = {name: offered[0] for name, offered in self.choices.items()}
        more = {name: first for name, (first, _) in self.more.items()}
        return {**chosen, "seed": "1", **more, "points": ""}

    def codecs(self) -> dict[str, Codec]:
        """What reads each field of a link."""
        return {
            **{name: _choice(name, offered) for name, offered in self.choices.items()},
            "seed": Codec(str, read_seed),
            **{name: codec for name, (_, codec) in self.more.items()},
            "points": Codec(str, read_points),
        }

    def used(self, values: Mapping[str, Any]) -> list[str]:
        """The fields that a link needs: points where the data are the visitor's own."""
        return [name for name in self.fields() if name != "points" or values["data"] == "own"]

    def replay(self, models: Models, words: Words, *values: str) -> Update:
        """Gives the browser what a link says, by which it trains again."""
        return gr.update(run=dict(zip(self.fields(), values, strict=True)))

    def build(self, page: Page) -> None:
        """Adds the laboratory and what to try in it."""
        assert page.tab is not None
        offered = "".join(f'<option value="{one}" data-word="{one}"></option>' for one in DATA)
        groups = [page.words.group(group) for group in self.groups]
        shown = widget(
            f"{self.room}/{self.name}",
            static(f"{self.room}/{self.name}.html").replace("__DATA__", offered),
            shared=(*SCRIPTS, *self.own),
            words={name: said for group in groups for name, said in group.items()},
            elem_id=self.name,
            run=None,
            bar=f"{page.tab.id}.lab",
            most=self.most,
            apart=True,
        )
        hidden = {name: gr.Textbox(value, visible=False) for name, value in self.fields().items()}
        held = Fields(hidden, codecs=self.codecs(), used=self.used)
        share = Share(page, "lab", self.replay, held, [shown], saves=())
        share.opens(show_progress="hidden")
        page.words.tr(gr.Markdown(elem_classes="hint"), f"{self.name}.hint")
