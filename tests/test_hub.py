"""Weights from a Hub repository, against a small Hub of our own; the client is the real one."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from aigc_demo.inference.gan import DigitSampler

ROOT = Path(__file__).parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tiny_folders) -> Iterator[tuple[str, list[str]]]:
    """The address of a Hub that holds alice/digits, and the requests it gets."""
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            asked.append(f"{self.command} {self.path}")
            prefix, _, place = self.path.partition("/resolve/")
            revision, _, name = place.partition("/")
            path = tiny_folders["gan"] / name
            known = prefix == "/alice/digits" and revision in ("main", COMMIT)
            if not known or not name or not path.is_file():
                self.send_response(404)
                missing = "EntryNotFound" if known else "RepoNotFound"
                self.send_header("X-Error-Code", missing)
                self.send_header("X-Error-Message", "Repository not found")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()


def load(endpoint: str, home: Path, source: str) -> subprocess.CompletedProcess[str]:
    """Loads a GAN in a process of its own, for the client reads its settings at import."""
    script = (
        "import sys, torch\n"
        "from aigc_demo.inference.gan import DigitSampler\n"
        "try:\n"
        "    images = DigitSampler.load(sys.argv[1], device='cpu').sample([1, 2], [3, 4])\n"
        "    print(images.sum().item())\n"
        "except ValueError as error:\n"
        "    sys.exit(f'{type(error).__name__}: {error}')\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", script, source],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_repository_loads_and_a_pinned_one_is_not_asked_for_again(
    hub, tiny_folders, tmp_path: Path
) -> None:
    endpoint, asked = hub
    expected = DigitSampler.load(tiny_folders["gan"], device="cpu").sample([1, 2], [3, 4])
    first = load(endpoint, tmp_path, "alice/digits@main")
    assert first.returncode == 0, first.stderr
    torch.testing.assert_close(float(first.stdout), expected.sum().item())
    files = {line.rsplit("/", 1)[1] for line in asked if line.startswith("GET /alice")}
    assert files == {"config.json", "model.safetensors"}

    asked.clear()
    again = load(endpoint, tmp_path, f"alice/digits@{COMMIT}")
    assert again.stdout == first.stdout
    assert asked == []


@pytest.mark.parametrize("source", ["alice/nothing", "alice/digits@no-such-revision"])
def test_what_the_hub_does_not_have_is_named(hub, tmp_path: Path, source: str) -> None:
    result = load(hub[0], tmp_path, source)
    assert result.returncode == 1
    assert result.stderr.strip().startswith("HubUnavailable: alice/")


def test_without_a_network_a_clear_sentence_comes_soon(tmp_path: Path) -> None:
    result = load("http://127.0.0.1:9", tmp_path, "alice/digits")
    assert result.returncode == 1
    assert "HubUnavailable: alice/digits@main: ConnectError" in result.stderr
