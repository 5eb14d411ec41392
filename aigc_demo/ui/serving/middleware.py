"""ASGI middleware: limits of requests, what the page may do, checks of plain HTTP calls."""

import asyncio
import json
import math
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from gradio.utils import get_space
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigc_demo.ui.page.api_files import uploaded

LARGEST = 256 * 1024  # bytes of a request
UPLOADED = 17 * 2**20  # of one that uploads a file, of at most 16 MB by Gradio's own limit
UPLOAD = re.compile(r"(^|/)gradio_api/upload/?$")  # its route; an endpoint may be named so too
CALLED = re.compile(r"/gradio_api/(call/v2|call|run|api)/([^/]+)/?$")
DRAINED = 32 * 2**20  # of a body that is refused, more than a phone's photograph takes
SILENCE = 1.0  # seconds without a byte of it, after which it is answered

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
        self.headers = [(name.encode(), value.encode()) for name, value in SAFETY.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", []))
                given = {name for name, _ in own}
                message["headers"] = own + [one for one in self.headers if one[0] not in given]
            await send(message)

        await self.app(scope, receive, told if scope["type"] == "http" else send)


class Faults:
    """Answers 500 with a sentence where a fault of ours, as a full disk, left no answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def told(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, told)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise  # uvicorn logs it, and breaks off
            traceback.print_exception(error)
            await tell(send, 500, "something went wrong here; it has been logged, please try again")


class BodyLimit:
    """Answers 413 to a request whose body is larger than any the page sends, or of unknown size."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _has_body(scope):
            length = dict(scope["headers"]).get(b"content-length", b"")
            upload = UPLOAD.search(scope["path"])
            if not length.isdigit() or int(length) > (UPLOADED if upload else LARGEST):
                most = "16 MB" if upload else "256 kB"
                await _read_out(receive)
                await tell(send, 413, f"expected a request body of known size, at most {most}")
                return
        await self.app(scope, receive, send)


async def _read_out(receive: Receive) -> None:
    """Reads a body and forgets it: who is still sending, nginx too, may not hear the answer."""
    rest = DRAINED
    while rest > 0:
        try:
            message = await asyncio.wait_for(receive(), SILENCE)
        except TimeoutError:
            return
        rest -= len(message.get("body", b""))
        if not message.get("more_body"):
            return


class PlainCalls:
    """Looks at what a client sends before Gradio does; what a plain call leaves out gets a default.

    Without it Gradio answers unknown names and events, NaN, halves of surrogate pairs and lists of
    the wrong length with HTTP 500 or no reason at all, and fetches files by their address.
    """

    def __init__(
        self, app: ASGIApp, endpoints: dict[str, dict[str, Any]], counts: Mapping[int, int]
    ) -> None:
        """endpoints: the defaults of each, by name; counts: of the values of each event."""
        self.app, self.endpoints, self.counts = app, endpoints, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _has_body(scope) or UPLOAD.search(scope["path"]):
            return await self.app(scope, receive, send)
        called = CALLED.search(scope["path"])
        way, name = (called[1], called[2]) if called else ("", "")
        body = await _body(receive)
        try:
            asked = _parsed(body)
            by_name = way.startswith("call")
            if called and name not in self.endpoints and (by_name or not _numbered(asked)):
                known = ", ".join(self.endpoints)
                return await tell(send, 404, f"expected one of the endpoints {known}")
            self._check(asked)
            if by_name:
                values = _completed(asked, self.endpoints[name], way.endswith("v2"))
                body = json.dumps(values).encode()
        except ValueError as error:
            return await tell(send, 422, f"{name}: {error}" if name else str(error))
        headers = [h for h in scope["headers"] if h[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app({**scope, "headers": headers}, replay, send)

    def _check(self, asked: Any) -> None:
        """Raises ValueError for what is wrong with a parsed body, whoever it is for."""
        if not all(map(uploaded, _paths(asked))):
            raise ValueError("expected a file that was uploaded before")
        if not isinstance(asked, dict) or not isinstance(data := asked.get("data"), list):
            return
        about = {name: value for name, value in asked.items() if name != "data"}
        try:
            json.dumps(about, ensure_ascii=False).encode()  # handlers look at the data themselves
        except UnicodeError:
            raise ValueError("expected characters, got half of a surrogate pair") from None
        if _numbered(asked):
            number = asked["fn_index"]
            if not isinstance(number, int) or isinstance(number, bool) or number not in self.counts:
                raise ValueError("expected the number of an event of this page")
            if len(data) != self.counts[number]:
                raise ValueError(f"expected {self.counts[number]} values, got {len(data)}")


def _has_body(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH")


def _numbered(asked: Any) -> bool:
    """True for an event that is named by its number, as the page does."""
    return isinstance(asked, dict) and asked.get("fn_index") is not None


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


def _parsed(body: bytes) -> Any:
    """The JSON of a body (RFC 8259); None if it is none: whoever wants JSON says so.

    Raises:
        ValueError: it holds a number that is not finite, or lists in lists, too deep.
    """

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"expected finite numbers, got {number[:20]}")
        return value

    try:
        return json.loads(body, parse_float=finite, parse_constant=finite)
    except RecursionError:
        raise ValueError("expected JSON with fewer lists in lists") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None


def _completed(asked: Any, known: dict[str, Any], by_name: bool) -> dict[str, Any]:
    """A call with the defaults of what was left out.

    Raises:
        ValueError: not of the expected form, or arguments that there are not.
    """
    if not isinstance(asked, dict) or not (by_name or isinstance(asked.get("data"), list)):
        form = "an object of arguments" if by_name else 'an object with a list, {"data": [...]}'
        raise ValueError(f"expected {'JSON, ' if asked is None else ''}{form}")
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


async def tell(send: Send, status: int, detail: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})
