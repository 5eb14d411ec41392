"""The web API: the endpoints of all tabs, for gradio_client and plain HTTP.

What is wrong is answered with one sentence, English unless `lang` says zh. Pictures go in as
uploaded files or as PNG data URIs, 28x28 or a photograph; they come out as files.
"""

from collections.abc import Sequence
from inspect import isasyncgenfunction
from typing import Any

import gradio as gr

from aigc_demo.images import data_uri, png
from aigc_demo.samples import sample_digits
from aigc_demo.ui.api.wrapping import document, parameters_of, speaking
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.page.page import WRITING, Page


def names_of(tab: Tab) -> list[str]:
    """The names of a tab's endpoints."""
    found = vars(tab.endpoints).items()
    return [name for name, value in found if callable(value) and not name.startswith("_")]


def add_endpoints(demo: gr.Blocks, page: Page, tabs: Sequence[Tab]) -> None:
    """Adds every endpoint to the page being built."""
    examples = {
        "model": "vae-2d",
        "picture": data_uri(png(sample_digits("test")[0][0])),
        "keep": [[int(row < 14)] * 28 for row in range(28)],
    }
    for tab in tabs:
        endpoints = tab.endpoints(page.models, page.others)
        for name in names_of(tab):
            method = getattr(endpoints, name)
            usual = WRITING if isasyncgenfunction(method) else endpoints.queue
            queue = endpoints.queues.get(name, usual)
            document(demo, speaking(page.words, method), examples, api_name=name, **queue)


def parameters(tabs: Sequence[Tab]) -> dict[str, dict[str, Any]]:
    """Endpoint -> its parameters with their defaults, None where there is none."""
    found = ((name, getattr(tab.endpoints, name)) for tab in tabs for name in names_of(tab))
    return {name: parameters_of(method) for name, method in found}
