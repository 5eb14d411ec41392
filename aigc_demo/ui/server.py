"""What the page is served with: a limit to what a client may send, and little memory."""

import ctypes
import os
import sys

from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes of a request; uploads have Gradio's own limit
MMAP_THRESHOLD, ARENA_MAX = -3, -8  # mallopt's names
LARGE = 256 * 1024  # bytes


def return_memory() -> None:
    """Makes the C library give memory back to the system where it would keep it for later.

    glibc keeps freed blocks of up to 32 MB, in eight heaps a core. Weights are read into large
    blocks, which are freed once they are laid out for the machine: these get pages of their own.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(MMAP_THRESHOLD, LARGE)
        libc.mallopt(ARENA_MAX, os.cpu_count() or 1)


class BodyLimit:
    """Answers 413 to a request whose body is larger than any the page sends, or of unknown size."""

    def __init__(self, app: ASGIApp, limit: int = LARGEST) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            upload = scope["path"].endswith("/upload")
            if not upload and (not length.isdigit() or int(length) > self.limit):
                headers = [(b"content-type", b"application/json")]
                await send({"type": "http.response.start", "status": 413, "headers": headers})
                body = b'{"detail":"expected a request body of at most 256 kB"}'
                await send({"type": "http.response.body", "body": body})
                return
        await self.app(scope, receive, send)
