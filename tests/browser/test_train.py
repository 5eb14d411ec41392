"""A training in the page, in a real browser: own drawings, the model in its tab, home, faults."""

import io
import random
import re
import zipfile
from pathlib import Path

import pytest
from browser.pages import (
    LONG,
    PHONE,
    Visitor,
    assert_accessible,
    assert_only,
    drag,
    fill,
    painted,
    switch,
    words,
)
from playwright.sync_api import Browser, Locator, Page, expect
from servers import serving

from aigc_demo.inference.vae import LatentWalker
from aigc_demo.ui.train.data import FEWEST

pytestmark = pytest.mark.browser


def said(key: str, language: str = "en") -> str:
    return words(language)[f"run.{key}"].format()


def choose(page: Page, field: str, value: str) -> None:
    page.locator(f"#train-{field} input[value={value}]").locator("..").click()


def draw(page: Page, count: int) -> None:
    chance = random.Random(1)

    def near(x: float, y: float) -> tuple[float, float]:
        return x + chance.uniform(-0.05, 0.05), y + chance.uniform(-0.05, 0.05)

    for _ in range(count):
        corners = [near(0.5, 0.2), near(0.25, 0.75), near(0.75, 0.75)]
        drag(page, "#train-pad .sheet canvas", [*corners, corners[0]])
        page.locator("#train-collect .add").click()


def train_a_little(page: Page, made: Locator | None = None) -> None:
    """Starts, sees it learn, and stops."""
    page.locator("#train-run .start").click()
    caption = page.locator("#train-run .caption")
    expect(page.locator("#train-run .start")).to_be_disabled()
    expect(made or page.locator("#train-history img")).to_be_visible(timeout=LONG)
    expect(caption).not_to_have_text(said("begins"))
    page.locator("#train-run .stop").click()
    expect(caption).to_have_text(said("done"), timeout=LONG)


def test_own_drawings_become_a_model_that_is_used_looked_into_and_taken_home(
    browser: Browser, server_url: str, tmp_path: Path
) -> None:
    with Visitor(browser, f"{server_url}?tab=train&lang=en", PHONE[0], has_touch=True) as page:
        choose(page, "model", "vae-2d")
        choose(page, "data", "drawings")
        draw(page, 1)
        page.locator("#train-run .start").click()  # one is too few
        expect(page.locator("#train-run .caption")).to_contain_text("there are 1")
        draw(page, FEWEST)
        page.locator("#train-collect .one").first.click()  # takes it away again
        expect(page.locator("#train-collect .one")).to_have_count(FEWEST)
        train_a_little(page)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

        page.reload()  # it is still there
        expect(page.locator("#train-run .caption")).to_have_text(said("done"), timeout=LONG)
        with page.expect_download() as download:
            page.locator("#train-run .home").click()
        download.value.save_as(tmp_path / "mine.zip")
        page.locator("#train-run .use").click()
        expect(page.locator("#vae-prior-model label.selected")).to_contain_text("Mine · ")
        painted(page, "#vae-digits canvas")
        name = page.locator("#vae-prior-model input:checked").get_attribute("value") or ""
        page.evaluate("window.aigc.page.go('tab=train')")
        page.locator("#train-run .inside").click()
        expect(page.locator("#within-history img")).to_be_visible(timeout=LONG)
        expect(page.locator("#within-again .caption")).to_contain_text("Made anew")
        expect(page.get_by_test_id("toast-body")).to_have_count(0)
        used = page.url
    with Visitor(browser, used) as page:  # whoever has the link sees the same, within the hour
        expect(page.locator("#within-history img")).to_be_visible(timeout=LONG)
        expect(page.get_by_test_id("toast-body")).to_have_count(0)

    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        archive.extractall(tmp_path)
        assert b"--images data" in archive.read("train.sh")
    walker = LatentWalker.load(tmp_path / "mine", "cpu")
    assert name.endswith(walker.loaded.digest[:40])
    home = str(tmp_path / "mine.zip")
    with serving("--weights", home) as url, Visitor(browser, f"{url}?tab=vae.prior") as page:
        expect(page.locator("#vae-prior-model label").nth(2)).to_have_text("mine")


