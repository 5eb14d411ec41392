"""The page as a whole: start, memory, weight, and what a request costs over an empty one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from aigc_demo.benchmark.rows import Row, row
from aigc_demo.benchmark.server import app, call, hello, resident, serving

STARTS = VISITS = 5
DIGITS = {"painted": "canvas[data-painted]", "there": "#gan-digits canvas[data-painted]"}
# When an element is there and a frame with it was painted: milliseconds since the visit began.
WATCH = """
window.seen = {};
const left = Object.entries(WANTED);
new MutationObserver(() => {
  for (let i = left.length - 1; i >= 0; i--) {
    if (!document.querySelector(left[i][1])) continue;
    const [[name]] = left.splice(i, 1);
    requestAnimationFrame(() => setTimeout(() => { window.seen[name] = performance.now(); }));
  }
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
ALL_MODELS: list[tuple[str, list[Any]]] = [
    ("gan_sample", ["gan", "mixed", 8, 0, 1.0]),
    ("gan_sample", ["gan-mlp", "mixed", 8, 0, 1.0]),
    ("vae_decode", ["vae-2d", [0.0, 0.0]]),
    ("vae_decode", ["vae", [0.0] * 32]),
    ("text_write", ["shakespeare", "ROMEO:\n", 20, 0.8, 0, 1.0, 1.0, 0]),
    ("poem_write", ["七绝", "", "", "", True, 0.8, 0]),
]


def measure() -> list[Row]:
    """Figures of the page beside a hello-world page that imports torch too, in turns."""
    starts, plain = [], []
    for _ in range(STARTS):
        with serving(hello()) as (_, _, taken):
            plain.append(taken)
        with serving(app()) as (_, _, taken):
            starts.append(taken)
    rows = [row("start to the first HTTP 200", "s", starts, "hello world", plain)]
    with serving(hello()) as (other, hello_process, _), serving(app()) as (url, process, _):
        nothing = asyncio.run(_calls(other, "nothing", ["x"], 30))
        digits = asyncio.run(_calls(url, "gan_sample", ["gan", "mixed", 64, 0, 1.0], 30))
        decoded = asyncio.run(_calls(url, "vae_decode", ["vae-2d", [0.5, -0.5]], 30))
        rows.append(row("64 digits by the API", "ms", digits, "a call that does nothing", nothing))
        rows.append(row("one point decoded", "ms", decoded, "a call that does nothing", nothing))
        for name, values in ALL_MODELS:
            asyncio.run(_calls(url, name, values, 1))
        memory = [resident(process)]
        other_memory = [resident(hello_process)]
        rows.append(row("memory, all models loaded", "MB", memory, "hello world", other_memory))
        rows += _in_a_browser(url, other)
    return rows


async def _calls(url: str, name: str, values: list[Any], times: int) -> list[float]:
    """Milliseconds to the whole answer of one call after the other."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        await call(client, name, values, "visitor")
        return [1_000 * (await call(client, name, values, "visitor"))[1] for _ in range(times)]


def _in_a_browser(url: str, other: str) -> list[Row]:
    """The bytes that a first visit fetches, and the time until the first digits are painted."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ValueError(
            "expected playwright to be installed: pip install -r requirements-dev.txt"
        ) from None
    with sync_playwright() as playwright:
        browser = _browser(playwright.chromium.launch)
        ours, times = zip(*(_visit(browser, url, DIGITS) for _ in range(VISITS)), strict=True)
        theirs = [_visit(browser, other, {"there": "p"})[0] for _ in range(VISITS)]
        browser.close()
    weight = [[size / 1000 for size in sizes] for sizes in (ours, theirs)]
    return [
        row("weight of the first visit", "kB", weight[0], "hello world", weight[1]),
        row("first digits painted", "s", [time["painted"] for time in times]),
        row("first digits can be clicked", "s", [time["there"] for time in times]),
    ]


def _browser(launch: Callable) -> Any:
    """Playwright's Chromium, or the system's."""
    from playwright.sync_api import Error

    try:
        return launch()
    except Error:
        return launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])


def _visit(browser: Any, url: str, wanted: dict[str, str]) -> tuple[int, dict[str, float]]:
    """Bytes that a first visit fetches, as sent, and seconds from its beginning until the browser
    has painted what the selectors name.
    """
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(WATCH.replace("WANTED", json.dumps(wanted)))
    sizes: list[int] = []
    page.on("requestfinished", lambda asked: sizes.append(_size(asked)))
    page.goto(url)
    page.wait_for_function(f"Object.keys(window.seen).length === {len(wanted)}")
    page.wait_for_timeout(2_000)
    times = page.evaluate("window.seen")
    context.close()
    return sum(sizes), {name: time / 1000 for name, time in times.items()}


def _size(asked: Any) -> int:
    sizes = asked.sizes()
    return sizes["responseBodySize"] + sizes["responseHeadersSize"]
