"""ASGI middleware: limits of requests, what the page may do, checks of plain HTTP calls."""

import json
import math
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes of a request
UPLOADED = 17 * 2**20  # of one that uploads a file, of at most 16 MB by Gradio's own limit
UPLOAD = re.compile(r"(^|/)gradio_api/upload/?$")  # its route; an endpoint may be named so too
DRAINED = 8 * LARGEST  # of a body that is refused

# What the page may load and do. Exceptions from 'self': Gradio sets the page up in a script and in
# styles of the HTML itself ('unsafe-inline'), and compiles the scripts of gr.HTML, our widgets, in
# the browser ('unsafe-eval'); pictures and files are made there (data:, blob:).
# No frame-ancestors: a Space shows the page in a frame.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
SAFETY = {
    "content-security-policy": "; ".join(f"{what} {where}" for what, where in POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",  # a link's query holds what was written
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class SafetyHeaders:
    """Tells the browser in every answer what the page never does, so that no one can make it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message.get("headers", [])}
                added = [(name.encode(), value.encode()) for name, value in SAFETY.items()]
                message["headers"] = [
                    *message.get("headers", []),
                    *((name, value) for name, value in added if name not in given),
                ]
            await send(message)

        await self.app(scope, receive, told if scope["type"] == "http" else send)


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
        await self.app({**scope, "headers": headers}, _again(body, receive), send)


class PlainJSON:
    """Answers 422 to what Python reads as JSON, but Gradio cannot write again.

    Those are NaN and Infinity, numbers beyond float64, and halves of surrogate pairs in what is
    said of an event beside its data (RFC 8259, sections 6 and 8.2).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if not headers.get(b"content-type", b"").startswith(b"application/json"):
            return await self.app(scope, receive, send)
        body = await _body(receive)
        try:
            asked = _parsed(body) if body else None
            if isinstance(asked, dict) and "data" in asked:  # handlers look at the data themselves
                about = {name: value for name, value in asked.items() if name != "data"}
                json.dumps(about, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            reason = "a character that is half of one" if isinstance(error, UnicodeError) else error
            return await _refuse(send, 422, f"expected JSON as RFC 8259 has it: {reason}")
        await self.app(scope, _again(body, receive), send)


def _parsed(body: bytes) -> Any:
    """The JSON of a body.

    Raises:
        ValueError: it is none, or holds a number that is not finite.
        RecursionError: lists in lists, too deep.
    """

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"expected finite numbers, got {number[:20]}")
        return value

    return json.loads(body, parse_float=finite, parse_constant=finite)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more."""
    messages: list[Message] = [{"type": "http.request", "body": body}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


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
