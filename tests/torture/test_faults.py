"""What befalls a server: kills, a full or read-only disk, no network, a clock set back.

`make torture` kills it ten times and prints how long it was gone; the suite kills it once.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from browser.pages import LONG, Visitor, fill, painted
from playwright.sync_api import Browser, expect
from servers import ROOT, served_by
from torture.scale import TIMES
from ui.serving.calls import answer, asked
from ui.serving.replicas import Replica
from ui.serving.replicas import Visitor as Caller

MAPPED = shutil.which("unshare") and not subprocess.run(["unshare", "-rmn", "true"]).returncode
apart = pytest.mark.skipif(not MAPPED, reason="needs user namespaces")


class Load(threading.Thread):
    """A program that asks for pictures and texts, whatever it is told."""

    def __init__(self, url: str, seed: int, end: threading.Event) -> None:
        super().__init__()
        self.url, self.seed, self.end, self.answers = url, seed, end, 0

    def run(self) -> None:
        caller = Caller(self.url)
        while not self.end.is_set():
            try:
                _ = caller.text(self.seed) if self.answers % 2 else caller.picture()
                self.answers += 1
            except (httpx.HTTPError, ValueError):
                time.sleep(0.2)  # it is gone


@pytest.mark.browser
def test_killed_under_load_it_serves_again_soon_and_pages_come_back(
    browser: Browser, tmp_path: Path
) -> None:
    server = Replica(tmp_path / "server")
    end = threading.Event()
    gone = []
    try:
        server.ready()
        load = [Load(server.url, seed, end) for seed in range(8)]
        for one in load:
            one.start()
        with Visitor(browser, server.url) as page:
            before = painted(page, "#gan-digits canvas")
            fill(page, "#gan-seed", "11")
            page.locator("#gan-seed input").press("Enter")
            page.wait_for_function("() => /seed=11/.test(location.search)", timeout=LONG)
            shown = painted(page, "#gan-digits canvas")
            assert shown != before
            for _ in range(TIMES):
                number, answers = page.evaluate("gradio_config.app_id"), load[0].answers
                server.kill()
                begun = time.monotonic()
                server.start()
                with contextlib.suppress(httpx.ReadError):  # one of the first connections may break
                    server.ready()
                server.ready()
                gone.append(time.monotonic() - begun)
                page.wait_for_function(
                    "before => window.gradio_config && gradio_config.app_id !== before",
                    arg=number,
                    timeout=LONG,
                )
                expect(page.locator("#gan-seed input")).to_have_value("11", timeout=LONG)
                page.wait_for_function(
                    "shown => document.querySelector('#gan-digits canvas').toDataURL() === shown",
                    arg=shown,
                    timeout=LONG,
                )
                deadline = time.monotonic() + 60
                while load[0].answers == answers:
                    assert time.monotonic() < deadline, "a program is not served again"
                    time.sleep(0.1)
    finally:
        end.set()
        server.kill()
    print(f"\nseconds until it served again: {' '.join(f'{took:.1f}' for took in gone)}")
    assert len(gone) == TIMES


@contextmanager
def on_a_small_disk(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server whose temporary folder is a disk of 8 MB, and that folder as seen from here."""
    folder.mkdir()
    started = f'mount -t tmpfs -o size=8m disk "{folder}" && TMPDIR="{folder}" exec "$@"'
    with served_by(within=["unshare", "-rm", "sh", "-c", started, "sh"]) as (url, process):
        yield url, Path(f"/proc/{process}/root{folder}")


def drawn(url: str, seed: int) -> str:
    return answer(url, "gan_sample", asked(url, "gan_sample", "gan", "mixed", 4, seed, 1.0))


