"""Many visitors at once: a click every five seconds each, on the machine that serves them."""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from aigc_demo.benchmark.app import ALL_MODELS
from aigc_demo.benchmark.rows import Row, row
from aigc_demo.benchmark.server import app, call, resident, serving

SECONDS_BETWEEN_CLICKS = 5.0  # seconds between a visitor's clicks
VISITORS = tuple(map(int, os.environ.get("AIGC_VISITORS", "100").split(",")))
SECONDS = float(os.environ.get("AIGC_SECONDS", "300"))
BESIDE = os.environ.get("AIGC_BESIDE", "")  # a model that is trained meanwhile


def measure() -> list[Row]:
    """Failures, times to pictures and to first characters, and memory, by visitors.

    AIGC_VISITORS (such as 1,30,100,300) and AIGC_SECONDS ask for others than 100 for 300 seconds;
    AIGC_BESIDE, such as gan, for a training of it beside them, in a process as the page starts it.
    """
    rows = []
    for count in VISITORS:
        with serving(app()) as (url, process, _), _training(BESIDE):
            pictures, texts, failed = asyncio.run(_crowd(url, count))
            who = f"{count} visitors"
            memory = [resident(process)]
            rows += [
                row(f"{who}: pictures", "s", pictures, series="pictures, by visitors", at=count),
                row(f"{who}: first characters", "s", texts, series="texts, by visitors", at=count),
                row(f"{who}: calls that failed", "", [float(failed)]),
                row(f"{who}: memory", "MB", memory, series="memory, by visitors", at=count),
            ]
    return rows


@contextmanager
def _training(name: str) -> Iterator[None]:
    """A training that gives way to everything else, for as long as this is open."""
    if not name:
        yield
        return
    sizes = ["--preset", "medium", "--minutes", str(SECONDS / 60 + 5)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "aigc_demo", "train", name, *sizes, "--output", folder]
        process = subprocess.Popen(
            ["nice", "-n", "10", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not (Path(folder) / "log.jsonl").is_file():
                assert process.poll() is None, "the training could not be started"
                time.sleep(0.1)
            yield
        finally:
            process.kill()
            process.wait()


async def _crowd(url: str, count: int) -> tuple[list[float], list[float], int]:
    pictures: list[float] = []
    texts: list[float] = []
    failures: list[str] = []

    def client() -> httpx.AsyncClient:
        """One a visitor, as browsers are; it lets go of a connection before the server does."""
        limits = httpx.Limits(keepalive_expiry=SECONDS_BETWEEN_CLICKS / 2)
        return httpx.AsyncClient(
            base_url=url, timeout=60, limits=limits, verify=False, trust_env=False
        )

    async def visitor(number: int) -> None:
        draw = random.Random(number)
        end = time.perf_counter() + SECONDS
        async with client() as browser:
            await asyncio.sleep(SECONDS_BETWEEN_CLICKS * draw.random())
            while time.perf_counter() < end:
                begun = time.perf_counter()
                await click(browser, draw, f"visitor {number}")
                await asyncio.sleep(
                    max(0.0, SECONDS_BETWEEN_CLICKS - (time.perf_counter() - begun))
                )

    async def click(browser: httpx.AsyncClient, draw: random.Random, who: str) -> None:
        kind, seed = draw.random(), draw.randrange(1_000_000)
        try:
            if kind < 0.4:
                values = ["gan", "mixed", 35, seed, 1.0]
                pictures.append((await call(browser, "gan_sample", values, who))[1])
            elif kind < 0.7:
                z = [draw.gauss(0, 1), draw.gauss(0, 1)]
                pictures.append((await call(browser, "vae_decode", ["vae-2d", z], who))[1])
            else:
                values = ["shakespeare", "ROMEO:\n", 100, 0.8, 0, 1.0, 1.0, seed]
                texts.append((await call(browser, "text_write", values, who))[0])
        except (ValueError, httpx.HTTPError) as error:
            failures.append(str(error))

    async with client() as browser:
        for name, values in ALL_MODELS:
            await call(browser, name, values)
    await asyncio.gather(*map(visitor, range(count)))
    return pictures, texts, len(failures)
