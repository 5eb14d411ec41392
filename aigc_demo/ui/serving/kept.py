"""Answers that stay as they are, kept whole and compressed: the page itself, and Gradio's scripts.

Gradio makes the page anew for every visitor, a tenth of a second of work, and each of its 80 files
was compressed anew. What is kept depends on nothing but what is in the key.
"""

import re
from collections import OrderedDict
from threading import Lock
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.ui.kit.words import LANGUAGES
from aigc_demo.ui.serving.first_paint import is_page

MOST = 24 * 2**20  # bytes kept; beyond, what was not asked for longest goes
ASSET = re.compile(r"/assets/[\w.-]{1,100}")  # a file of Gradio's, by its one name
# Headers that say where the page stands: its own address is in it, and that of a link's picture.
PLACE = (b"host", b"x-gradio-server", b"x-forwarded-host", b"x-forwarded-proto")
READ_BY_GRADIO = {"deep_link", "page", "all_endpoints"}  # parameters that change its answer
CONDITIONS = (b"if-none-match", b"if-modified-since", b"range", b"if-range")


class Kept:
    """Gives an answer once more as it was given before, without asking the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: OrderedDict[tuple, tuple[Message, bytes]] = OrderedDict()
        self._size, self._lock = 0, Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            return await self.app(scope, receive, send)
        with self._lock:
            found = self._kept.get(key)
            if found:
                self._kept.move_to_end(key)
        if found:
            await send({**found[0], "headers": list(found[0]["headers"])})
            return await send({"type": "http.response.body", "body": found[1]})
        start: Message = {}
        parts: list[bytes] = []

        async def passed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body") and start.get("status") == 200:
                    self._keep(key, start, b"".join(parts))
            await send(message)

        await self.app(scope, receive, passed)

    def _keep(self, key: tuple, start: Message, body: bytes) -> None:
        names = {name.lower() for name, _ in start["headers"]}
        if b"set-cookie" in names or len(body) > MOST // 4:
            return
        headers = [h for h in start["headers"] if h[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        with self._lock:
            self._size += _weight(key, body) - self._weight_of(key)
            self._kept[key] = ({**start, "headers": headers}, body)
            while self._size > MOST:
                self._size -= self._weight_of(oldest := next(iter(self._kept)))
                del self._kept[oldest]

    def _weight_of(self, key: tuple) -> int:
        return _weight(key, self._kept[key][1]) if key in self._kept else 0


def _weight(key: tuple, body: bytes) -> int:
    """The bytes that an answer takes, with its key and headers, about."""
    return len(body) + len(repr(key)) + 2_000


def _key(scope: Scope) -> tuple | None:
    """All that an answer depends on; None where it is not to be kept."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    headers = scope["headers"]
    if any(name in CONDITIONS for name, _ in headers):
        return None
    accepted = next((value for name, value in headers if name == b"accept-encoding"), b"")
    packed = b"gzip" in accepted  # of several such headers the first, as GZipMiddleware reads it
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if ASSET.fullmatch(path):
        return path, packed
    app = scope.get("app")
    if not is_page(scope) or getattr(app, "auth", None) or getattr(app, "auth_dependency", None):
        return None  # with a login it holds the visitor's name
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if READ_BY_GRADIO & query.keys():
        return None
    place = (scope["scheme"], scope["path"], scope.get("root_path", ""))
    told = tuple(one for one in headers if one[0] in PLACE)  # of several alike the first counts
    language = query.get("lang", [""])[0]
    return place, told, language if language in LANGUAGES else "", packed
