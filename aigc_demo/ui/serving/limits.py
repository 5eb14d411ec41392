"""Limits of one address, so that others notice nothing of a hasty one.

Three rules: at most MOST calls of an address wait or run; of each kind of work it gets at most half
the places, and whoever has fewest comes first; what nobody listens to is dropped. Of whom: uvicorn
says, behind a proxy the forwarded address if FORWARDED_ALLOW_IPS trusts it. Loopback has no limits,
unless AIGC_PUBLIC is 1. What is taken for granted of Gradio's queue: tests/test_internals.py.
"""

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qs

import gradio as gr
from gradio.queueing import Event, EventQueue, Queue
from gradio.utils import get_space
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_demo.ui.kit.addresses import address_of, limited
from aigc_demo.ui.serving.middleware import tell

MOST = 40  # calls of one address that wait or run: a class behind one address has as many visitors
UNHEARD = 10.0  # seconds after which a call that nobody listens to is dropped
EVERY = 2.0  # seconds between two looks for such calls
ASKS = re.compile(r"/gradio_api/(queue/join|call/(v2/)?[^/]+)/?$")
HEARS = re.compile(r"/gradio_api/(?:queue/data|call/[^/]+/([0-9a-f]{32}))/?$")
PROXIES_OF_SPACES = "127.0.0.1,::1,10.0.0.0/8"  # which say whom they speak for


def trust_proxies() -> None:
    """Of a Space its proxies are trusted, before the server starts."""
    if get_space():
        os.environ.setdefault("FORWARDED_ALLOW_IPS", PROXIES_OF_SPACES)


def next_of(waiting: list[Event], running: Iterable[Event], places: int | None) -> Event | None:
    """Whose turn it is: the first of the address that has fewest running.

    places: of this kind of work; an address gets at most half of them.
    """
    held = Counter(address_of(event.request) for event in running)
    most = max(1, places // 2) if places else len(waiting) + sum(held.values())
    held[""] = 0  # who has no limits is never made to wait
    turns = [event for event in waiting if held[address_of(event.request)] < most]
    return min(turns, key=lambda event: held[address_of(event.request)], default=None)


def in_turn(queue: Queue) -> tuple[list[Event], bool, str] | None:
    """The next event to be processed, of a kind of work that has a place free.

    For Queue.get_events, which takes turns by arrival alone.
    """
    kinds = list(queue.event_queue_per_concurrency_id.items())
    random.shuffle(kinds)
    for kind, waiting in kinds:
        if waiting.queue and _has_place(waiting):
            running = [event for job in queue.active_jobs for event in job or ()]
            same = [event for event in running if event.concurrency_id == kind]
            if event := next_of(waiting.queue, same, waiting.concurrency_limit):
                waiting.queue.remove(event)
                return [event], event.fn.batch, kind
    return None


def _has_place(queue: EventQueue) -> bool:
    return queue.concurrency_limit is None or queue.current_concurrency < queue.concurrency_limit


class Limits:
    """Refuses what goes beyond MOST, and drops what nobody listens to."""

    def __init__(self, app: ASGIApp, demo: gr.Blocks) -> None:
        self.app, self.queue = app, demo._queue
        self.listening: Counter[str] = Counter()  # session -> connections that hear of it
        self.looking: asyncio.Task | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self.looking is None:
            self.looking = asyncio.create_task(self._look())
        if scope["method"] == "POST" and ASKS.search(scope["path"]) and self._is_hasty(scope):
            text = f"expected at most {MOST} calls at once from one address: wait for an answer"
            return await tell(send, 429, text)
        heard = HEARS.search(scope["path"]) if scope["method"] == "GET" else None
        if not heard:
            return await self.app(scope, receive, send)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        session = heard[1] or query.get("session_hash", [""])[0]
        self.listening[session] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.listening[session] -= 1
            self.listening += Counter()  # keeps those above 0

    def _is_hasty(self, scope: Scope) -> bool:
        address = limited((scope.get("client") or ("",))[0])
        if not address:
            return False
        asked = list(self.queue.event_ids_to_events.values())
        return sum(address_of(event.request) == address for event in asked) >= MOST

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            for session in self.unheard(time.monotonic()):
                await self.queue.clean_events(session_hash=session)

    def unheard(self, now: float) -> set[str]:
        """The sessions with calls of a limited address that nobody has listened to for long."""
        return {
            event.session_hash
            for event in list(self.queue.event_ids_to_events.values())
            if now - event.enqueue_time > UNHEARD
            and address_of(event.request)
            and not self.listening[event.session_hash]
        }
