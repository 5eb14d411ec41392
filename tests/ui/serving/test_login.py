"""A page with --auth: every route of the app is closed before the login, and open after it."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

import pytest
from gradio.routes import App
from playwright.sync_api import Browser, expect
from servers import serving

from aigc_demo.ui.app import build, files
from aigc_demo.ui.serving.login import OPEN


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("--auth", "me:secret") as address:
        yield address


def routes() -> set[tuple[str, str]]:
    """Method and path of all that the app answers to."""
    demo = build()
    found = set()
    waiting = list(App.create_app(demo).routes)
    while waiting:
        route = waiting.pop()
        if inner := getattr(route, "original_router", None):
            waiting += inner.routes
            continue
        path = re.sub(r"\{[^}]*\}", "x", route.path)
        methods = getattr(route, "methods", None) or {"GET"}
        found |= {(method, path) for method in methods if method in ("GET", "POST")}
    return found | {("GET", f"/{path}") for path in files(demo)}


def status(url: str, method: str, path: str) -> int:
    asked = urllib.request.Request(
        url.rstrip("/") + path,
        data=b"{}" if method == "POST" else None,
        method=method,
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def test_every_route_is_closed_before_the_login(url: str) -> None:
    every = routes()
    closed = {(method, path) for method, path in every if not OPEN.fullmatch(path)}
    assert len(closed) > 60 and {"/gradio_api/queue/join", "/gradio_api/queue/data"} <= {
        path for _, path in closed
    }
    wrong = {(*one, found) for one in closed if (found := status(url, *one)) != 401}
    assert wrong == set()
    still_open = {path for _, path in every if OPEN.fullmatch(path)}
    assert not any("gradio_api" in path for path in still_open - {"/gradio_api/startup-events"})


def test_after_the_login_everything_is_there(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with pytest.raises(urllib.error.HTTPError):
        opener.open(f"{url}login", b"username=me&password=wrong", timeout=20)
    opener.open(f"{url}login", b"username=me&password=secret", timeout=20).close()
    for path in ("lessons/gan.en.md", "config", "gradio_api/info", "gradio_api/queue/status"):
        with opener.open(url + path, timeout=20) as reply:
            assert reply.status == 200


@pytest.mark.browser
def test_a_visitor_logs_in_and_gets_a_digit(browser: Browser, url: str) -> None:
    page = browser.new_page(locale="en-US")
    page.goto(url)
    page.locator("input").nth(0).fill("me")
    page.locator("input[type=password]").fill("secret")
    page.get_by_role("button").first.click()
    page.locator("#gan-digits canvas[data-painted]").wait_for()
    page.locator("#how-gan").scroll_into_view_if_needed()
    page.mouse.wheel(0, 10_000)  # the lesson opens by itself
    expect(page.locator("#lesson-gan .katex").first).to_be_visible()
    page.close()
