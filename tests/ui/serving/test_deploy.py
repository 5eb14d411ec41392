"""The page as a Space: deployed to a Hub of our own, and started for real as a Space starts it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from fake_hub import FakeHub
from gradio_client import Client
from servers import ROOT, free_port, wait_for

from aigc_demo.cli import main
from aigc_demo.devices import choose_device
from aigc_demo.hub import space, space_files


@pytest.fixture
def alice(hub: FakeHub, monkeypatch) -> FakeHub:
    """Alice is logged in, and waits for nothing."""
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    monkeypatch.setattr(space, "POLL_SECONDS", 0.01)
    return hub


@pytest.fixture
def small(monkeypatch, tmp_path: Path) -> Path:
    """A working tree of a few small files, with some that no Space needs."""
    root = tmp_path / "tree"
    for name in [
        *("app.py", "requirements.txt", "README.md", "README.zh.md", "LICENSE", "docs/api.md"),
        "aigc_demo/cli/show.py",
        *("weights/gan/model.safetensors", "weights/gan/log.jsonl", "weights/gan/x.tmp"),
        *("aigc_demo/__pycache__/names.cpython-311.pyc", ".git/HEAD", ".venv/x", "tests/x.py"),
        *("weights/.cache/x.json", "runs/mine/config.json", "requirements-dev.txt"),
    ]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    monkeypatch.setattr("aigc_demo.cli.show.__file__", str(root / "aigc_demo/cli/show.py"))
    return root


WANTED = {
    *("app.py", "requirements.txt", "README.md", "README.zh.md", "LICENSE", "docs/api.md"),
    "aigc_demo/cli/show.py",
    "weights/gan/model.safetensors",
}


def test_a_space_is_made_filled_and_waited_for(alice: FakeHub, small: Path, capsys) -> None:
    assert main(["deploy", "alice/demo", "--variable", "OMP_NUM_THREADS=2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["8 files changed", "app starting", "running", f"{alice.url}/spaces/alice/demo"]
    assert set(alice.files("alice/demo", "spaces")) == {*WANTED, ".gitattributes"}
    made = alice.repos["spaces/alice/demo"]
    assert (made.hardware, made.private, len(made.messages)) == ("cpu-basic", False, 2)
    assert made.variables["OMP_NUM_THREADS"] == "2"
    assert made.variables["AIGC_REPOS"].startswith("alice/*,openai-community/gpt2,")


def test_deploying_again_uploads_what_changed_and_nothing_else(alice, small, capsys) -> None:
    assert main(["deploy", "alice/demo"]) == 0
    alice.asked.clear()
    assert main(["deploy", "alice/demo"]) == 0
    assert all(line.startswith("GET ") for line in alice.asked)
    assert "nothing has changed" in capsys.readouterr().out

    alice.put("alice/demo", {"stale.py": b"of an earlier version"}, "spaces")
    alice.repos["spaces/alice/demo"].variables["AIGC_REPOS"] = "alice/one"
    (small / "app.py").write_text("another")
    assert main(["deploy", "alice/demo", "--variable", "A=b", "--hardware", "zero-a10g"]) == 0
    made = alice.repos["spaces/alice/demo"]
    assert set(alice.files("alice/demo", "spaces")) == {*WANTED, ".gitattributes"}
    assert alice.files("alice/demo", "spaces")["app.py"] == b"another"
    assert made.hardware == "zero-a10g"
    assert made.variables == {"AIGC_REPOS": "alice/one", "A": "b"}


def test_on_zerogpu_the_package_for_it_is_required(alice: FakeHub, small: Path) -> None:
    assert main(["deploy", "alice/demo", "--hardware", "zero-a10g"]) == 0
    required = alice.files("alice/demo", "spaces")["requirements.txt"]
    assert re.search(rb"^spaces==[\d.]+$", required.replace(b"txt", b"txt\n"), re.MULTILINE)
    assert alice.repos["spaces/alice/demo"].hardware == "zero-a10g"


def test_a_space_that_sleeps_is_woken(alice: FakeHub, small: Path) -> None:
    alice.put("alice/demo", {}, "spaces", stages=["PAUSED"])
    assert main(["deploy", "alice/demo"]) == 0
    assert "POST /api/spaces/alice/demo/restart" in alice.asked


REFUSED = [
    ("hf_alice", [], {"/repos/create": 402}, "ZeroGPU is the free way: --hardware zero-a10g"),
    ("hf_alice", ["--hardware", "zero-a10g"], {"/repos/create": 402}, "may have two"),
    ("hf_alice", [], {"/repos/create": 429}, "too many requests"),
    ("hf_bob", [], {}, "may not do that"),
    ("hf_nobody", [], {}, "does not accept the token"),
    ("hf_alice", ["--variable", "A"], {}, "expected a variable as KEY=VALUE"),
]


@pytest.mark.parametrize(("token", "words", "answers", "sentence"), REFUSED)
def test_what_the_account_may_not_do_is_said(
    alice: FakeHub, small, monkeypatch, capsys, token, words, answers, sentence
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    alice.answers = answers
    assert main(["deploy", "alice/demo", *words]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith("error: ") and sentence in lines[-1]
    assert not alice.repos


def test_a_space_that_does_not_build_says_why(alice: FakeHub, small: Path, capsys) -> None:
    about = {"stages": ["BUILDING", "BUILD_ERROR"], "error": "job failed:\nno such package"}
    alice.put("alice/demo", {}, "spaces", **about)
    assert main(["deploy", "alice/demo"]) == 1
    error = capsys.readouterr().err
    assert "BUILD_ERROR job failed: no such package" in error and "?logs=container" in error


def test_the_wait_for_a_space_has_an_end(alice: FakeHub, small: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(space, "WAIT_SECONDS", 0.1)
    alice.put("alice/demo", {}, "spaces", stages=["BUILDING"])
    assert main(["deploy", "alice/demo"]) == 1
    assert "still does not run" in capsys.readouterr().err


def test_a_tree_that_lacks_something_is_refused(small: Path) -> None:
    (small / "app.py").unlink()
    with pytest.raises(ValueError, match=r"expected the working tree with app\.py"):
        space_files(small, "cpu-basic")


def header() -> dict[str, str]:
    """The settings of the Space, at the top of the README."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1].splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_the_readme_asks_for_what_is_pinned() -> None:
    pins = (ROOT / "requirements.txt").read_text().split()
    assert f"gradio=={header()['sdk_version']}" in pins
    assert (header()["sdk"], header()["app_file"]) == ("gradio", "app.py")
    assert header()["python_version"] == '"3.12"'  # which ZeroGPU has too


