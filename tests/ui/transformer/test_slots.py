"""The slots of the engines, as a visitor watches them: own texts with words, others' without."""

import asyncio
from typing import Any

import pytest
from gradio.context import LocalContext
from servers import finished

from aigc_demo.names import TEMPERATURE
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.transformer import slots
from aigc_demo.ui.transformer.requests import paced
from aigc_demo.ui.transformer.slots import MOST, watch_slots

MODELS, WORDS = Models(TABS), Words()


class Visitor:
    def __init__(self, session: str) -> None:
        self.session_hash = session


def texts_of(update: dict) -> list[dict[str, Any]]:
    return [text for loop in update["engine"] for text in loop["texts"]]


async def watched(session: str, begin: Any = 0, looks: int = 1) -> list[dict]:
    """What a visitor sees in so many looks."""
    LocalContext.request.set(Visitor(session))
    found = []
    watching = watch_slots(MODELS, WORDS, begin)
    async for update in watching:
        found.append(update)
        if len(found) == looks:
            break
    await watching.aclose()
    return found


async def emptied() -> bool:
    """Waits until nothing is being written."""
    for _ in range(200):
        if not MODELS.engines().get("shakespeare", MODELS.writer("shakespeare").engine).writing:
            return True
        await asyncio.sleep(0.05)
    return False


def test_own_texts_have_words_and_those_of_others_only_lengths():
    async def write_and_watch():
        LocalContext.request.set(Visitor("mine"))
        writer = MODELS.writer("shakespeare")
        writing = writer.begin("A secret of my own", 400, temperature=TEMPERATURE, seed=1)
        stream = paced(writing)
        await anext(stream)
        for _ in range(200):
            await asyncio.sleep(0.02)
            mine = (await asyncio.create_task(watched("mine")))[0]
            if len(texts_of(mine)) == 1 and texts_of(mine)[0]["new"] > 0:
                break
        theirs = (await asyncio.create_task(watched("theirs")))[0]
        nobody = (await asyncio.create_task(watched("")))[0]
        await stream.aclose()
        return writing, mine, theirs, nobody

    writing, mine, theirs, nobody = finished(write_and_watch())
    (own,), (other,), (unknown,) = texts_of(mine), texts_of(theirs), texts_of(nobody)
    assert own["given"] == len("A secret of my own") and own["most"] == 400
    assert own["name"] and own["name"] in writing.prompt + writing.so_far
    assert other["name"] == unknown["name"] == ""
    assert "secret" not in str(theirs) and set(other) == set(own)
    assert own["cache"] in range(own["given"] - 1, own["given"] + own["new"] + 2)


def test_a_guided_poem_has_two_slots_of_one_name():
    poet = MODELS.writer("poems")
    poems = [poet.begin_poem("七律", "江雪", guidance=3.0, seed=seed) for seed in range(9)]
    for poem in poems:
        poem.owner = "mine"
        poem.start()
    names = [text["name"] for text in texts_of(finished(watched("mine"))[0])]
    assert names and all(names) and len(names) % 2 == 0
    assert all(names.count(name) % 2 == 0 for name in names)
    for poem in poems:
        poem.cancel()


def test_a_program_that_writes_is_nobody():
    text = MODELS.writer("shakespeare").begin("KING", 300, seed=1).start()
    try:
        assert text.owner is None
        for update in finished(watched("", looks=2)):
            assert all(one["name"] == "" for one in texts_of(update))
    finally:
        text.cancel()


def test_texts_that_were_begun_to_be_watched_grow_and_end_with_the_watching(monkeypatch):
    assert finished(emptied())
    monkeypatch.setattr(slots, "PAUSE", 0.05)
    before = MODELS.engines()["shakespeare"].loops
    steps, read = sum(one.decoded for one in before), sum(one.read for one in before)
    looks = finished(watched("mine", MOST, looks=6))
    assert max(len(texts_of(update)) for update in looks) == MOST
    assert all(one["name"] for update in looks for one in texts_of(update))
    new = [sum(one["new"] for one in texts_of(update)) for update in looks]
    assert new[-1] > new[1] >= new[0]
    shown = [loop for loop in looks[-1]["engine"] if loop["model"] == "shakespeare"]
    assert sum(loop["decoded"] for loop in shown) > steps
    assert sum(loop["read"] for loop in shown) > read
    for loop in shown:
        assert len(loop["texts"]) <= loop["slots"]
    assert finished(emptied())


@pytest.mark.parametrize("begin", [-1, MOST + 1, "x", 0.5, True, [1]])
def test_what_a_client_asks_for_is_checked(begin):
    with pytest.raises(check.UserError):
        finished(watched("mine", begin))
