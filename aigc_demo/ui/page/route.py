"""Links into the page: the tab that a link opens, the page's address, the dialog that gives one."""

import json
import os
from collections.abc import Mapping
from typing import Any

import gradio as gr

from aigc_demo.ui.kit.qr import qr_code
from aigc_demo.ui.kit.widgets import widget
from aigc_demo.ui.kit.words import LANGUAGES, Words, static
from aigc_demo.ui.page.page import LOCAL, Page
from aigc_demo.ui.page.query import MAX_QUERY


def base_address(environment: Mapping[str, str] = os.environ) -> str:
    """Where the page is for everyone, if that is not where the browser is.

    A Space is shown inside a frame of huggingface.co; its own host works outside it.
    """
    host = environment.get("SPACE_HOST", "")
    owner, _, name = environment.get("SPACE_ID", "").partition("/")
    if not host and name:
        host = f"{owner}-{name}".lower().replace("_", "-").replace(".", "-") + ".hf.space"
    return f"https://{host}/" if host else ""


def about_line(words: Words, environment: Mapping[str, str] = os.environ) -> gr.Markdown:
    """Adds the last line of the page; on a Space it leads to the code that runs there."""
    space = environment.get("SPACE_ID")
    for language in LANGUAGES if space else ():
        link = words.say(language, "page.code", space=space)
        entry = words.table[language]["page.about"]
        words.table[language]["page.about"] = {"value": f"{entry['value']} · {link}"}
    return words.tr(gr.Markdown(elem_id="about"), "page.about")


def follow_links(page: Page, tabs: gr.Tabs, opening: Any) -> None:
    """Makes the page open links and keep the browser's history; adds the dialog that gives them.

    tabs: those of the models; opening: the event of the page's opening.
    """
    models = [tab for tab in tabs.children if isinstance(tab, gr.Tab)]
    tasks = {str(tab.id): _tabs_in(tab) for tab in models}
    names = {
        name: [tab.id for tab in inner.children if isinstance(tab, gr.Tab)] if inner else []
        for name, inner in tasks.items()
    }
    script = static("page/route.js").replace("__TABS__", json.dumps(names))
    outputs = [tabs, *(inner for inner in tasks.values() if inner)]
    dialog = _dialog(page)
    dialog.route(None, None, outputs, js=script, **LOCAL)
    opening.then(None, None, outputs, js=script, **LOCAL)


def _tabs_in(tab: gr.Tab) -> gr.Tabs | None:
    """The tasks of a model, if it has several."""
    return next((block for block in tab.children if isinstance(block, gr.Tabs)), None)


def _dialog(page: Page) -> gr.HTML:
    template = (
        '<dialog data-word="heading" data-as="label"><p class="told" aria-live="polite"></p>'
        '<input class="address" type="text" readonly data-word="address" data-as="label">'
        '<img hidden alt=""><div class="row">'
        '<button type="button" data-word="save_card"></button>'
        '<button type="button" data-word="save_state"></button>'
        '<button type="button" data-word="open_state"></button>'
        '<button type="button" data-word="close"></button></div>'
        '<input type="file" accept=".json,application/json" hidden></dialog>'
        '<dialog class="own" data-word="own" data-as="label"><p data-word="own"></p>'
        '<div><pre tabindex="0"></pre><button type="button"></button></div>'
        '<div><pre tabindex="0"></pre><button type="button"></button></div>'
        '<div class="row"><button type="button" data-word="close"></button></div></dialog>'
    )
    return widget(
        "page/links",
        template,
        ("page/card",),
        base=base_address(),
        longest=MAX_QUERY,
        words=page.words.group("link"),
        elem_id="links",
        server_functions=[qr_code],
    )
