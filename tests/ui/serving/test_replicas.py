"""Two replicas of the page behind a real nginx, as nginx.conf at the top of the tree has it."""

import gzip
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from browser.pages import LONG, bar, copied, open_tab
from browser.pages import Visitor as BrowserVisitor
from browser.steps import STEPS
from playwright.sync_api import Browser, Page, expect
from servers import ROOT, free_port
from ui.serving.replicas import (
    ALONE,
    COOKIE,
    DIGITS,
    ENOUGH,
    PAGE,
    Pair,
    Replica,
    Visitor,
    address_of,
    balancer,
)

from aigc_demo.inference.transformer import TextWriter

CONFIGURATION = (ROOT / "nginx.conf").read_text()


@pytest.fixture(scope="module")
def nginx() -> str:
    """The system's nginx; without one, a failure in CI and a skip elsewhere."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        advice = "no nginx; install one with: sudo apt-get install -y nginx-light"
        pytest.fail(advice) if os.environ.get("CI") else pytest.skip(advice)
    return found


@pytest.fixture(scope="module")
def both(nginx: str, tmp_path_factory) -> Iterator[Pair]:
    root = tmp_path_factory.mktemp("replicas")
    replicas = [Replica(root / name) for name in ("one", "two")]
    (root / "nginx").mkdir()
    try:
        text = CONFIGURATION.replace("8080", str(free_port()))
        for replica, written in zip(replicas, ("7861", "7862"), strict=True):
            assert f"server 127.0.0.1:{written} " in text
            text = text.replace(f":{written} ", f":{replica.port} ")
            replica.ready()
        with balancer(nginx, root / "nginx", text) as forget:
            yield Pair(replicas, address_of(text), forget, root / "nginx/aigc-demo.log")
    finally:
        for replica in replicas:
            replica.kill()


@pytest.fixture
def pair(both: Pair) -> Pair:
    """Both replicas are there."""
    both.mend()
    return both


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """The texts of a few seeds, by the library, with nobody else writing."""
    writer = TextWriter.load("shakespeare")
    return [writer.write(*ALONE[1:3], temperature=ALONE[3], seed=seed) for seed in range(4)]


def test_a_visitor_stays_with_the_replica_of_the_first_page(pair: Pair) -> None:
    for replica, visitors in zip(pair.replicas, pair.visitors(4), strict=True):
        for visitor in visitors:
            assert [visitor.replica() for _ in range(3)] == [replica.name] * 3
            assert visitor.open() == replica.name
            assert visitor.text(1)  # which takes two requests
    cookie = Visitor(pair.url).get(pair.url, headers=PAGE).headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[0-9a-f]{{32}}; Path=/; HttpOnly; SameSite=Lax", cookie)
    again = Visitor(pair.url, "0" * 32).get(pair.url, headers=PAGE)
    assert "set-cookie" not in again.headers  # who has a name keeps it


def test_a_program_without_cookies_stays_too(pair: Pair) -> None:
    names = {httpx.get(f"{pair.url}gradio_api/app_id").json()["app_id"] for _ in range(8)}
    forged = {COOKIE: "forged; not a name"}
    names.add(httpx.get(f"{pair.url}gradio_api/app_id", cookies=forged).json()["app_id"])
    assert len(names) == 1
    assert COOKIE not in httpx.get(f"{pair.url}gradio_api/app_id").headers.get("set-cookie", "")


def test_a_text_streams_through(pair: Pair, alone: list[str]) -> None:
    visitor, seen = Visitor(pair.url), []
    for kind, data in visitor.stream("text_write", [*ALONE, 0]):
        seen.append((kind, data, time.perf_counter()))
    assert (seen[-1][0], seen[-1][1]) == ("complete", [alone[0]])
    times = [at for kind, _, at in seen if kind == "generating"]
    apart = sum(later - earlier > 0.01 for earlier, later in pairwise(times))
    assert apart >= 4  # it came bit by bit; at most 25 times a second


def test_files_have_the_public_address_and_are_found_from_either_side(pair: Pair) -> None:
    (mine,), (other,) = pair.visitors(1)
    address = mine.call("gan_sample", DIGITS)["url"]
    assert address.startswith(f"{pair.url}gradio_api/file=")
    assert str(pair.replicas[0].folder) in address
    picture = mine.get(address).raise_for_status().content
    assert picture.startswith(b"\x89PNG")
    assert other.get(address).content == picture
    lost = address.replace(".png", "x.png")
    assert other.get(lost).status_code in (403, 404)
    assert (mine.replica(), other.replica()) == tuple(one.name for one in pair.replicas)


def test_behind_another_name_the_page_speaks_of_that_name(pair: Pair) -> None:
    headers = {**PAGE, "Host": "demo.example.org:8443", "X-Forwarded-Host": "forged.example.org"}
    page = httpx.get(pair.url, headers=headers, timeout=ENOUGH).text
    assert '"root":"http://demo.example.org:8443"' in page
    assert "forged" not in page and str(pair.replicas[0].port) not in page


def test_limits_are_the_apps_own(pair: Pair) -> None:
    visitor = Visitor(pair.url)

    def upload(size: int) -> int:
        files = {"files": ("x.png", b"x" * size)}
        return visitor.post(f"{pair.url}gradio_api/upload", files=files).status_code

    assert [upload(2**24 - 1), upload(2**24 + 1), upload(19 * 2**20)] == [200, 413, 413]
    for _ in range(10):  # the sentence comes through, whoever is faster
        address = f"{pair.url}gradio_api/call/text_write"
        huge = visitor.post(address, json={"data": ["x" * 1_500_000]})
        assert huge.status_code == 413 and "256 kB" in huge.text


def test_the_page_is_compressed_once(pair: Pair) -> None:
    headers = {**PAGE, "Accept-Encoding": "gzip"}
    with httpx.stream("GET", pair.url, headers=headers, timeout=ENOUGH) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(answer.iter_raw())).lstrip().startswith(b"<!doctype")


class Load:
    """A visitor who does one thing after the other, and after a failure loads the page anew."""

    def __init__(self, visitor: Visitor, alone: list[str], picture: bytes) -> None:
        self.visitor, self.alone, self.expected = visitor, alone, picture
        self.failed: list[tuple[float, str]] = []
        self.done: list[float] = []  # when each right answer was there
        self.wrong: list[str] = []
        self.midway = threading.Event()  # a text has begun to come

    def run(self, stop: threading.Event) -> None:
        turn = 0
        while not stop.is_set():
            try:
                if turn % 3 == 2:
                    right = self.visitor.picture() == self.expected
                else:
                    seed = turn % len(self.alone)
                    right = self.visitor.text(seed, self.midway.set) == self.alone[seed]
            except (httpx.HTTPError, ValueError) as error:
                self.failed.append((time.monotonic(), repr(error)))
                self.visitor.open()
            else:
                self.done.append(time.monotonic())
                self.wrong += [] if right else [f"turn {turn}"]
            self.midway.clear()
            turn += 1

    def since(self, moment: float) -> int:
        """How much was done since then."""
        return sum(at > moment for at in self.done)


def test_one_is_killed_under_load_and_the_others_visitors_notice_nothing(
    pair: Pair, alone: list[str]
) -> None:
    pictures = {Visitor(replica.url).picture() for replica in pair.replicas}
    assert len(pictures) == 1
    (picture,) = pictures
    mine, others = ([Load(v, alone, picture) for v in some] for some in pair.visitors(3))
    stop = threading.Event()

    def wait(what: str, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + ENOUGH
        while not condition():
            assert time.monotonic() < end, f"expected {what} in {ENOUGH} s"
            time.sleep(0.002)

    with ThreadPoolExecutor(len(mine + others)) as pool:
        running = [pool.submit(load.run, stop) for load in mine + others]
        try:
            wait("answers from both", lambda: all(load.since(0) >= 2 for load in mine + others))
            wait("a text half written", lambda: mine[0].midway.is_set())
            killed = time.monotonic()
            pair.replicas[0].kill()
            wait("that all go on", lambda: all(load.since(killed) >= 4 for load in mine + others))
        finally:
            stop.set()
        for one in running:
            one.result()
    assert [load.wrong for load in mine + others] == [[]] * 6
    assert [load.failed for load in others] == [[]] * 3
    assert all(at >= killed for load in mine for at, _ in load.failed)
    assert any(load.failed for load in mine)  # a text broke off
    assert all(len(load.failed) <= 1 for load in mine)  # then they went on, with the other
    names = {load.visitor.replica() for load in mine + others}
    assert names == {pair.replicas[1].name}


LINKS = {"digits": "png", "walk": "webp", "poem": "txt"}  # a step, the file that its result gives


def saved(page: Page, tab: str, kind: str) -> bytes:
    """What the button gives, after the result is there."""
    open_tab(page, *tab.split("."))
    with page.expect_download(timeout=LONG) as download:
        page.locator(f"{bar(tab)} button[value={kind}]").click()
    return download.value.path().read_bytes()


def visit(browser: Browser, pair: Pair, visitor: Visitor, query: str) -> BrowserVisitor:
    """A browser with a visitor's name."""
    cookie = {"name": COOKIE, "value": visitor.cookies[COOKIE], "url": pair.url}
    found = BrowserVisitor(browser, "about:blank")
    found.context.add_cookies([cookie])
    found.page.goto(f"{pair.url}?{query}")
    return found


