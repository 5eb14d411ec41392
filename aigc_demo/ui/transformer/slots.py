"""How a server writes for many: the slots of the engines, as they are from moment to moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import gradio as gr

from aigc_demo.inference.writing.loop import Loop
from aigc_demo.inference.writing.text import Generation
from aigc_demo.names import TEMPERATURE, TOP_P
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.answers import visitor
from aigc_demo.ui.page.page import Page, Update
from aigc_demo.ui.transformer.requests import PROMPTS, ready
from aigc_demo.ui.transformer.widgets import together

PAUSE = 0.2  # seconds between two pictures
WATCHED = 20.0  # seconds that one question is answered for; the browser asks again
MOST = 8  # texts that a visitor begins at once, to watch
LENGTH = 400  # tokens of the longest
TAIL = 28  # characters of an own text that are told
WATCHING: dict[str, Any] = {"concurrency_id": "watching", "concurrency_limit": 12}
WATCHING |= {"trigger_mode": "multiple", "show_progress": "hidden"}  # a new question ends the old


async def watch_slots(models: Models, words: Words, begin) -> AsyncIterator[Update]:
    """The slots of all engines, again and again; own texts with their names, others without.

    begin: so many texts are begun, to be watched.
    """
    mine, begun = visitor(), []
    count = check.whole(begin or 0, "count", 0, MOST)
    if count:
        writer = await ready(models, "shakespeare")
        shape: dict[str, Any] = {"temperature": TEMPERATURE, "top_p": TOP_P}
        for seed in range(count):
            prompt = PROMPTS[seed % len(PROMPTS)]
            text = writer.begin(prompt, LENGTH - 40 * seed, seed=seed, **shape)
            text.owner = mine
            begun.append(text.start())
    end = time.monotonic() + WATCHED
    try:
        while time.monotonic() < end:
            shown = [
                {"number": number, **loop_now(name, loop, mine)}
                for name, engine in models.engines().items()
                for number, loop in enumerate(engine.loops, 1)
            ]
            yield gr.update(engine=shown)
            await asyncio.sleep(PAUSE)
    finally:
        for text in begun:
            text.cancel()


def loop_now(name: str, loop: Loop, mine: str | None) -> dict[str, Any]:
    """What a loop does at this moment; of others' texts only how long they are."""
    texts = list(loop.writing)
    names = {text: _tail(text) for text in texts if mine is not None and text.owner == mine}
    names |= {text.beside: name for text, name in names.items() if text.beside is not None}
    lengths = loop.steps.lengths.tolist()
    return {
        "model": name,
        "slots": loop.steps.slots,
        "read": loop.read,
        "decoded": loop.decoded,
        "waiting": len(loop.waiting),
        "texts": [
            {
                "given": text.given,
                "new": len(text.ids) - text.given,
                "most": text.count,
                "cache": lengths[slot],
                "name": names.get(text, ""),
            }
            for slot, text in enumerate(texts)
        ],
    }


def _tail(text: Generation) -> str:
    return (text.prompt + text.so_far)[-TAIL:] or "…"


def writing_now(models: Models) -> dict[str, int]:
    """The numbers of texts being written together and of texts waiting."""
    writing, waiting = models.writing()
    return {"writing": writing, "waiting": waiting}


def add_slots(page: Page) -> None:
    """Adds the line that tells how many texts are being written, and what unfolds below it."""
    shown = together(page.words, server_functions=[page.serve(writing_now)])
    page.compute(shown.watch, watch_slots, [shown], shown, **WATCHING)