@contextmanager
def started(folder: Path, command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The address of a page that runs in a copy of the tree, where no outside can be reached."""
    port = free_port()
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost,0.0.0.0"}
    kept = {key: os.environ[key] for key in ("PATH", "OMP_NUM_THREADS") if key in os.environ}
    settings = {**kept, **nowhere, **environment, "GRADIO_SERVER_PORT": str(port)}
    settings["HOME"] = str(folder / "home")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command[1:]],
            cwd=folder,
            env=settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/", process, log)
            yield f"http://127.0.0.1:{port}/"
            log.seek(0)
            said = log.read().decode()
            # Gradio's own thread wants the package, as every Gradio Space has it.
            missed = said.count("`spaces` package is required to run hot-reloading in Spaces")
            # A process that `spaces` forks drops event loops whose files it does not have.
            dropped = said.count("Exception ignored in: <function BaseEventLoop.__del__")
            assert said.count("Traceback") == missed + dropped, said
        finally:
            process.terminate()
            process.wait(20)


def draws_and_writes(url: str) -> None:
    client = Client(url, verbose=False)
    assert Path(client.predict(labels="7", count=1, seed=0, api_name="/gan_sample")).is_file()
    text = client.predict(prompt="ROMEO:", length=9, seed=0, api_name="/text_write")
    assert len(text) == 9


SPACE = {  # what the Hub sets
    "SYSTEM": "spaces",
    "SPACE_ID": "alice/demo",
    "SPACE_HOST": "alice-demo.hf.space",
    "SPACE_AUTHOR_NAME": "alice",
    "SPACE_REPO_NAME": "demo",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "CPU_CORES": "2",
    "MEMORY": "16Gi",
    "ACCELERATOR": "none",
}


def test_what_is_deployed_runs_as_on_a_space(alice: FakeHub, tmp_path: Path) -> None:
    assert main(["deploy", "alice/demo"]) == 0
    folder = tmp_path / "app"
    for name, content in alice.files("alice/demo", "spaces").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with started(folder, ["python", "app.py"], SPACE) as url:
        draws_and_writes(url)


CUDA_BUILD = """
import torch
if torch.version.cuda is None:  # parts of a CUDA build that the package wants to find
    torch.version.cuda, torch._C._cuda_init = "13.0", None
    torch.cuda._is_in_bad_fork = bool
"""


@pytest.fixture
def devices() -> Iterator[tuple[str, list[str]]]:
    """The service that lends GPUs on ZeroGPU: its address, and what it was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_what_is_deployed_runs_as_on_zerogpu(alice: FakeHub, devices, tmp_path: Path) -> None:
    """With the real package, which reports a start only where a function is marked for a GPU."""
    assert main(["deploy", "alice/demo", "--hardware", "zero-a10g"]) == 0
    files = alice.files("alice/demo", "spaces")
    for name, content in files.items():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_bytes(content)
    pins = (ROOT / "requirements-dev.txt").read_text().split()
    assert files["requirements.txt"].decode().split()[-1] in pins
    (tmp_path / "hint").mkdir()
    (tmp_path / "hint/sitecustomize.py").write_text(CUDA_BUILD)
    address, asked = devices
    zero = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": address}
    hint = {"PYTHONPATH": str(tmp_path / "hint")}
    with started(tmp_path / "app", ["python", "app.py"], {**SPACE, **zero, **hint}) as url:
        assert asked == ["/startup-report"]
        draws_and_writes(url)
        assert asked == ["/startup-report"]  # no GPU was lent, so no visitor's share was used


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, what follows) of every line."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    words = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(instruction, rest.strip()) for instruction, _, rest in words]


