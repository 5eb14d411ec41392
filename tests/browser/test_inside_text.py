"""Visits to the Transformer's inside view in a real browser."""

import re

import pytest
from browser.pages import (
    DESKTOP,
    PHONE,
    assert_formulas_are_set,
    assert_only,
    choose,
    language_of,
    open_tab,
)
from playwright.sync_api import Page, expect

from aigc_demo.explain.branches import next_logits
from aigc_demo.explain.transformer import named, read
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.transformer import next_token_distribution

pytestmark = pytest.mark.browser

SETTINGS = ((0.8, 0, 0.95), (1.5, 5, 1), (0, 0, 1), (2, 0, 0.5), (1, 1, 1))
TOWER = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"


def open_inside(page: Page) -> None:
    open_tab(page, "transformer", "inside")
    page.locator("#through-tokens .list[data-painted^=JULIET]").wait_for()
    page.locator("#through-network .stream-picture[data-painted]").wait_for()
    choose(page, "step", "through")
    page.locator("#through-step table[data-painted='22']").wait_for()


def read_text(page: Page, text: str) -> None:
    page.locator("#through-text textarea").fill(text)
    page.locator("#through-read").click()
    last = text.split("\n")[-1][-1]
    chosen = page.locator("#through-tokens [aria-pressed=true]")
    expect(page.locator("#through-tokens .token").last).to_have_text(last)
    expect(chosen).to_have_text(last)


@pytest.mark.parametrize("visit", [("zh", PHONE), ("en", DESKTOP)], indirect=True)
def test_the_overview_shows_the_network_and_leads_into_its_views(visit: Page) -> None:
    open_tab(visit, "transformer", "inside")
    picture = visit.locator("#through-network .stream-picture[data-painted]")
    picture.wait_for()
    writer = TextWriter.load("shakespeare")
    text = visit.locator("#through-text textarea").input_value()
    share, best = next_logits(writer, read(writer, text).ids).softmax(0).max(0)
    first = picture.locator(".likely").first
    expect(first.locator("b")).to_have_text(named(writer, int(best)))
    shown = float(first.locator("span").inner_text().removesuffix("%"))
    assert shown == pytest.approx(100 * share.item(), abs=0.5)
    expect(picture.locator(".layer")).to_have_count(6)
    arcs = picture.locator(".arcs")
    expect(arcs).to_have_attribute("data-painted", "0:-1:21")
    picture.locator(".title").nth(3).click()
    expect(arcs).to_have_attribute("data-painted", "3:-1:21")
    picture.locator(".head").nth(2).focus()
    expect(arcs).to_have_attribute("data-painted", "3:2:21")
    picture.locator(".head").nth(2).click()
    visit.locator("#through-heads canvas.thumbs[data-painted^='4.3.']").wait_for()
    expect(visit.locator("#through-head input")).to_have_value("3")
    visit.locator("#through-view input:checked").press("Escape")
    expect(picture).to_be_visible()
    picture.locator(".words .token").nth(10).click()
    expect(visit.locator("#through-tokens [aria-pressed=true]")).to_have_text("m")
    expect(arcs).to_have_attribute("data-painted", re.compile(r":12$"))
    first.click()
    expect(visit.locator("#through-next tbody tr")).to_have_count(10)
    assert_only(visit, language_of(visit))


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_visitor_follows_one_token_through_the_model(visit: Page) -> None:
    open_inside(visit)
    chosen = visit.locator("#through-tokens [aria-pressed=true]")
    expect(chosen).to_have_text("e")
    assert_formulas_are_set(visit, "#through-step-formula")
    visit.locator("#through-tokens .token").nth(10).click()
    expect(chosen).to_have_text("R")
    expect(visit.locator("#through-step .masked")).to_have_count(11)
    chosen.press("ArrowRight")
    expect(chosen).to_have_text("o")
    expect(visit.locator("#through-step .masked")).to_have_count(10)
    visit.locator("#through-sums button").first.click()
    expect(visit.locator("#through-products tr")).to_have_count(66)
    expect(visit.locator("#through-step-code .marked").first).to_be_visible()

    choose(visit, "attention", "through")
    thumbs = visit.locator("#through-heads canvas.thumbs[data-painted^='1.1.']")
    thumbs.wait_for()
    maps = visit.locator("#through-heads canvas.map")
    number = re.compile(r"(looks at|看).*: ?\d\.\d{3}|：\d\.\d{3}")
    expect(maps).to_have_attribute("aria-valuetext", number)
    visit.locator("#through-heads canvas.thumbs").press("ArrowDown")
    expect(visit.locator("#through-heads canvas.thumbs")).to_have_attribute(
        "data-painted", re.compile(r"^2\.1\.")
    )
    expect(visit.locator("#through-layer input")).to_have_value("2")
    maps.focus()
    for _ in range(22):
        maps.press("ArrowRight")
    expect(maps).to_have_attribute("aria-valuetext", re.compile("masked|遮住"))

    choose(visit, "lens", "through")
    expect(visit.locator("#through-lens tbody tr")).to_have_count(7)
    assert_formulas_are_set(visit, "#through-lens-formula")
    choose(visit, "off", "through")
    expect(visit.locator("#through-off .prose")).to_have_count(2)
    choose(visit, "neurons", "through")
    expect(visit.locator("#through-neurons tbody tr")).to_have_count(8)
    visit.locator("#through-character input").fill("Z")
    visit.locator("#through-character input").press("Enter")
    expect(visit.locator("#through-near .caption")).to_contain_text("Z")
    choose(visit, "surprise", "through")
    expect(visit.locator("#through-shaded .token")).to_have_count(22)
    assert_formulas_are_set(visit, "#through-perplexity")
    choose(visit, "origin", "through")
    expect(visit.locator("#through-origin td").last).to_contain_text("JULIET")
    choose(visit, "verse", "through")
    expect(visit.locator("#through-verse .caption")).to_have_text(re.compile("poems|诗"))
    assert_only(visit, language_of(visit))


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_the_sliders_of_the_candidates_do_what_the_model_library_does(visit: Page) -> None:
    open_inside(visit)
    choose(visit, "next", "through")
    body = visit.locator("#through-next tbody")
    expect(visit.locator("#through-next tbody tr")).to_have_count(10)
    writer = TextWriter.load("shakespeare")
    text = visit.locator("#through-text textarea").input_value()
    logits = next_logits(writer, read(writer, text).ids)
    visit.wait_for_timeout(3_000)  # the page is complete by then
    requests: list[str] = []
    visit.on("request", lambda asked: requests.append(asked.url))
    for temperature, top_k, top_p in (
        (0.8, 0, 0.95),
        (1.5, 5, 1),
        (0, 0, 1),
        (2, 0, 0.5),
        (1, 1, 1),
    ):
        for name, value in (("temperature", temperature), ("top_k", top_k), ("top_p", top_p)):
            visit.locator(f"#through-next input[name={name}]").evaluate(
                "(slider, value) => { slider.value = value;"
                " slider.dispatchEvent(new Event('input')); }",
                value,
            )
        shown = [float(share) for share in (body.get_attribute("data-painted") or "").split()]
        found = next_token_distribution(logits, temperature, top_k or None, top_p)
        order = logits.argsort(descending=True, stable=True)[:10]
        assert shown == pytest.approx(found[order].tolist(), abs=2e-5)
        kept = int((found > 0).sum())
        expect(visit.locator("#through-next tr.cut")).to_have_count(10 - min(10, kept))
        entropy = -(found[found > 0] * found[found > 0].log()).sum()
        expect(visit.locator("#through-next .caption")).to_contain_text(
            f"{abs(entropy.item()):.2f}"
        )
    assert [url for url in requests if "heartbeat" not in url] == []


