"""Connections that end in the middle, and senders that take their time: others notice nothing."""

import random
import socket
import struct
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

from servers import served_by
from torture.scale import TIMES
from ui.serving.calls import answer, asked

BODY = b'{"data": ["shakespeare", "ROMEO:", 40]}'
REQUEST = (
    b"POST /gradio_api/call/text_write HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def _connected(url: str) -> socket.socket:
    place = urlparse(url)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def _cut_off(url: str, draw: random.Random) -> None:
    """Sends a part of a request, or all of it, and breaks off without a word."""
    with _connected(url) as client:
        client.sendall(REQUEST[: draw.randrange(1, len(REQUEST) + 1)])
        time.sleep(0.05 * draw.random())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST


def _files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def _served(url: str) -> float:
    """Seconds that a picture takes for someone else."""
    begun = time.monotonic()
    told = answer(url, "vae_decode", asked(url, "vae_decode", "vae-2d", [0.1, 0.2]))
    assert "event: complete" in told
    return time.monotonic() - begun


def test_connections_that_break_off_leave_nothing_and_nobody_waits() -> None:
    draw = random.Random(5)
    with served_by() as (url, process):
        _served(url)
        before = _files(process)
        for _ in range(20 * TIMES):
            _cut_off(url, draw)
        assert _served(url) < 10
        for _ in range(100):
            if _files(process) <= before + 2:
                break
            time.sleep(0.2)
        assert _files(process) <= before + 2


def test_slow_senders_keep_nobody_from_being_served() -> None:
    with served_by() as (url, _):
        _served(url)
        alone = min(_served(url) for _ in range(3))
        ended = threading.Event()

        def slow() -> None:
            with _connected(url) as client:
                for byte in REQUEST[:-1]:  # never whole
                    client.send(bytes([byte]))
                    if ended.wait(0.2):
                        return

        senders = [threading.Thread(target=slow) for _ in range(2 * TIMES)]
        for sender in senders:
            sender.start()
        times = [_served(url) for _ in range(10)]
        ended.set()
        for sender in senders:
            sender.join()
        assert sorted(times)[5] < max(1.0, 5 * alone)
        with urllib.request.urlopen(f"{url}healthz", timeout=10) as health:
            assert health.status == 200
