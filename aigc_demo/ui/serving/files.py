"""Pictures and lessons that the page fetches apart, once they are wanted."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

KINDS = {".png": "image/png", ".md": "text/markdown", ".json": "application/json"}
KINDS[".js"] = "text/javascript"
Content = bytes | Callable[[], bytes]  # or what reads it when it is first asked for


class Files:
    """Serves contents by their path, which ends in one of KINDS."""

    def __init__(self, app: ASGIApp, by_path: Mapping[str, Content]) -> None:
        self.app, self.by_path = app, dict(by_path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/")
            if path in self.by_path:
                kind = KINDS[PurePosixPath(path).suffix]
                day = {"cache-control": "public, max-age=86400"}
                answer = Response(await self._content(path), media_type=kind, headers=day)
                return await answer(scope, receive, send)
        await self.app(scope, receive, send)

    async def _content(self, path: str) -> bytes:
        found = self.by_path[path]
        if isinstance(found, bytes):
            return found
        read = await run_in_threadpool(found)
        self.by_path[path] = read
        return read
