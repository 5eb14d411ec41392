"""ASGI middleware: limits of requests, what the page may do, checks of plain HTTP calls."""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradio.utils import get_space, get_upload_folder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes of a request
UPLOADED = 17 * 2**20  # of one that uploads a file, of at most 16 MB by Gradio's own limit
UPLOAD = re.compile(r"(^|/)gradio_api/upload/?$")  # its route; an endpoint may be named so too
DRAINED = 8 * LARGEST  # of a body that is refused

# What the page may load and do. Exceptions from 'self': Gradio sets the page up in a script and in
# styles of the HTML itself ('unsafe-inline'), and compiles the scripts of gr.HTML, our widgets, in
# the browser ('unsafe-eval'); pictures and files are made there (data:, blob:).
# No frame-ancestors: a Space shows the page in a frame. On a Space Gradio's header asks the Hub for
# its maker's name and picture.
HUB = " https://huggingface.co https://*.huggingface.co" if get_space() else ""
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": f"'self' data: blob:{HUB}",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": f"'self' data: blob:{HUB}",
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
    """Answers 422 to a body that Gradio would fail on, or that names a file which is none of ours.

    That is NaN and Infinity, numbers beyond float64, halves of surrogate pairs in what is said of
    an event beside its data (RFC 8259, sections 6 and 8.2), events that the page does not have,
    too few or too many values, and a file object with any path but that of an upload.
    """

    def __init__(self, app: ASGIApp, counts: Mapping[int, int]) -> None:
        """counts: of the values that each of the page's events takes, by its number."""
        self.app, self.counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if not headers.get(b"content-type", b"").startswith(b"application/json"):
            return await self.app(scope, receive, send)
        body = await _body(receive)
        try:
            if body:
                self._check(_parsed(body))
        except RecursionError:
            return await _refuse(send, 422, "expected JSON with fewer lists in lists")
        except ValueError as error:
            reason = "half a character" if isinstance(error, UnicodeError) else error
            return await _refuse(send, 422, f"expected JSON as the page sends it: {reason}")
        await self.app(scope, _again(body, receive), send)

    def _check(self, asked: Any) -> None:
        """Raises ValueError for what is wrong with a parsed body."""
        for path in _paths(asked):
            if not _uploaded(path):
                raise ValueError("expected a file that was uploaded before")
        if not isinstance(asked, dict) or not isinstance(data := asked.get("data"), list):
            return
        about = {name: value for name, value in asked.items() if name != "data"}
        json.dumps(about, ensure_ascii=False).encode()  # handlers look at the data themselves
        if (number := asked.get("fn_index")) is not None:
            if not isinstance(number, int) or isinstance(number, bool) or number not in self.counts:
                raise ValueError("expected the number of an event of this page")
            if len(data) != self.counts[number]:
                raise ValueError(f"expected {self.counts[number]} values, got {len(data)}")


def _paths(asked: Any) -> Iterator[Any]:
    """The paths of all of Gradio's file objects in a parsed body."""
    if isinstance(asked, list):
        for one in asked:
            yield from _paths(one)
    elif isinstance(asked, dict):
        meta = asked.get("meta", {})  # Gradio takes it for an object wherever there is one
        if not isinstance(meta, dict) or meta.get("_type") == "gradio.FileData":
            yield asked.get("path")
        for one in asked.values():
            yield from _paths(one)


def _uploaded(path: Any) -> bool:
    """Whether a path is in the folder of uploads. No file is opened."""
    if not isinstance(path, str) or "\0" in path:
        return False
    return Path(get_upload_folder()).resolve() in Path(os.path.abspath(path)).parents


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
