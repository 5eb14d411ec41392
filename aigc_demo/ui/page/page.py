"""The frame that all tabs share: bound handlers, first results, lessons, dice."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import gradio as gr

from aigc_demo.inference.writing.steps import SLOTS
from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import opens_below
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.page.answers import Visits, answers

Update = dict[str, Any]  # what gr.update returns: the properties of a component that change
COMPUTING: dict[str, Any] = {"concurrency_id": "computing", "concurrency_limit": 2}
# Pictures spend most of their time waiting for the event loop, and share chunks (cores.py).
DRAWING: dict[str, Any] = {"concurrency_id": "drawing", "concurrency_limit": 16}
FORMULAS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]
# Writers wait for their loop, not for threads: as many at once as it has slots.
WRITING: dict[str, Any] = {"concurrency_id": "writing", "concurrency_limit": SLOTS}
# Of endpoints, apart from the page's own: a program may wait for the Hub.
PROGRAMS: dict[str, Any] = {"concurrency_id": "programs", "concurrency_limit": 2}
PICTURES: dict[str, Any] = {"concurrency_id": "pictures", "concurrency_limit": 16}


class Page:
    """The page while it is built."""

    def __init__(self, models: Models, words: Words, language: gr.Radio) -> None:
        self.models, self.words, self.language = models, words, language
        self.others = HubModels(models)  # on their way from the Hub
        self.visits = Visits()
        self.tab: gr.Tab | None = None  # where components are added now, see `within`
        self.shares: list[Any] = []  # the results that have a link, see share.py

    def within(self, tab: gr.Tab) -> "Page":
        """The same page for what is added within a tab."""
        part = copy(self)
        part.tab = tab
        return part

    def first_of(self, handler: Callable, count: int, *values: Any) -> list[dict[str, Any]]:
        """The properties that a handler gives its widgets, so that a tab opens with a real result.

        Where the model cannot be loaded, its widgets open with a sentence that says so.
        """
        try:
            answer = handler(self.models, self.words, *values)
        except check.UserError as error:
            texts = check.explained(self.words, error)
            return [{"strip": "", "count": 0, "texts": texts}] * count
        return [properties(update) for update in answers(answer)]

    def first(self, handler: Callable, *values: Any) -> dict[str, Any]:
        """first_of for a handler with a single widget."""
        return self.first_of(handler, 1, *values)[0]

    def bind(self, handler: Callable) -> Callable:
        """The handler as an event wants it: bound, and complaining in the visitor's language."""
        bound = partial(handler, self.models, self.words)
        bound.__name__ = handler.__name__  # type: ignore[attr-defined]
        return check.answered(self.words, bound)

    def serve(self, source: Callable) -> Callable:
        """A widget's way to fetch from the server what the page does not hold from the start.

        It goes around the queue, so it should be quick; what a client sends along is not read.
        """

        def served(_: Any = None) -> Any:
            return source(self.models)

        served.__name__ = source.__name__
        return served

    def compute(
        self,
        event: Callable,
        handler: Callable,
        inputs: list,
        outputs: Any,
        every: bool = False,
        opening: bool = False,
        **options: Any,
    ) -> Any:
        """Runs a handler on an event; progress and place in the queue are seen on the outputs.

        Handlers check what a client sends, and know more models than a field's first choices:
        Gradio's own check of values is off.

        every: the answer to every event is wanted, else that to the latest; opening: the event is
        that of a tab that opens.
        """
        settings = {"show_progress": "full", "api_visibility": "private", "preprocess": False}
        settings |= {**COMPUTING, **options}
        bound = self.bind(handler)
        if not every:
            widgets = outputs if isinstance(outputs, list) else [outputs]
            bound = self.visits.newest(bound, widgets, opening)
        return event(bound, [*inputs, self.language], outputs, **settings)

    def lesson(self, name: str) -> None:
        """Adds the lesson below the tab: formulas, training steps, diagram; fetched when opened."""
        opens_below(f"how-{name}")
        folded = gr.Accordion(open=False, elem_classes="lesson", elem_id=f"how-{name}")
        with self.words.tr(folded, "page.lesson"):
            text = gr.Markdown(latex_delimiters=FORMULAS, elem_id=f"lesson-{name}")
        script = static("page/lesson.js").replace("__NAME__", name)
        opened, switched = (script.replace("__OPENING__", word) for word in ("true", "false"))
        folded.expand(None, text, text, js=opened, **LOCAL)
        self.words.after_switch.append((text, text, switched))


LOCAL: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # in the browser


def several(*events: Callable) -> list[Callable]:
    """Merges events into one trigger: Gradio checks every event against every component when a page
    loads. Chained events (.then) stay separate.
    """
    own = [event for event in events if getattr(event, "has_trigger", False)]
    return [partial(gr.on, own, trigger_mode="always_last"), *(e for e in events if e not in own)]


def properties(update: Update) -> dict[str, Any]:
    """The properties that a returned update would change."""
    return {key: update[key] for key in ("strip", "count", "texts", "groups") if key in update}


def dice(words: Words, value: int, name: str) -> tuple[gr.Number, Any]:
    """A seed and a button that throws a new one in the browser. Returns both: (number, event)."""
    with gr.Row(elem_classes="seed", equal_height=True):
        seed = words.tr(gr.Number(value, precision=0, elem_id=name, min_width=120), "page.seed")
        button = words.tr(gr.Button(elem_id=f"{name}-dice", min_width=44, scale=0), "page.dice")
    return seed, throw(button.click, seed)


def throw(click: Any, seed: gr.Number) -> Any:
    """Puts a new seed into its field at a click, without a request; the event to chain on."""
    script = "() => Math.floor(Math.random() * 1000000)"
    return click(None, None, seed, js=script, api_visibility="private")
