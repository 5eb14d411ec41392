"""The first paint, before the page is there: its heading and the first digits.

The browser has them with the first answer, but Gradio paints nothing before its scripts have come
and made every component. So a script in the answer itself paints the digits with their widget's own
code, at their place, and goes when the page has painted them.
"""

import json
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.ui.kit.widgets import script_of
from aigc_demo.ui.kit.words import Words, static
from aigc_demo.ui.serving.link_preview import FOREIGN

HEAD_ENDS = b"</head>"


def first_paint(words: Words) -> str:
    """The elements that paint them, for the end of the page's head."""
    hero = {language: words.properties(language, "page.hero")["value"] for language in words.table}
    script = static("serving/first_paint.js")
    for name, filling in {
        "__HERO__": json.dumps(hero, ensure_ascii=False),
        "__LANGUAGE__": static("page/first_language.js").strip(),
        "__TILES__": script_of("kit/tiles"),
    }.items():
        script = script.replace(name, filling)
    return f"<style>\n{static('serving/first_paint.css')}</style>\n<script>\n{script}</script>\n"


class Inserted:
    """Puts elements of ours at the end of the head of the page, in place of Gradio's link preview.

    elements: of a request.
    """

    def __init__(self, app: ASGIApp, elements: Callable[[Scope], str]) -> None:
        self.app, self.elements = app, elements

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not is_page(scope):
            return await self.app(scope, receive, send)
        start: Message = {}
        parts: list[bytes] = []

        async def insert(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            before, end, after = b"".join(parts).rpartition(HEAD_ENDS)
            own = self.elements(scope).encode() if end else b""
            body = FOREIGN.sub(b"", before) + own + end + after
            headers = [h for h in start["headers"] if h[0].lower() != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, insert)


def is_page(scope: Scope) -> bool:
    """True for a request of the page itself, wherever a proxy has put it."""
    return scope["path"].removeprefix(scope.get("root_path", "")) in ("", "/")
