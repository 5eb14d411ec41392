"""The view "Training": what a model made at moments of its training, on its loss curve.

The moments come once; from then on the browser alone shows them (static/history.js).
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from aigc_demo.explain.history import History
from aigc_demo.images import data_uri
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import CAPTION, widget
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import View, settled
from aigc_demo.ui.page.page import Page, Update

MOST = 99  # places of a moment in a link


def build_training(page: Page, key: str, names: tuple[str, ...], model: Any) -> View:
    """Adds the view. key: of the tab's words; names: of the models that the field may hold."""
    assert page.tab is not None
    bar = f"{page.tab.id}.inside"
    shown = history_widget(page.words, bar=bar, elem_id=f"{key}-history")
    return View(_seeing(names), [model, shown], [shown], own={"moment": shown})


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


def _seeing(names: tuple[str, ...]) -> Callable:
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
