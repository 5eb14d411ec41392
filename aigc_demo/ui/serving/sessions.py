"""Sessions that are over are forgotten, so that memory does not grow with the number of calls.

Gradio keeps the state of the last 10,000 sessions, and takes a call without a session for one of a
session that is named like its event. What is taken for granted of it: tests/test_internals.py.
"""

import re
import threading
import time
from typing import Any

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

CALL = re.compile(r"[0-9a-f]{32}")  # the id of an event, and so the session of a call without one
LISTENED = re.compile(rf"/call/[^/]+/({CALL.pattern})/?$")
AFTER = 60.0  # seconds that a session is kept after its end: a page may come back, a call be heard
EVERY = 20.0  # seconds between two looks


def forget(demo: gr.Blocks, session: str) -> None:
    """Lets go of all that Gradio keeps of a session."""
    kept: tuple[dict[str, Any], ...] = (
        demo.state_holder.session_data,
        demo.state_holder.time_last_used,
        demo._queue.pending_messages_per_session,
        demo._queue.pending_event_ids_session,
    )
    for by_session in kept:
        by_session.pop(session, None)


class Sessions:
    """The sessions of a page that is served, and since when those that are over are idle."""

    def __init__(self, demo: gr.Blocks) -> None:
        self.demo = demo
        self.idle: dict[str, float] = {}  # session -> seconds of the monotonic clock

    def is_over(self, session: str) -> bool:
        """True for a call whose event has ended, and for a page that was closed.

        A page with a state of its own is left to Gradio, which lets go of it within the hour.
        """
        queue = self.demo._queue
        events = queue.pending_event_ids_session.get(session, ())
        if any(event in queue.event_ids_to_events for event in list(events)):
            return False
        if CALL.fullmatch(session):
            return session not in queue.event_ids_to_events
        state = self.demo.state_holder.session_data.get(session)
        return state is not None and state.is_closed and not state.state_data

    def look(self, now: float) -> None:
        """Forgets those that have been over for a while."""
        holder, queue = self.demo.state_holder, self.demo._queue
        known = {*list(holder.session_data), *list(queue.pending_event_ids_session)}
        over = {session for session in known if self.is_over(session)}
        self.idle = {session: self.idle.get(session, now) for session in over}
        for session, since in self.idle.items():
            if now - since >= AFTER:
                forget(self.demo, session)

    def watch(self) -> None:
        """Looks now and then, in a thread that ends with the program."""

        def run() -> None:
            while True:
                time.sleep(EVERY)
                self.look(time.monotonic())

        threading.Thread(target=run, daemon=True, name="sessions").start()


class ForgetCalls:
    """Forgets a call without a session as soon as its answer was heard to the end."""

    def __init__(self, app: ASGIApp, demo: gr.Blocks) -> None:
        self.app, self.demo = app, demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = LISTENED.search(scope["path"]) if scope["type"] == "http" else None
        await self.app(scope, receive, send)
        if heard and not self.demo._queue.pending_event_ids_session.get(heard[1]):  # its end too
            forget(self.demo, heard[1])
