"""Pictures and lessons that the page fetches apart, once they are wanted."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import PurePosixPath

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

KINDS = {".png": "image/png", ".md": "text/markdown", ".json": "application/json"}
KINDS[".js"] = "text/javascript"
Content = bytes | Callable[[], bytes]  # or what reads it when it is first asked for


@cache
def _tag(content: bytes) -> str:
    """The ETag of a content, of which there are no more than the page has files."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


class Files:
    """Serves contents by their path, which ends in one of KINDS.

    A browser keeps for a day what it asked for by its version, after a "?"; all else it asks for
    each time, and is told if it has not changed.
    """

    def __init__(self, app: ASGIApp, by_path: Mapping[str, Content]) -> None:
        self.app, self.by_path = app, dict(by_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
            if path in self.by_path:
                content = await self._content(path)
                kept = "public, max-age=86400" if scope["query_string"] else "no-cache"
                tag = _tag(content)
                about = {"cache-control": kept, "etag": tag}
                if Headers(scope=scope).get("if-none-match") == tag:
                    answer = Response(status_code=304, headers=about)
                else:
                    kind = KINDS[PurePosixPath(path).suffix]
                    answer = Response(content, media_type=kind, headers=about)
                return await answer(scope, receive, send)
        await self.app(scope, receive, send)

    async def _content(self, path: str) -> bytes:
        found = self.by_path[path]
        if isinstance(found, bytes):
            return found
        read = await run_in_threadpool(found)
        self.by_path[path] = read
        return read
