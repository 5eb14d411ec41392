"""The real app in a process of its own."""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The address of app.py with some options, in a process of its own."""
    with served_by(*options) as (url, _):
        yield url


@contextmanager
def served_by(*options: str, within: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """The address of such a process, and its number. within: a command that becomes it."""
    port = free_port()
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), *options]
    command = [*within, *command]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}/"
        try:
            wait_for(url, process, log)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen, log: IO[bytes]) -> None:
    """Returns once the server answers."""
    for _ in range(600):
        if process.poll() is not None:
            log.seek(0)
            pytest.fail(f"app.py ended: {log.read().decode()[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("app.py did not answer within two minutes")


def finished(work: Coroutine) -> Any:
    """What a coroutine returns; in a thread of its own, as Playwright's loop occupies this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