@pytest.mark.parametrize("visit", [("zh", DESKTOP)], indirect=True)
def test_a_candidate_and_a_node_become_the_text(visit: Page) -> None:
    open_inside(visit)
    choose(visit, "next", "through")
    text = visit.locator("#through-text textarea")
    before = text.input_value()
    second = visit.locator("#through-next tbody button").nth(1)
    name = second.inner_text()
    second.click()
    after = before + {"␣": " ", "↵": "\n"}.get(name, name)
    expect(text).to_have_value(after)
    expect(visit.locator("#through-tokens [aria-pressed=true]")).to_have_text(name)
    while (folded := visit.locator("#through-tree .folded")).count():
        folded.first.click()
    expect(visit.locator("#through-tree button")).to_have_count(39)
    expect(visit.locator("#through-next tbody button").first).not_to_have_text("␣")
    visit.locator("#through-tree ul ul ul button").first.click()
    expect(text).to_have_value(re.compile(re.escape(after) + "...", re.DOTALL))
    expect(visit.locator("#through-tokens .token")).to_have_count(26)


@pytest.mark.parametrize("visit", [("zh", DESKTOP)], indirect=True)
def test_a_poem_is_looked_into_and_its_rules_are_shown(visit: Page) -> None:
    open_inside(visit)
    visit.locator("#through-model input[value=poems]").locator("..").click()
    visit.locator("#through-tokens .given").first.wait_for()
    choose(visit, "verse", "through")
    expect(visit.locator("#through-verse .foot").first).to_be_visible()
    read_text(visit, TOWER)
    expect(visit.locator("#through-verse td")).to_have_count(20)
    expect(visit.locator("#through-verse .broken")).to_have_count(0)
    read_text(visit, TOWER.replace("層樓", "層山"))
    expect(visit.locator("#through-verse .broken")).to_have_count(1)
    open_tab(visit, "transformer", "shakespeare")
    open_tab(visit, "transformer", "poems")
    open_tab(visit, "transformer", "inside")
    visit.locator("#through-model input[value=shakespeare]").locator("..").click()
    visit.locator("#through-take").click()  # the latest, with its model
    expect(visit.locator("#through-text textarea")).to_have_value(re.compile("《春江》"))
    expect(visit.locator("#through-model input[value=poems]")).to_be_checked()
    expect(visit.locator("#through-verse td")).to_have_count(28)
    choose(visit, "attention", "through")
    visit.locator("#through-heads canvas.thumbs[data-painted]").wait_for()
    choose(visit, "origin", "through")
    expect(visit.locator("#through-marked .token").nth(27)).to_be_attached()


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_text_that_cannot_be_read_is_one_sentence_and_nothing_is_lost(visit: Page) -> None:
    open_inside(visit)
    rows = visit.locator("#through-step tbody tr")
    expect(rows).to_have_count(22)
    visit.locator("#through-text textarea").fill("漢字")
    visit.locator("#through-read").click()
    expect(visit.get_by_text("词表里没有").first).to_be_visible()
    expect(rows).to_have_count(22)
