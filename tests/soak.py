"""Fifty visitors at once for half an hour: programs of all endpoints, pages in use, one training.

`make soak` runs it; MINUTES=5 for less. It prints what it measured, and ends with 1 if a visit
failed, memory grew by more than 50 MB after the first sixth of the time, something was left behind,
or answers were slower at the end than 1.2 times those of the beginning.
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from browser.pages import open_tab
from browser.steps import STEPS
from playwright.sync_api import Browser, Error, sync_playwright
from servers import served_by

from aigc_demo.benchmark.server import call

PROGRAMS, PAGES = 47, 2  # beside the page that trains
PAUSE = 5.0  # seconds between two calls of a program
GROWTH, SLOWER = 50.0, 1.2  # MB, and times as long, at most
CALLS: list[Callable[[random.Random], tuple[str, list[Any]]]] = [
    lambda draw: ("gan_sample", ["gan", "mixed", 16, draw.randrange(10**6), 0.8]),
    lambda draw: ("gan_morph", ["gan", 3, 8, draw.randrange(10**6), draw.randrange(10**6), 12]),
    lambda draw: ("vae_decode", ["vae-2d", [draw.gauss(0, 1), draw.gauss(0, 1)]]),
    lambda draw: ("vae_walk", ["vae-2d", [0.0, 0.0], [draw.gauss(0, 1), 1.0], 8]),
    lambda draw: ("flow_sample", ["flow", "mixed", 4, draw.randrange(10**6), 8, 1.0]),
    lambda draw: (
        "text_write",
        ["shakespeare", "ROMEO:\n", 100, 0.8, 0, 1.0, 1.0, draw.randrange(99)],
    ),
    lambda draw: ("poem_write", ["七绝", "春江", "", "", True, 0.8, draw.randrange(10**6)]),
    lambda draw: ("text_fill", ["ROMEO: ____ thou", 4, 0.8, draw.randrange(10**6)]),
    lambda draw: ("text_candidates", ["shakespeare", "To be, or not to b"]),
    lambda draw: ("text_attention", ["shakespeare", "To be, or not to be", 2, 3]),
]


class Watch:
    """What the visits took and what failed, and what the server holds."""

    def __init__(self, process: int) -> None:
        self.process = process
        self.begun = time.monotonic()
        self.took: list[tuple[float, float]] = []  # when, seconds
        self.failed: list[str] = []
        self.visits = 0

    def holds(self) -> dict[str, float]:
        status = Path(f"/proc/{self.process}/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        return {
            "MB": int(lines["VmRSS"].split()[0]) / 1024,
            "threads": int(lines["Threads"]),
            "files and sockets": len(list(Path(f"/proc/{self.process}/fd").iterdir())),
            "processes": len(children),
        }

    def p95(self, first: float, last: float) -> float:
        """Of the calls between two moments."""
        some = sorted(took for at, took in self.took if first <= at <= last)
        return some[int(0.95 * (len(some) - 1))]


async def programs(url: str, watch: Watch, end: float) -> None:
    async def visitor(number: int) -> None:
        draw = random.Random(number)
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
            await asyncio.sleep(PAUSE * draw.random())
            while time.monotonic() < end:
                name, values = draw.choice(CALLS)(draw)
                begun = time.monotonic()
                try:
                    _, took, _ = await call(client, name, values, f"soak {number}")
                    watch.took.append((begun - watch.begun, took))
                except (ValueError, httpx.HTTPError) as error:
                    watch.failed.append(f"{name}: {error!r}")
                await asyncio.sleep(max(0.0, PAUSE - (time.monotonic() - begun)))

    await asyncio.gather(*map(visitor, range(PROGRAMS)))


def pages(url: str, watch: Watch, end: float, number: int) -> None:
    """One page after the other, each used in some tab and closed."""
    draw = random.Random(number)

    def visit(browser: Browser) -> None:
        page = browser.new_page(locale="en-US")
        try:
            name = draw.choice(list(STEPS))
            tab, act, *_ = STEPS[name]
            page.goto(url)
            open_tab(page, *tab.split("."))
            act(page)
            watch.visits += 1
        except Error as error:
            raise AssertionError(f"{name}: {error}; the address says {page.url}") from error
        finally:
            page.close()

    in_a_browser(visit, watch, end)


def training(url: str, watch: Watch, end: float) -> None:
    """A page that trains a GAN for a minute, again and again."""

    def visit(browser: Browser) -> None:
        page = browser.new_page(locale="en-US")
        try:
            page.goto(url)
            open_tab(page, "train")
            while time.monotonic() < end:
                page.locator("#train-run .start").click()
                page.locator("#train-run .stop:visible").wait_for()  # it has begun
                page.locator("#train-run .stop:visible").wait_for(state="hidden", timeout=600_000)
                if not page.locator("#train-run .use").is_visible():
                    raise AssertionError(page.locator("#train-run .caption").inner_text())
                watch.visits += 1
        finally:
            page.close()

    in_a_browser(visit, watch, end)


def in_a_browser(visit: Callable[[Browser], None], watch: Watch, end: float) -> None:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        while time.monotonic() < end:
            try:
                visit(browser)
            except (Error, AssertionError) as error:
                watch.failed.append(f"page: {str(error)[:300]}")
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    seconds = 60 * parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        with served_by() as (url, process):
            watch = Watch(process)
            end = watch.begun + seconds
            threads = [
                *(threading.Thread(target=pages, args=(url, watch, end, n)) for n in range(PAGES)),
                threading.Thread(target=training, args=(url, watch, end)),
                threading.Thread(target=lambda: asyncio.run(programs(url, watch, end))),
            ]
            for thread in threads:
                thread.start()
            time.sleep(seconds / 6)
            early = watch.holds()
            for thread in threads:
                thread.join()
            time.sleep(40)  # a training whose visitor left ends within 30 s
            late = watch.holds()
        left = [str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()]
    first, last = watch.p95(0, seconds / 6), watch.p95(seconds * 5 / 6, seconds + 60)
    print(f"{len(watch.took)} calls, {watch.visits} visits of pages, {len(watch.failed)} failed")
    for name in early:
        print(f"{name}: {early[name]:.0f} after a sixth of the time, {late[name]:.0f} at the end")
    print(f"p95: {first:.2f} s in the first sixth, {last:.2f} s in the last")
    print(f"files left when the server had ended: {len(left)} {left[:5]}")
    print("\n".join(watch.failed[:20]))
    wrong = {
        "a visit failed": bool(watch.failed),
        "memory grew": late["MB"] - early["MB"] > GROWTH,
        "something was left": late["processes"] > 0
        or late["threads"] > early["threads"] + 2
        or late["files and sockets"] > early["files and sockets"],
        "slower at the end": last > SLOWER * first,
    }
    print("; ".join(what for what, holds in wrong.items() if holds) or "all as it should be")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
