"""What the page tells a visitor who names weights on the Hub, state by state."""

from servers import finished

from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.hub_panel import fetcher

WORDS = Words()


def states(page_models, source, tab="gan", others=None, **asked):
    """What a tab's widget is told, one state after the other."""

    async def collect():
        fetch = fetcher(others or HubModels(page_models), tab)
        given = {"source": source, "number": 1, **asked}
        return [update["state"] async for update in fetch(page_models, WORDS, given, "en")]

    return finished(collect())


def fetched(page_models, source, tab="gan"):
    last = states(page_models, source, tab)[-1]
    assert last["stage"] == "here", last
    return last["name"]
