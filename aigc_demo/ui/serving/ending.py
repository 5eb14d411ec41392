"""An end without a jolt, and /healthz, where a balancer asks whether to send visitors here.

Told to end (SIGTERM), the server takes nothing new, and lets what is under way finish for a while.
However it ended, its pages load themselves again from the next one.
"""

import signal
import threading
import time
from types import FrameType

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_demo.ui.kit.words import static
from aigc_demo.ui.serving.limits import ASKS
from aigc_demo.ui.serving.middleware import tell

FINISHING = 10.0  # seconds


def come_back() -> str:
    """The script by which a page does, for the end of its head."""
    return f"<script>\n{static('serving/come_back.js')}</script>\n"


class Ending:
    """The end of a page that is served: begun or not, and what it waits for."""

    def __init__(self, demo: gr.Blocks) -> None:
        self.demo = demo
        self.begun = False

    def on_sigterm(self) -> None:
        """From now on SIGTERM begins the end; a second one ends at once."""
        signal.signal(signal.SIGTERM, self._begin)

    def _begin(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.begun = True
        threading.Thread(target=self._finish, name="ending").start()

    def _finish(self) -> None:
        until = time.monotonic() + FINISHING
        while self.demo._queue.event_ids_to_events and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.2)  # the last answers are on their way
        self.demo.close(verbose=False)


class Health:
    """Answers /healthz: 200 where the first tab can answer, else 503; refuses calls at the end."""

    def __init__(self, app: ASGIApp, ending: Ending) -> None:
        self.app, self.ending = app, ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == "/healthz":
            ready = not self.ending.begun and not self.ending.demo._queue.stopped
            return await tell(send, 200 if ready else 503, "ready" if ready else "restarting")
        if self.ending.begun and scope["method"] == "POST" and ASKS.search(path):
            return await tell(send, 503, "restarting: please ask again in a moment")
        await self.app(scope, receive, send)