def test_what_the_dockerfile_copies_runs_as_it_starts_it(tmp_path: Path) -> None:
    let_in = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")
    ]
    environment: dict[str, str] = {}
    command: list[str] = []
    for instruction, rest in dockerfile():
        if instruction == "COPY":
            source, target = rest.split()
            assert source in let_in
            place = tmp_path / target / ("" if target != "./" else source)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place)
            else:
                shutil.copy(ROOT / source, place)
        elif instruction == "ENV":
            environment |= dict(pair.split("=") for pair in rest.split())
        elif instruction == "CMD":
            command = json.loads(rest)
    assert environment["GRADIO_SERVER_NAME"] == "0.0.0.0"  # or nobody outside reaches it
    with started(tmp_path, command, environment) as url:
        draws_and_writes(url)


def test_the_dockerfile_runs_as_nobody_special_on_the_port_of_a_space() -> None:
    lines = dockerfile()
    assert ("FROM", "python:3.12-slim") in lines and ("EXPOSE", "7860") in lines
    assert lines.index(("USER", "user")) < [name for name, _ in lines].index("CMD")
    made = next(rest for _, rest in lines if "useradd" in rest)
    assert "--uid 1000" in made and made.endswith(" user")


def test_on_zerogpu_the_models_stay_on_the_cpu(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as it is made to say there
    assert choose_device().type == "cuda"
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert choose_device().type == "cpu"
