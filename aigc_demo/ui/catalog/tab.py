"""The record of a tab; ui/app.py lists them all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def nothing(_: Any) -> dict[str, Any]:
    """No more to know."""
    return {}


def always() -> bool:
    """It is there."""
    return True


class Endpoints:
    """The endpoints of a tab, a public method each; docstring and type hints document it.

    There a parameter has one line. `lang` is added to each, see ui/api/.
    """

    queue: dict[str, Any] = {}  # Gradio's options of those that do not stream
    queues: dict[str, dict[str, Any]] = {}  # and of those named here

    def __init__(self, models: Any, others: Any) -> None:
        """models: of the page; others: those on their way from the Hub."""
        self._models, self._others = models, others


@dataclass(frozen=True)
class Tab:
    """One tab: a folder of this name, with its words, lesson, scripts and style.

    Args:
        name: its id in links, the prefix of its own words, and its folder.
        build: adds its components and events to a page.
        models: the bundled models that it works with.
        families: the families of weights that can be used on it.
        load: makes the wrapper of such weights.
        endpoints: the class of its endpoints.
        about: what the browser has to know of weights from the Hub, from their wrapper.
        files: what the browser fetches apart, by its path, each read once somebody asks.
        there: whether the page has it.
    """

    name: str
    build: Callable[[Any], None]
    models: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    load: Callable[[str | Path], Any] | None = None
    endpoints: type[Endpoints] = Endpoints
    about: Callable[[Any], dict[str, Any]] = nothing
    files: Callable[[], dict[str, Callable[[], bytes]]] = dict
    there: Callable[[], bool] = always
