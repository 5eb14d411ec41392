"""Makes the README's pictures anew: starts the page and photographs each tab in both languages."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
PORT = 7959
URL = f"http://127.0.0.1:{PORT}/"


def photograph(page: Page, language: str) -> None:
    """One picture a tab: digits, map, poem, digits out of noise, a training, a chapter."""
    page.goto(f"{URL}?lang={language}")
    page.locator("#gan-digits canvas[data-painted]").wait_for()
    page.wait_for_timeout(1_000)
    page.screenshot(path=FOLDER / f"gan-{language}.png")
    tabs = page.locator("#models > div").first.get_by_role("tab")
    tabs.nth(1).click()
    page.locator("#vae-map .decoded[data-painted]").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=FOLDER / f"vae-{language}.png")
    tabs.nth(2).click()
    page.locator("#transformer-tasks > div").first.get_by_role("tab").nth(1).click()
    page.locator("#poems-text textarea").wait_for()
    page.wait_for_timeout(4_000)  # it is being written
    page.screenshot(path=FOLDER / f"transformer-{language}.png")
    tabs.nth(3).click()
    page.locator("#flow-digits canvas[data-painted]").wait_for()
    page.wait_for_timeout(4_000)  # they come step by step
    page.screenshot(path=FOLDER / f"flow-{language}.png")
    tabs.nth(4).click()
    page.locator("#train-model input[value=vae-2d]").locator("..").click()
    page.locator("#train-run .start").click()
    page.locator("#train-history img").wait_for()
    page.wait_for_timeout(12_000)  # it learns
    page.screenshot(path=FOLDER / f"train-{language}.png")
    page.locator("#train-run .stop").click()
    page.locator("#train-run .made").wait_for()
    tabs.nth(5).click()
    page.locator("#chapter h2").wait_for()
    page.wait_for_timeout(1_000)
    page.screenshot(path=FOLDER / f"learn-{language}.png")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    root = FOLDER.parent.parent
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=root)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(URL, timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        found = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu"]
            )
            for language in ("en", "zh"):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                photograph(page, language)
            page = browser.new_page(viewport={"width": 1200, "height": 630})
            page.goto(f"{URL}?lang=en")
            page.locator("#gan-digits canvas[data-painted]").wait_for()
            page.wait_for_timeout(2_000)
            page.screenshot(path=root / "aigc_demo/ui/serving/static/preview.png")
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
