"""What stands before the page: a limit to what a client may send."""

from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes of a request; uploads have Gradio's own limit
READ = 8 * LARGEST  # of a body that is refused


class BodyLimit:
    """Answers 413 to a request whose body is larger than any the page sends, or of unknown size."""

    def __init__(self, app: ASGIApp, limit: int = LARGEST) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            upload = scope["path"].endswith("/upload")
            if not upload and (not length.isdigit() or int(length) > self.limit):
                await _read_out(receive)
                headers = [(b"content-type", b"application/json")]
                await send({"type": "http.response.start", "status": 413, "headers": headers})
                body = b'{"detail":"expected a request body of at most 256 kB"}'
                await send({"type": "http.response.body", "body": body})
                return
        await self.app(scope, receive, send)


async def _read_out(receive: Receive) -> None:
    """Reads a body and forgets it: who is still sending, nginx too, may not hear the answer."""
    rest = READ
    while rest > 0:
        message = await receive()
        rest -= len(message.get("body", b""))
        if not message.get("more_body"):
            return
