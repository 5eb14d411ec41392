"""The end of a server without a jolt, and what a balancer is told."""

import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest
from servers import served_by
from ui.serving.calls import answer, asked


def health(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{url}healthz", timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_what_is_under_way_is_finished_and_nothing_new_begun() -> None:
    heard: list[str] = []
    with served_by() as (url, process):
        assert health(url) == (200, b'{"detail": "ready"}')
        answer(url, "text_write", asked(url, "text_write", "shakespeare", "ROMEO:", 5))
        number = asked(url, "text_write", "shakespeare", "ROMEO:", 1000)
        listening = threading.Thread(target=lambda: heard.append(answer(url, "text_write", number)))
        listening.start()
        time.sleep(0.3)
        os.kill(process, signal.SIGTERM)
        time.sleep(0.2)
        assert health(url) == (503, b'{"detail": "restarting"}')
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(url, "gan_sample")
        assert refused.value.code == 503 and b"restarting" in refused.value.read()
        listening.join(30)
        assert "event: complete" in heard[0]
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                break  # it is gone
            assert time.monotonic() < until
            time.sleep(0.1)