@apart
def test_on_a_full_disk_a_sentence_comes_and_then_pictures_again(tmp_path: Path) -> None:
    with on_a_small_disk(tmp_path / "disk") as (url, disk):
        assert "event: complete" in drawn(url, 1)
        with (
            pytest.raises(OSError, match="No space left"),
            open(disk / "full", "wb", buffering=0) as file,
        ):
            while True:
                file.write(b"x" * 2**16)
        told = drawn(url, 2)
        assert "event: error" in told and "went wrong here" in told
        picture = {"files": ("x.png", b"x" * 100_000)}
        refused = httpx.post(f"{url}gradio_api/upload", files=picture)
        assert refused.status_code == 500
        assert "went wrong here" in refused.json()["detail"]
        text = answer(url, "text_write", asked(url, "text_write", "shakespeare", "ROMEO:", 20))
        assert "event: complete" in text  # which needs no file
        assert httpx.get(url).status_code == 200
        (disk / "full").unlink()
        assert "event: complete" in drawn(url, 2)


@apart
def test_a_disk_that_becomes_read_only_costs_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    with on_a_small_disk(folder) as (url, disk):
        process = disk.parts[2]
        enter = ["nsenter", "-t", process, "-U", "-m", "--preserve-credentials", "mount", "-o"]
        subprocess.run([*enter, "remount,ro", str(folder)], check=True)
        told = drawn(url, 2)
        assert "event: error" in told and "went wrong here" in told
        text = answer(url, "text_write", asked(url, "text_write", "shakespeare", "ROMEO:", 20))
        assert "event: complete" in text
        subprocess.run([*enter, "remount,rw", str(folder)], check=True)
        assert "event: complete" in drawn(url, 2)


ALONE = """
import fcntl, socket, struct, time
with socket.socket() as some:  # the loopback is down in a new network: up, as on every machine
    fcntl.ioctl(some, 0x8914, struct.pack("16sh14x", b"lo", 1 | 64))
from servers import served_by
from ui.serving.calls import answer, asked
import urllib.request
try:
    socket.create_connection(("192.0.2.1", 80), 3)
except OSError:
    pass
else:
    raise SystemExit("expected no network, got one")
with served_by() as (url, _):
    page = urllib.request.urlopen(url).read()
    assert b"gradio_config" in page, page[:400]
    assert "complete" in answer(url, "gan_sample", asked(url, "gan_sample", "gan", "7", 4, 1, 1.0))
    assert "complete" in answer(url, "poem_write", asked(url, "poem_write", "五绝"))
    begun = time.monotonic()
    told = answer(url, "text_write", asked(url, "text_write", "openai-community/gpt2", "O", 5))
    assert "event: error" in told and "Hub" in told, told
    assert time.monotonic() - begun < 20
"""


@apart
def test_without_any_network_it_starts_and_everything_bundled_is_there() -> None:
    environment = {**os.environ, "PYTHONPATH": "tests:."}
    command = ["unshare", "-rn", sys.executable, "-c", ALONE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


CLOCK = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>
    static long back(void) { return access(getenv("CLOCK_BACK"), F_OK) ? 0 : 3600; }
    int clock_gettime(clockid_t id, struct timespec *at) {
      int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
      int told = real(id, at);
      if (id == CLOCK_REALTIME) at->tv_sec -= back();
      return told;
    }
    int gettimeofday(struct timeval *restrict at, void *restrict zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      at->tv_sec = now.tv_sec, at->tv_usec = now.tv_nsec / 1000;
      return 0;
    }
    time_t time(time_t *at) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (at) *at = now.tv_sec;
      return now.tv_sec;
    }
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_a_clock_set_back_an_hour_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clock.c").write_text(textwrap.dedent(CLOCK))
    library, mark = tmp_path / "clock.so", tmp_path / "back"
    compile_it = ["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"]
    subprocess.run(compile_it, check=True)
    monkeypatch.setenv("CLOCK_BACK", str(mark))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    with served_by() as (url, _):
        monkeypatch.delenv("LD_PRELOAD")
        assert "event: complete" in drawn(url, 1)
        number = asked(url, "text_write", "shakespeare", "ROMEO:", 1000)
        mark.touch()
        early = httpx.get(url).headers["date"]
        assert "event: complete" in answer(url, "text_write", number)
        assert "event: complete" in drawn(url, 2)
        text = answer(url, "text_write", asked(url, "text_write", "shakespeare", "ROMEO:", 300))
        assert "event: complete" in text
        mark.unlink()
        assert early != httpx.get(url).headers["date"]
        assert "event: complete" in drawn(url, 3)