@pytest.mark.browser
def test_links_give_the_same_on_both_replicas_and_when_one_is_gone(
    browser: Browser, pair: Pair
) -> None:
    (first,), (second,) = pair.visitors(1)
    results: dict[str, tuple[str, bytes]] = {}
    with visit(browser, pair, first, "lang=en") as page:
        for step, kind in LINKS.items():
            tab, do, *_ = STEPS[step]
            open_tab(page, *tab.split("."))
            do(page)
            link = copied(page, tab)
            assert link.startswith(f"{pair.url}?tab={tab}")
            results[step] = (urlsplit(link).query, saved(page, tab, kind))
    for step, (query, expected) in results.items():
        tab, kind = STEPS[step][0], LINKS[step]
        with visit(browser, pair, second, query) as page:
            assert saved(page, tab, kind) == expected
    pair.replicas[0].kill()
    for step, (query, expected) in results.items():
        tab, kind = STEPS[step][0], LINKS[step]
        with visit(browser, pair, first, query) as page:
            assert saved(page, tab, kind) == expected


@pytest.mark.browser
def test_a_page_in_which_something_is_written_loads_itself_from_the_other(
    browser: Browser, pair: Pair
) -> None:
    (first,), _ = pair.visitors(1)
    with visit(browser, pair, first, "tab=transformer.shakespeare&length=1000&lang=en") as page:
        text = page.locator("#shakespeare-text textarea")
        whole = re.compile(r"^ROMEO:\n[\s\S]{1000}$")  # and not a letter less
        expect(text).to_have_value(whole, timeout=LONG)
        play, before = text.input_value(), page.evaluate("gradio_config.app_id")
        page.reload()
        begun = "() => document.querySelector('#shakespeare-text textarea')?.value.length > 20"
        page.wait_for_function(begun, timeout=LONG)
        pair.replicas[0].kill()  # in the middle of it
        wait_until = "before => window.gradio_config && gradio_config.app_id !== before"
        page.wait_for_function(wait_until, arg=before, timeout=LONG)
        expect(text).to_have_value(play, timeout=LONG)
        page.goto(f"{pair.url}?tab=transformer.poems&title=春江&lang=en")
        text = page.locator("#poems-text textarea")
        expect(text).to_have_value(re.compile(r"^《春江》\n(.{8}\n){3}.{8}$"), timeout=LONG)
        poem = text.input_value()
        page.locator("#poems-script label").nth(1).click()  # the poem itself is in the browser
        expect(text).not_to_have_value(poem, timeout=LONG)
        page.locator("#poems-script label").nth(0).click()
        expect(text).to_have_value(poem, timeout=LONG)
    assert pair.log.read_text() == ""  # where failed requests would be, and what was written


