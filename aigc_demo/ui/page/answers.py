"""Handlers' answers in order: the one to a visitor's latest question stays.

Events of different fields run beside each other, so the first asked may be the last to answer.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import wraps
from inspect import isasyncgenfunction
from threading import Lock
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.context import LocalContext

from aigc_demo.ui.kit.addresses import address_of


def answers(answer: Any) -> tuple:
    """The return value of a handler as a tuple, one value a component."""
    return answer if isinstance(answer, tuple) else (answer,)


def by_widget(answer: Any) -> bool:
    """True if an answer maps widgets to updates, and is not the update of a single widget."""
    return isinstance(answer, Mapping) and all(isinstance(key, Block) for key in answer)


class Visit:
    """The questions of one visitor that are being answered, in the order they were asked."""

    def __init__(self) -> None:
        self.running, self.last = 0, 0
        self.newest: dict[Any, int] = {}  # by widget and property, whose answer it shows
        self.asked: dict[Any, int] = {}  # by handler, the latest question to it


def visitor() -> str | None:
    """The session of whoever is being answered; None where there is none, as for a program."""
    return getattr(LocalContext.request.get(None), "session_hash", None)


def address() -> str:
    """The address of whoever is being answered, if it has limits, else ""."""
    return address_of(LocalContext.request.get(None))


class Visits:
    """Of each visitor with questions under way, which widgets show the answer to which."""

    def __init__(self) -> None:
        self._visits: dict[Any, Visit] = {}  # by session
        self._lock = Lock()

    @contextmanager
    def question(
        self, handler: Callable | None = None, opening: bool = False
    ) -> Iterator[tuple[Callable, Callable]]:
        """A new question to a handler.

        opening: it is that of a tab that opens, older than any other, whichever comes first.

        Yields what keeps of its answers what is still to be shown, and what tells whether there is
        a later question to the same handler.
        """
        session = visitor() or object()
        with self._lock:
            visit = self._visits.setdefault(session, Visit())
            visit.running += 1
            visit.last += 1
            number = 0 if opening else visit.last
            visit.asked[handler] = max(number, visit.asked.get(handler, 0))

        def shown(widget: Any, name: str) -> bool:
            if visit.newest.get((widget, name), 0) > number:
                return False
            visit.newest[widget, name] = number
            return True

        def left(of: Any, widget: Any) -> Any:
            if isinstance(of, dict) and "__type__" in of:  # an update of some properties
                return {k: v for k, v in of.items() if k == "__type__" or shown(widget, k)}
            return of if shown(widget, "value") else gr.skip()

        def keep(answer: Any, outputs: list) -> Any:
            with self._lock:
                if by_widget(answer):
                    return {widget: left(of, widget) for widget, of in answer.items()}
                if len(outputs) == 1:
                    return left(answer, outputs[0])
                return tuple(left(*pair) for pair in zip(answer, outputs, strict=True))

        try:
            yield keep, lambda: visit.asked[handler] > number
        finally:
            with self._lock:
                visit.running -= 1
                if not visit.running:
                    del self._visits[session]

    def newest(self, handler: Callable, outputs: list, opening: bool = False) -> Callable:
        """The handler, whose answers leave alone what shows the answer to a later question.

        opening: see `question`.
        """

        @wraps(handler)
        def run(*values: Any) -> Any:
            with self.question(opening=opening) as (keep, _):
                return keep(handler(*values), outputs)

        @wraps(handler)
        async def stream(*values: Any) -> AsyncIterator:
            answer: Any = {outputs[0]: gr.skip()}
            with self.question(handler, opening) as (keep, is_old):
                async with aclosing(handler(*values)) as found:
                    async for answer in found:
                        if is_old():  # two streams at once disturb each other in the browser
                            break
                        yield keep(answer, outputs)
                # Gradio sends the last answer whole as a stream ends, which mends what the browser
                # missed; of an old stream that would undo what came since.
                yield {outputs[0]: gr.skip()} if is_old() else keep(answer, outputs)

        return stream if isasyncgenfunction(handler) else run
