"""The view "Training": what a model made at moments of its training, on its loss curve.

The moments come once; from then on the browser alone shows them (static/history.js).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain.history import History
from aigc_demo.images import data_uri, strip
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import CAPTION, tiles, widget
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, settled
from aigc_demo.ui.page.page import Page, Update

MOST = 99  # places of a moment in a link


@dataclass(frozen=True)
class Again:
    """What a model makes anew with its weights of a moment, where these were kept.

    make: (models, words, name, wrappers, at, *fields) gives pictures (B, 28, 28) and what is said
        of them: wrappers, of the moments that were kept; at, which of them was chosen.
    load: makes the wrapper of a weights folder.
    fields: what `make` takes.
    stand_in: whose weights are taken for a bundled model that has none.
    columns, largest: of the pictures, and how many times larger they are at most.
    """

    make: Callable
    load: Callable
    fields: list
    stand_in: str = ""
    columns: int = 8
    largest: int = 4


def build_training(
    page: Page, key: str, names: tuple[str, ...], model: Any, again: Again | None = None
) -> View:
    """Adds the view. key: of the tab's words; names: of the models that the field may hold."""
    assert page.tab is not None
    bar = f"{page.tab.id}.inside"
    shown = history_widget(page.words, bar=bar, elem_id=f"{key}-history")
    see = seeing(names)
    if again is None:
        return View(see, [model, shown], [shown], own={"moment": shown})
    made = tiles(page.words, again.columns, again.largest, whole=True, elem_id=f"{key}-again")
    make = _making(names, again)

    def see_both(models: Models, words: Words, name, moment, *values) -> tuple[Update, Update]:
        return see(models, words, name, moment), make(models, words, name, moment, *values)

    inputs = [model, shown, *again.fields]
    parts = [(shown.pick, make, [made])]
    return View(see_both, inputs, [shown, made], own={"moment": shown}, parts=parts)


def history_widget(words: Words, bar: str, elem_id: str) -> gr.HTML:
    """The moments of a training. Props: history; value, the moment. bar: of the result it is in."""
    template = (
        '<div class="both"><div class="made"><img class="pixels" hidden alt=""><pre hidden></pre>'
        '</div><canvas class="curves" role="img" data-word="curves" data-as="label"></canvas></div>'
        '<div class="row"><button type="button"></button><input type="range" min="0" step="1"'
        ' data-word="moment" data-as="label"></div>' + CAPTION
    )
    return widget(
        "page/history",
        template,
        apart=True,
        history=None,
        value=0,
        bar=bar,
        words=words.group("history"),
        elem_id=elem_id,
    )


def seeing(names: tuple[str, ...]) -> Callable:
    """The handler of the view, for the models of a tab."""

    def see_training(models: Models, words: Words, model, moment) -> Update:
        """All moments of a model's training; which one is shown is up to the browser."""
        name = models.known(model, names)
        found = models.history(name)
        if found is None:
            return gr.update(history=None, texts=words.both("history.none"))
        asked = check.whole(moment or 0, "moment", 0, MOST)
        place = min(asked, len(found.moments) - 1)
        told = {**of_browser(found), "phases": words.group(f"phase.{name}")}
        return settled(asked, place, history=told, texts=None)

    return see_training


def in_line(images: list[Tensor], columns: int) -> Tensor:
    """Pictures (1, 28, 28) as a line of so many, black ones at its end, (columns, 28, 28)."""
    blank = torch.zeros(columns - len(images), *images[0].shape[1:])
    return torch.cat([*(image.cpu() for image in images), blank])


def _making(names: tuple[str, ...], again: Again) -> Callable:
    """The handler of what is made anew at a moment."""

    def make_again(models: Models, words: Words, model, moment, *values) -> Update:
        name = models.known(model, names)
        if not models.snapshots(name) and models.is_bundled(name):
            name = again.stand_in or name
        kept, history = models.snapshots(name), models.history(name)
        if not kept or history is None:
            return gr.update(strip="", count=0, texts={"zh": "", "en": ""})
        place = min(check.whole(moment or 0, "moment", 0, MOST), len(history.moments) - 1)
        steps, last = sorted(kept), len(kept) - 1
        wide = min(len(steps), again.columns)
        steps = [steps[round(last * k / max(1, wide - 1))] for k in range(wide)]
        at = min(range(wide), key=lambda k: abs(steps[k] - history.moments[place].step))
        wrappers = [models.snapshot_of(name, step, again.load) for step in steps]
        images, texts = again.make(models, words, name, wrappers, at, *values)
        told = words.both("again.made", model=name.partition("@")[0], step=f"{steps[at]:,}")
        texts = {language: f"{told[language]} {texts[language]}" for language in told}
        return gr.update(strip=strip(images), count=len(images), texts=texts)

    return make_again


def of_browser(found: History) -> dict[str, Any]:
    """A history as the widget wants it."""
    return {
        "unit": found.unit,
        "curves": found.curves,
        "moments": [
            {
                "step": one.step,
                "seen": one.seen,
                "seconds": round(one.seconds),
                "text": one.text,
                "picture": data_uri(one.picture) if one.picture else "",
            }
            for one in found.moments
        ],
    }
