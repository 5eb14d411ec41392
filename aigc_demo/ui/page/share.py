"""A result with its link: what computes it also says its state, and a link computes it again.

Below every result stands a bar (static/bar.js) with the buttons Copy link and the files to save;
static/links.js does the work of all bars and keeps the browser's history.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import wraps
from html import escape
from inspect import isasyncgenfunction
from typing import Any

import gradio as gr

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.page.answers import answers, by_widget
from aigc_demo.ui.page.code import Code
from aigc_demo.ui.page.link import Fields, Link
from aigc_demo.ui.page.page import Page, Update, several
from aigc_demo.ui.page.tables import Rows

SHEET, FILM, TEXT = ("png", "csv"), ("png", "webp", "csv"), ("txt",)  # what is saved of a result
CUT = (*SHEET, "stickers")

# What a tab opens with is not computed where a link waits for its bar.
UNASKED = "(link, ...rest) => [link || window.aigc.page.pending || null, ...rest]"


class Share:
    """One task's result: its handler, fields and widgets, and the bar with its link.

    Args:
        task: the id of its tab.
        fields: what the handler takes, by the names that a link gives it; see link.py.
        model: the model, where none of the fields says which.
        mode: the numbers that it is computed in.
        saves: the files that it can be saved as; see saved_files.py.
        table: its numbers, from models and fields; for one that is saved as csv.
        code: what makes it again on one's own machine, from models and fields; see code.py.
        there: whether the page opens with the result; else its tab computes it when it opens.
        options: of Page.compute.
    """

    def __init__(
        self,
        page: Page,
        task: str,
        handler: Callable,
        fields: Fields | Mapping[str, Any],
        widgets: list,
        *,
        model: str = "",
        mode: str = "float32",
        saves: tuple[str, ...] = SHEET,
        table: Callable[..., Rows] | None = None,
        code: Callable[..., Code] | None = None,
        there: bool = True,
        **options: Any,
    ) -> None:
        assert page.tab is not None
        assert ("csv" in saves) == (table is not None), "a csv is a table"
        self.page, self.handler, self.options = page, handler, options
        self.table, self.code, self.saves = table, code, saves
        self.kinds = (*saves, "python") if code else saves  # that a button of the bar asks for
        self.tab = f"{page.tab.id}.{task}"
        held = fields if isinstance(fields, Fields) else Fields(fields)
        self.inputs = list(held.by_name.values())
        self.link = Link(page.models, self.tab, held, model, mode)
        self.known_first = there
        self.bar = self._bar()
        self.widgets, self.outputs = widgets, [*widgets, self.bar]
        page.shares.append(self)

    def _bar(self) -> gr.HTML:
        buttons = "".join(
            f'<button type="button" value="{kind}">{kind.upper()}</button>' for kind in self.kinds
        )
        copy = '<button type="button" class="copy"></button>'
        first = tuple(self.link.first[name] for name in self.link.names)
        link = self.link.query(first) if self.known_first else ""
        about = f'data-tab="{self.tab}" data-link="{escape(link)}"'  # Gradio may drop properties
        return gr.HTML(
            value="",
            html_template=f'<div class="widget bar" {about}>{copy}{buttons}</div>',
            js_on_load=static("page/bar.js"),
            apply_default_css=False,
            padding=False,
            link={"query": link},
            file=None,
            elem_id=f"share-{self.tab.replace('.', '-')}",
        )

    def linked(self, handler: Callable, fields: Callable[..., tuple] | None = None) -> Callable:
        """A handler that also puts the link to its result into the bar.

        fields: the values of the fields that stand for the handler's own, where these differ.
        """

        def said(values: tuple) -> Update:
            return self.said(fields(*values) if fields else values)

        @wraps(handler)
        def run(models: Models, words: Words, *values: Any) -> tuple | dict:
            answer = handler(models, words, *values)
            if by_widget(answer):
                return {**answer, self.bar: said(values)}
            return (*answers(answer), said(values))

        @wraps(handler)
        async def write(models: Models, words: Words, *values: Any) -> AsyncIterator[tuple]:
            link = said(values)
            async for answer in handler(models, words, *values):
                yield (*answers(answer), link)  # each time, as the browser may have missed it

        return write if isasyncgenfunction(handler) else run

    def said(self, values: tuple) -> Update:
        """The bar with the link to a result."""
        return gr.update(link={"query": self.link.query(values)})

    def compute(self, event: Callable, **options: Any) -> Any:
        """Runs the handler on an event, and follows it with the link."""
        handler = self.linked(self.handler)
        settings = {**self.options, **options}
        return self.page.compute(event, handler, self.inputs, self.outputs, **settings)

    def unless_asked(
        self, event: Callable, handler: Callable, inputs: list, outputs: list, **options: Any
    ) -> Any:
        """Runs a handler on an event of the tab's opening, unless a link is opened there."""

        @wraps(handler)
        def run(models: Models, words: Words, link: Any, *values: Any) -> Any:
            return {outputs[0]: gr.skip()} if link else handler(models, words, *values)

        @wraps(handler)
        async def stream(models: Models, words: Words, link: Any, *values: Any) -> AsyncIterator:
            if link:
                yield {outputs[0]: gr.skip()}
                return
            async for answer in handler(models, words, *values):
                yield answer

        given = [self.bar, *inputs]
        chosen = stream if isasyncgenfunction(handler) else run
        settings = {"js": UNASKED, "opening": True, **options}
        return self.page.compute(event, chosen, given, outputs, **settings)

    def compute_first(self, event: Callable, **options: Any) -> Any:
        """Runs the handler on an event of the tab's opening, unless a link is opened there."""
        handler = self.linked(self.handler)
        settings = {**self.options, **options}
        return self.unless_asked(event, handler, self.inputs, self.outputs, **settings)

    def follows(self, *events: Callable, tab: gr.Tab | None = None) -> None:
        """Runs the handler on links, on these events, and when its tab opens if one is given."""
        self.opens()
        if tab is not None:
            self.compute_first(tab.select)
        for event in several(*events):
            self.compute(event)

    def opens(self, **options: Any) -> Any:
        """Makes the page restore this result from a link. Returns the event."""
        outputs = list(dict.fromkeys([*self.inputs, *self.outputs]))
        inputs = [self.bar, self.page.language]
        streams = isasyncgenfunction(self.handler)
        opened = self._write if streams else self._open
        # While a text is being written Gradio forgets the event that it should send afterwards.
        mode = "multiple" if streams else "always_last"
        settings = {**self.options, "trigger_mode": mode, **options}
        return self.page.compute(self.bar.open, opened, inputs, outputs, **settings)

    def _open(self, models: Models, words: Words, asked: Any, language: Any) -> dict:
        values, updates = self._read(asked, words, language)
        return {**updates, **self._shown(self.handler(models, words, *values), updates)}

    async def _write(
        self, models: Models, words: Words, asked: Any, language: Any
    ) -> AsyncIterator[dict]:
        values, updates = self._read(asked, words, language)
        async for answer in self.handler(models, words, *values):
            yield {**updates, **self._shown(answer, updates)}
            updates = {self.bar: updates[self.bar]}  # again, as the browser may have missed it

    def _shown(self, answer: Any, updates: Mapping[Any, Any]) -> dict:
        """The answer by widget; one that is a field as well is given both."""
        if by_widget(answer):
            shown = answer
        else:
            shown = dict(zip(self.widgets, answers(answer), strict=True))
        both = {part: {**shown[part], "value": updates[part]} for part in shown if part in updates}
        return {**shown, **both}

    def _read(self, asked: Any, words: Words, language: Any) -> tuple[tuple, dict]:
        """The values that a link names, and what each component gets; says what is wrong."""
        asked = asked if isinstance(asked, dict) else {}
        values, wrong = self.link.restore(asked.get("query"), words, language)
        if wrong:
            gr.Warning(" ".join(wrong), title=words.say(language, "error.of_link"))
        updates = dict(zip(self.inputs, values, strict=True))
        link = {"query": self.link.query(values), "opened": asked.get("number")}
        return values, {**updates, self.bar: gr.update(link=link)}
