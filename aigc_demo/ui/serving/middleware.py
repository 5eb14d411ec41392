"""ASGI middleware: a limit to the size of requests, and checks of plain HTTP calls."""

import json
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes of a request
UPLOADED = 17 * 2**20  # of one that uploads a file, of at most 16 MB by Gradio's own limit
UPLOAD = re.compile(r"(^|/)gradio_api/upload/?$")  # its route; an endpoint may be named so too
DRAINED = 8 * LARGEST  # of a body that is refused


class BodyLimit:
    """Answers 413 to a request whose body is larger than any the page sends, or of unknown size."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            upload = UPLOAD.search(scope["path"])
            if not length.isdigit() or int(length) > (UPLOADED if upload else LARGEST):
                most = "16 MB" if upload else "256 kB"
                await _read_out(receive)
                await _refuse(send, 413, f"expected a request body of known size, at most {most}")
                return
        await self.app(scope, receive, send)


async def _read_out(receive: Receive) -> None:
    """Reads a body and forgets it: who is still sending, nginx too, may not hear the answer."""
    rest = DRAINED
    while rest > 0:
        message = await receive()
        rest -= len(message.get("body", b""))
        if not message.get("more_body"):
            return


class PlainCalls:
    """Looks at calls of the API by plain HTTP: what is left out gets its default.

    Without it Gradio answers unknown names with HTTP 500, and a short list with no reason at all.
    """

    def __init__(self, app: ASGIApp, endpoints: dict[str, dict[str, Any]]) -> None:
        self.app, self.endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        post = scope["type"] == "http" and scope["method"] == "POST"
        called = re.search(r"/gradio_api/call/(v2/)?([^/]+)/?$", scope["path"]) if post else None
        if called is None:
            return await self.app(scope, receive, send)
        by_name, name = bool(called[1]), called[2]
        if name not in self.endpoints:
            known = ", ".join(self.endpoints)
            await _read_out(receive)
            return await _refuse(send, 404, f"expected one of the endpoints {known}")
        try:
            asked = _completed(await _body(receive), self.endpoints[name], by_name)
        except ValueError as error:
            return await _refuse(send, 422, f"{name}: {error}")
        body = json.dumps(asked).encode()
        headers = [h for h in scope["headers"] if h[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app({**scope, "headers": headers}, replay, send)


def _completed(body: bytes, known: dict[str, Any], by_name: bool) -> dict[str, Any]:
    """Parses a call, and fills in the defaults of what was left out.

    Raises:
        ValueError: no JSON, not of the expected form, or arguments that there are not.
    """
    form = "an object of arguments" if by_name else 'an object with a list, {"data": [...]}'
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError(f"expected JSON, {form}") from None
    if not isinstance(asked, dict) or not (by_name or isinstance(asked.get("data"), list)):
        raise ValueError(f"expected {form}")
    if by_name:
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise ValueError(f"expected arguments of {', '.join(known)}, got {unknown[0][:40]!r}")
        return {**known, **asked}
    if len(asked["data"]) > len(known):
        raise ValueError(f"expected at most {len(known)} values, got {len(asked['data'])}")
    return {**asked, "data": asked["data"] + list(known.values())[len(asked["data"]) :]}


async def _body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _refuse(send: Send, status: int, detail: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})
