"""Servers in processes of their own, and a client that speaks Gradio's API."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
HELLO = """
import sys
import torch
import gradio as gr
with gr.Blocks() as demo:
    gr.Markdown("hello")
    def nothing(x: str) -> str:
        return x
    gr.api(nothing, api_name="nothing")
demo.launch(server_port=int(sys.argv[1]), quiet=True)
"""


@contextmanager
def serving(arguments: list[str]) -> Iterator[tuple[str, subprocess.Popen, float]]:
    """A server process; gives its address, itself, and the seconds to the first HTTP 200."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, *(a.replace("PORT", str(port)) for a in arguments)]
    begun = time.perf_counter()
    # Gradio's own hello-world page, too, asks its own server whether it is there.
    direct = {**os.environ, "no_proxy": "*", "NO_PROXY": "*"}
    with subprocess.Popen(command, cwd=ROOT, env=direct, stdout=subprocess.DEVNULL) as process:
        try:
            yield url, process, _until_it_answers(url, process, begun)
        finally:
            process.terminate()


def _until_it_answers(url: str, process: subprocess.Popen, begun: float) -> float:
    while process.poll() is None and time.perf_counter() - begun < 120:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return time.perf_counter() - begun
        except httpx.HTTPError:
            time.sleep(0.02)
    raise ValueError(f"expected an answer of {url}, got none")


def app() -> list[str]:
    """The project's page."""
    return ["app.py", "--port", "PORT"]


def hello() -> list[str]:
    """The least that Gradio can serve, with torch imported."""
    return ["-c", HELLO, "PORT"]


def resident(process: subprocess.Popen) -> float:
    """Megabytes of memory that a process holds (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def call(
    client: httpx.AsyncClient, name: str, values: list[Any], session: str | None = None
) -> tuple[float, float, Any]:
    """One call of the API: seconds to the first answer and to the last, and the last answer.

    session: of a visitor who is already there; without one Gradio makes a new one, with the
    configuration of the whole page, for each call.

    Raises:
        ValueError: the call failed.
    """
    begun = time.perf_counter()
    path = f"/gradio_api/call/{name}"
    asked = await client.post(path, json={"data": values, "session_hash": session})
    if asked.status_code != 200:
        raise ValueError(f"{name}: expected HTTP 200, got {asked.status_code}: {asked.text[:200]}")
    first, answer, kind = 0.0, None, ""
    async with client.stream("GET", f"{path}/{asked.json()['event_id']}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("event:"):
                kind = line.split()[1]
            elif line.startswith("data:") and kind in ("generating", "complete"):
                first = first or time.perf_counter() - begun
                answer = json.loads(line[5:]) or answer
            elif line.startswith("data:") and kind == "error":
                raise ValueError(f"{name}: expected an answer, got the error {line[5:]}")
            if kind == "complete" and line.startswith("data:"):
                break
    return first, time.perf_counter() - begun, answer