def test_text_and_pictures_are_asked_for_where_a_model_needs_them(
    browser: Browser, server_url: str, tmp_path: Path
) -> None:
    with Visitor(browser, f"{server_url}?tab=train&lang=en") as page:
        offered = page.locator("#train-data label:visible")
        expect(offered).to_have_count(3)
        choose(page, "data", "pictures")
        choose(page, "model", "shakespeare")
        expect(offered).to_have_count(2)
        expect(page.locator("#train-data input:checked")).to_have_attribute("value", "sample")
        switch(page, "zh")
        expect(offered).to_have_count(2)
        switch(page, "en")
        choose(page, "data", "text")
        fill(page, "#train-text", "床前明月光，疑是地上霜。")
        page.locator("#train-run .start").click()
        expect(page.locator("#train-run .caption")).to_contain_text("this one has 12")
        switch(page, "zh")
        expect(page.locator("#train-run .caption")).to_contain_text("现在有 12 个")
        fill(page, "#train-text", "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。\n" * 90)
        switch(page, "en")
        train_a_little(page, page.locator("#train-history pre"))
        page.locator("#train-run .use").click()  # it writes, though it knows no Latin letter
        text = page.locator("#shakespeare-text textarea")
        expect(text).to_have_value(re.compile("^床前明月光[\\s\\S]{40}"), timeout=LONG)
        expect(page.get_by_test_id("toast-body")).to_have_count(0)
        page.evaluate("window.aigc.page.go('tab=train')")
        switch(page, "zh")

        choose(page, "model", "flow")
        choose(page, "data", "pictures")
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("../x.png", b"x")
        (tmp_path / "bad.zip").write_bytes(content.getvalue())
        page.locator("#train-collect input[type=file]").set_input_files(tmp_path / "bad.zip")
        expect(page.locator("#train-collect .chosen")).to_contain_text("bad.zip")
        page.locator("#train-run .start").click()
        told = words("zh")["train.outside"]
        expect(page.locator("#train-run .caption")).to_have_text(told)


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(1280, "dark", "zh"), (PHONE[0], "dark", "en"), (1280, "light", "en")],
)
def test_every_choice_is_readable(
    browser: Browser, server_url: str, width: int, theme: str, language: str
) -> None:
    address = f"{server_url}?tab=train&lang={language}&__theme={theme}"
    with Visitor(browser, address, width) as page:
        for model, kinds in {"gan": ("drawings", "pictures"), "shakespeare": ("text",)}.items():
            choose(page, "model", model)
            for kind in ("sample", *kinds):
                choose(page, "data", kind)
                expect(page.locator(f"#train .of-{kind}").first).to_be_visible()
                assert_only(page, language)
                assert_accessible(page)
                assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_another_visitor_waits_and_sees_the_place(browser: Browser, server_url: str) -> None:
    with Visitor(browser, f"{server_url}?tab=train&lang=en") as first:
        first.locator("#train-run .start").click()
        expect(first.locator("#train-run .stop")).to_be_enabled(timeout=LONG)
        with Visitor(browser, f"{server_url}?tab=train&lang=en") as second:
            second.locator("#train-run .start").click()
            expect(second.locator("#train-run .caption")).to_contain_text("before yours: 1")
            second.locator("#train-run .stop").click()
            expect(second.locator("#train-run .caption")).to_have_text(said("gone"), timeout=LONG)
        first.locator("#train-run .stop").click()
        expect(first.locator("#train-run .start")).to_be_enabled(timeout=LONG)


def test_the_tab_is_taken_away_where_training_is_off(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGC_TRAINING", "0")
    with serving() as url, Visitor(browser, url) as page:
        page.locator("[data-tab-id=learn]").first.wait_for()
        expect(page.locator("[data-tab-id=train]")).to_have_count(0)