def test_nothing_is_left_beside_what_gradio_clears_away(pair: Pair) -> None:
    visitor = Visitor(pair.url)
    visitor.call("gan_sample", DIGITS)
    visitor.call("vae_walk", ["vae-2d", [-1.0, 0.0], [1.0, 0.0], 4])
    for replica in pair.replicas:
        assert {path.name for path in replica.folder.iterdir()} <= {"gradio"}


@pytest.mark.browser
def test_under_a_path_links_and_files_have_it(browser: Browser, nginx: str, tmp_path: Path) -> None:
    replica = Replica(tmp_path / "one", GRADIO_ROOT_PATH="/demo")
    text = re.sub(r":786[12] ", f":{replica.port} ", CONFIGURATION)
    text = text.replace("8080", str(free_port()))
    for path in ("/gradio_api/file=", "/"):  # as the file's head says
        inside = f"location {path} {{\n        proxy_pass http://aigc_demo"
        assert f"{inside};" in text
        text = text.replace(f"{inside};", f"{inside}{path};".replace(path, f"/demo{path}", 1))
    (tmp_path / "nginx").mkdir()
    try:
        replica.ready()
        with balancer(nginx, tmp_path / "nginx", text):
            url = address_of(text)
            assert url.endswith("/demo/")
            assert Visitor(url).picture().startswith(b"\x89PNG")
            with BrowserVisitor(browser, url) as page:
                open_tab(page, "vae", "walk")
                assert copied(page, "vae.walk").startswith(f"{url}?tab=vae.walk")
                assert saved(page, "vae.walk", "png").startswith(b"\x89PNG")
    finally:
        replica.kill()
