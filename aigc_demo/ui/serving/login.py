"""With --auth nothing is served before the login but the login itself.

Gradio asks for it route by route, and not everywhere: functions of widgets, the queue's answers and
what our own middleware serves would be open.
"""

import re

import gradio as gr
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_demo.ui.serving.middleware import tell

OPEN = re.compile(  # the page, which is then the form alone, and what it is drawn with
    r"/((login|logout|healthz|robots\.txt|favicon\.ico|manifest\.json|theme\.css|pwa_icon)?/?"
    r"|(static|assets|svelte|pwa_icon)/.+|gradio_api/startup-events)"
)


class LoggedIn:
    """Answers 401 to everything that is not OPEN, until the visitor has logged in."""

    def __init__(self, app: ASGIApp, demo: gr.Blocks) -> None:
        self.app, self.demo = app, demo

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.demo.app.auth is not None:
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if not OPEN.fullmatch(path) and not self._is_known(HTTPConnection(scope)):
                return await tell(send, 401, "expected a login first: open the page")
        await self.app(scope, receive, send)

    def _is_known(self, visitor: HTTPConnection) -> bool:
        """True if a cookie of the visitor is one that Gradio gave at a login."""
        given = self.demo.app
        names = (f"access-token-{given.cookie_id}", f"access-token-unsecure-{given.cookie_id}")
        return any(visitor.cookies.get(name) in given.tokens for name in names)
