"""Links in a real browser: what one server made, another shows just so; back, forward, files."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser.pages import (
    LONG,
    Visitor,
    bar,
    choose,
    copied,
    fill,
    open_tab,
    painted,
    settled,
    wait_for_other,
    wait_for_parameter,
    words,
)
from browser.steps import STEPS, drawing, walk
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from servers import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def second_url() -> Iterator[str]:
    """Another process of the app, which knows nothing of the first."""
    with serving() as url:
        yield url


def text_of(page: Page, place: str) -> str:
    found = page.locator(place)
    return found.input_value() if place.endswith("textarea") else (found.text_content() or "")


@pytest.mark.parametrize("step", STEPS)
def test_a_link_shows_the_very_result_on_another_server(
    browser: Browser, server_url: str, second_url: str, step: str
) -> None:
    tab, act, canvases, text = STEPS[step]
    with Visitor(browser, server_url) as page:
        open_tab(page, *tab.split("."))
        act(page)
        wait_for_parameter(page, "tab", tab)
        settled(page)
        link, shown = copied(page, tab), text_of(page, text)
        pictures = [painted(page, canvas) for canvas in canvases]
        assert urlsplit(link).query == urlsplit(page.url).query
    elsewhere = second_url + "?" + urlsplit(link).query
    with Visitor(browser, elsewhere, locale="zh-CN") as page:
        expect(page).to_have_title(words("en")["page.title"])  # the link's language
        place = page.locator(text)
        if text.endswith("textarea"):
            expect(place).to_have_value(shown, timeout=LONG)
        else:
            expect(place).to_have_text(shown, timeout=LONG)
        for canvas, picture in zip(canvases, pictures, strict=True):
            page.wait_for_function(
                "([canvas, picture]) => document.querySelector(canvas).toDataURL() === picture",
                arg=[canvas, picture],
            )
        assert page.url == elsewhere
        assert copied(page, tab) == elsewhere
        assert page.get_by_test_id("toast-text").count() == 0


def test_the_poem_that_a_tab_opens_with_has_its_link_too(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "transformer", "poems")
        link, shown = copied(page, "transformer.poems"), text_of(page, "#poems-text textarea")
    with Visitor(browser, link) as page:
        expect(page.locator("#poems-text textarea")).to_have_value(shown, timeout=LONG)


def test_back_and_forward_step_through_results_without_a_reload(
    browser: Browser, server_url: str
) -> None:
    with Visitor(browser, server_url) as page:
        first = painted(page, "#gan-digits canvas")
        page.evaluate("window.here = true")
        fill(page, "#gan-seed", "11")
        page.locator("#gan-seed input").press("Enter")
        second = wait_for_other(page, "#gan-digits canvas", first)
        wait_for_parameter(page, "seed", "11")
        open_tab(page, "vae", "walk")
        walk(page)
        wait_for_parameter(page, "route", "7140")
        page.go_back()
        wait_for_parameter(page, "seed", "11")
        expect(page.locator("#gan-digits canvas")).to_be_visible()
        assert painted(page, "#gan-digits canvas") == second
        page.go_back()
        wait_for_other(page, "#gan-digits canvas", second)
        assert painted(page, "#gan-digits canvas") == first
        expect(page.locator("#gan-seed input")).to_have_value("7")
        page.go_forward()
        page.go_forward()
        wait_for_parameter(page, "route", "7140")
        expect(page.locator("#vae-film .caption")).to_contain_text("7 → 1 → 4 → 0")
        assert page.evaluate("window.here")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_damaged_link_gets_one_notice_and_the_rest_is_shown(
    browser: Browser, server_url: str, language: str
) -> None:
    query = f"?tab=vae.walk&route=742&steps=many&path=crooked&colour=3&lang={language}"
    with Visitor(browser, server_url + query) as page:
        expect(page.locator("#vae-film .caption")).to_contain_text("7 → 4 → 2")
        names = {"zh": "帧数、路线、colour", "en": "Frames, the path, colour"}[language]
        notice = words(language)["error.left_out"].format(names=names)
        expect(page.get_by_test_id("toast-text")).to_have_text(notice)
        expect(page.locator("#vae-frames canvas")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_damaged_link_to_a_head_shows_the_head(
    browser: Browser, server_url: str, language: str
) -> None:
    query = "?tab=transformer.inside&look=attention&text=To%20be&token=x&layer=2&head=3&knob=1"
    with Visitor(browser, f"{server_url}{query}&lang={language}") as page:
        names = {"zh": "词元、knob", "en": "The token, knob"}[language]
        notice = words(language)["error.left_out"].format(names=names)
        expect(page.get_by_test_id("toast-text")).to_have_text(notice, timeout=LONG)  # it goes soon
        thumbs = page.locator("#through-heads canvas.thumbs")
        expect(thumbs).to_have_attribute("data-painted", re.compile(r"^2\.3\."), timeout=LONG)
        expect(page.locator("#through-tokens [aria-pressed=true]")).to_have_text("e")


def test_back_and_forward_step_through_views_and_games(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "vae", "inside")
        choose(page, "posterior", "within")
        before = painted(page, "#within-plane canvas")
        page.wait_for_timeout(1_100)  # what follows sooner is the same step
        page.locator("#within-shelf canvas").click(position={"x": 60, "y": 20})
        after = wait_for_other(page, "#within-plane canvas", before)
        wait_for_parameter(page, "image", "test.1")
        open_tab(page, "gan", "lab")
        page.wait_for_timeout(1_100)
        page.locator("#lab [data-do=both]").click()
        wait_for_parameter(page, "moves", "b1")
        page.go_back()
        wait_for_parameter(page, "image", "test.1")
        page.go_back()
        wait_for_parameter(page, "image", "test.0")
        wait_for_other(page, "#within-plane canvas", after)
        assert painted(page, "#within-plane canvas") == before
        for _ in range(2):
            page.go_forward()
        wait_for_parameter(page, "moves", "b1")
        expect(page.locator("#lab .numbers .step")).to_have_text("1", timeout=LONG)


def test_a_link_to_no_tab_opens_the_page_and_says_so(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url + "?tab=<img src=x onerror=alert(1)>&lang=en") as page:
        painted(page, "#gan-digits canvas")
        notice = words("en")["error.left_out"].format(names=words("en")["name.tab"])
        expect(page.get_by_test_id("toast-text")).to_have_text(notice)


def test_a_state_file_restores_a_result_on_another_server(
    browser: Browser, server_url: str, second_url: str, tmp_path: Path
) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "vae", "rebuild")
        drawing(page)
        page.locator(f"{bar('vae.rebuild')} .copy").click()
        with page.expect_download() as saved:
            page.locator("#links [data-word=save_state]").click()
        saved.value.save_as(tmp_path / saved.value.suggested_filename)
        caption = page.locator("#vae-rebuilt .caption").inner_text()
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["tab"] == "vae.rebuild"
    with Visitor(browser, second_url + "?lang=en&hide=train") as page:
        before = page.url
        data = page.evaluate_handle(
            """text => {
                const data = new DataTransfer();
                data.items.add(new File([text], "state.json"));
                return data;
            }""",
            file.read_text(),
        )
        page.locator("#gan-digits").dispatch_event("drop", {"dataTransfer": data})
        expect(page.locator("#vae-rebuilt .caption")).to_have_text(caption, timeout=LONG)
        wait_for_parameter(page, "tab", "vae.rebuild")
        wait_for_parameter(page, "hide", "train")
        assert page.url != before
        page.locator(f"{bar('vae.rebuild')} .copy").click()
        chosen = page.locator("#links input[type=file]")
        chosen.set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": b"[1]"})
        expect(page.locator("#links .told")).to_have_text(words("en")["link.unreadable"])
        expect(page.locator("#links [data-word=save_state]")).to_be_hidden()  # there is none


def test_a_long_prompt_has_no_link_but_a_file(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "vae", "map")
        long = "tab=transformer.shakespeare&prompt=" + "x" * 5_000
        page.evaluate("long => window.aigc.page.bars.find((b) => b.tab === 'vae.map')"
                      ".props.link = { query: long }", long)  # fmt: skip
        page.locator(f"{bar('vae.map')} .copy").click()
        expect(page.locator("#links .told")).to_have_text(words("en")["link.too_long"])
        expect(page.locator("#links .address")).to_be_hidden()


DRAWN = """(picture) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [260, 260];
  canvas.getContext("2d").drawImage(picture, 0, 0, 260, 260);
  return canvas.toDataURL("image/png");
}"""


@pytest.mark.parametrize("tab", ["gan.digits", "transformer.poems"])
def test_a_card_holds_the_result_beside_its_code(
    browser: Browser, server_url: str, tab: str, tmp_path: Path
) -> None:
    with Visitor(browser, server_url + "?lang=en") as page:
        open_tab(page, *tab.split("."))
        if tab == "gan.digits":
            painted(page, "#gan-digits canvas")
        page.locator(f"{bar(tab)} .copy").click()
        expect(page.locator("#links img")).to_be_visible()
        with page.expect_download() as saved:
            page.locator("#links [data-word=save_card]").click()
        saved.value.save_as(tmp_path / "card.png")
        picture = page.locator("#links img").evaluate(DRAWN)
    with Image.open(tmp_path / "card.png") as image:
        assert image.size == (1200, 630)
        ink = 255 - np.asarray(image.convert("L")).astype(float)
    assert 4 < ink[48:582, 48:582].mean() < 250  # the result
    code = ink[282:542, 650:910]
    with Image.open(io.BytesIO(base64.b64decode(picture.partition(",")[2]))) as image:
        wanted = 255 - np.asarray(image.convert("L")).astype(float)
    assert np.corrcoef(code.ravel(), wanted.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("allowed", [True, False])
def test_copying_works_without_leave_to_use_the_clipboard(
    browser: Browser, server_url: str, allowed: bool
) -> None:
    with Visitor(browser, server_url) as page:
        painted(page, "#gan-digits canvas")
        if not allowed:
            page.evaluate(
                """() => {
                    const no = () => Promise.reject(new Error("denied"));
                    Object.defineProperty(navigator, "clipboard", { value: { writeText: no } });
                    document.execCommand = () => false;
                }"""
            )
        else:
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(f"{bar('gan.digits')} .copy").click()
        key = "link.copied" if allowed else "link.copy_it"
        expect(page.locator("#links .told")).to_have_text(words("en")[key])
        selected = page.evaluate(
            "() => { const f = document.querySelector('#links .address');"
            " return f.value.slice(f.selectionStart, f.selectionEnd) }"
        )
        assert selected == page.locator("#links .address").input_value() != ""
        if allowed:
            assert page.evaluate("navigator.clipboard.readText()") == selected
        code = page.locator("#links img")
        expect(code).to_be_visible()
        assert code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


@pytest.mark.parametrize(
    ("tab", "kind"), [("gan.digits", "png"), ("vae.walk", "webp"), ("transformer.poems", "txt")]
)
def test_a_visitor_saves_a_file(
    browser: Browser, server_url: str, tmp_path: Path, tab: str, kind: str
) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, *tab.split("."))
        with page.expect_download(timeout=LONG) as saved:
            page.locator(f"{bar(tab)} button[value={kind}]").click()
        assert saved.value.suggested_filename == f"aigc-{tab.replace('.', '-')}.{kind}"
        saved.value.save_as(tmp_path / "saved")
        data = (tmp_path / "saved").read_bytes()
        start = {"png": b"\x89PNG", "webp": b"RIFF", "txt": "《春江》".encode()}[kind]
        assert data.startswith(start)


def test_the_address_follows_the_language(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url + "?tab=gan.number&number=7&lang=en") as page:
        expect(page.locator("#gan-number-result .caption")).to_contain_text("7, in a hand")
        page.locator("#language input[value=zh]").locator("..").click()
        wait_for_parameter(page, "lang", "zh")
        assert "lang=zh" in copied(page, "gan.number")
