"""Other weights, on every tab: fetched from the Hub by name, then a choice beside the bundled ones.

The choices are added in the browser, to every field where a model of the tab is chosen; so they
last as long as the page, and any replica of the server that has the weights will do.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from aigc_demo import hub
from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.catalog.models import Models, Other
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.widgets import CAPTION, widget
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.page import LOCAL, Page, Update

FETCHING: dict[str, Any] = {"concurrency_id": "fetching", "concurrency_limit": 8}
LOOK_SECONDS = 0.2  # between two looks at how much has come
SOON_SECONDS = 1.0  # what a link waits for so long needs no notice


def suggestions(tab: Tab) -> list[str]:
    """The repositories to suggest on a tab: those allowed, if that is a list, else GPT-2s.

    An owner all of whose repositories may be named is there as "owner/".
    """
    named = hub.named_repositories()
    listed = list(hub.FAMILY if named is None else named)
    return [
        pattern.removesuffix("*")
        for pattern in listed
        if "transformer" in tab.families or pattern not in hub.FAMILY
    ]


def fetcher(others: HubModels, tab: str) -> Any:
    """The handler of a tab's widget."""

    async def fetch(models: Models, words: Words, asked, language) -> AsyncIterator[Update]:
        """Yields the progress in bytes, then the model or one sentence why it cannot be had."""
        asked = asked if isinstance(asked, dict) else {}
        number, linked = asked.get("number"), asked.get("linked") is True
        try:
            if mine := models.trained(asked.get("source")):
                yield _shown(number, "here", **await asyncio.to_thread(about, models, mine))
                return
            coming = others.join(asked.get("source"), tab)
            try:
                looks, before = 0, None
                while not coming.over.is_set():
                    if before != (before := (coming.come, coming.total)):
                        yield _shown(number, "coming", come=coming.come, total=coming.total)
                    looks += 1
                    if linked and looks == SOON_SECONDS / LOOK_SECONDS:
                        title = words.say(language, "error.of_link")
                        gr.Info(words.say(language, "others.for_link"), title=title)
                    await asyncio.sleep(LOOK_SECONDS)
            finally:  # also where the visitor cancels or leaves
                others.leave(coming)
            found = coming.result()
            yield _shown(number, "here", **await asyncio.to_thread(about, models, found))
        except check.UserError as error:
            texts = check.explained(words, error)
            if linked:
                title = words.say(language, "error.of_link")
                gr.Warning(check.explain(words, error, language), title=title)
            yield _shown(number, "failed", texts=texts)

    return fetch


def _shown(number: Any, stage: str, **values: Any) -> Update:
    return gr.update(state={"number": number, "stage": stage, **values})


# In a script: what `about` says of the chosen model; nothing of a bundled one.
TOLD = "(window.aigc.page.about || {})[model]"


def about(models: Models, other: Other) -> dict[str, Any]:
    """The description of fetched weights for the browser."""
    repo, _, commit = other.name.partition("@")
    told: dict[str, Any] = {
        "name": other.name,
        "family": other.family,
        "label": other.own or f"{repo} @ {commit[:7]}",
        "url": "" if other.own else hub.address_of(repo, commit),
        "trained": other.secret,
    }
    told["title"], told["licence"] = models.card(other.name)
    assert other.tab.load is not None
    return {**told, **other.tab.about(models.get(other.name, other.tab.load))}


def add_other_weights(page: Page, *keys: str) -> None:
    """Adds the widget below the tasks of a tab. keys: of the words of fields that list models."""
    assert page.tab is not None
    tab, words = str(page.tab.id), page.words
    found = [(field, key) for field, key in words.components if key in keys]
    fields = [field for field, _ in found]
    choices = [
        {lang: words.properties(lang, key)["choices"] for lang in words.table} for _, key in found
    ]
    panel = _panel(
        words,
        tab=tab,
        suggestions=suggestions(page.models.tabs[tab]),
        choices=choices,
        own=_own(page.models, tab),
        elem_id=f"{tab}-others",
    )
    fetch = fetcher(page.others, tab)
    options = {"show_progress": "hidden", "trigger_mode": "multiple", **FETCHING}
    asked = [panel, page.language]
    fetching = page.compute(panel.ask, fetch, asked, panel, every=True, **options)
    panel.cancel(None, None, None, cancels=[fetching], **LOCAL)
    updates = "({ updates }) => updates"
    one = "({ updates }) => updates[0]"
    panel.offer(None, panel, fields, js=updates if len(fields) > 1 else one, **LOCAL)


def _own(models: Models, tab: str) -> list[dict[str, Any]]:
    """A user's own models of a tab; one that cannot be loaded is named in the log, and left out."""
    found = []
    for other in list(models.others.values()):
        if other.own and other.tab.name == tab:
            try:
                found.append(about(models, other))
            except check.UserError:
                models.forget(other.name)
    return found


def _panel(words: Words, **props: Any) -> gr.HTML:
    """Weights by the name of their repository. Events: ask, with value {source, linked, number};
    cancel; offer, when they are here, with value {updates} of the fields that list models.

    Props: tab; suggestions; choices, of these fields as bundled; own, the user's models that are
    there from the start; state, of what was asked:
    {number, stage, and what belongs to it}.
    """
    template = (
        '<details><summary data-word="heading"></summary><p class="hint" data-word="hint"></p>'
        '<form class="ask"><input type="text" spellcheck="false" autocapitalize="off"'
        ' autocomplete="off" maxlength="300" placeholder="owner/repo@revision"'
        ' data-word="repository" data-as="label">'
        '<button type="submit" data-word="fetch"></button>'
        '<button type="button" class="cancel" data-word="cancel" hidden></button></form>'
        '<div class="suggested"></div><progress hidden></progress>'
        + CAPTION
        + "<ul></ul></details>"
    )
    return widget(
        "page/others", template, state=None, value=None, words=words.group("others"), **props
    )
