"""Visits to the inside views in a real browser, in each language, on a desktop and on a phone."""

import re

import pytest
from browser.pages import (
    DESKTOP,
    PHONE,
    assert_formulas_are_set,
    assert_only,
    choose,
    drag,
    draw_a_seven,
    fill,
    language_of,
    open_tab,
    painted,
    wait_for_other,
)
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_a_visitor_looks_inside_the_digit_that_was_clicked(visit: Page) -> None:
    painted(visit, "#gan-digits canvas")
    visit.locator("#gan-digits canvas").click(position={"x": 60, "y": 20})
    network = visit.locator("#inside-network .stations[data-painted]")
    network.wait_for()
    expect(visit.locator("#inside-sight canvas[data-painted]")).to_be_visible()
    assert visit.locator("#inside-network .station").count() == 12
    score = visit.locator("#inside-network .station").last.inner_text()
    visit.locator("#inside-network .station", has_text="14×14").first.click()
    maps = "#inside-parts canvas"
    before = painted(visit, maps)
    assert visit.locator(maps).get_attribute("aria-valuetext").startswith("14×14, 64 × 14 × 14")
    last = visit.locator("#inside-parts .part").last
    assert last.inner_text().split()[:3] == score.split()[1:4]  # D = ...
    visit.locator("#inside-view input:checked").press("Escape")
    expect(network).to_be_visible()
    choose(visit, "layers")
    seed = int(visit.locator("#inside-seed input").input_value())
    assert seed in (7, 8, 9, 10)
    assert_formulas_are_set(visit, "#inside-formula")
    code = visit.locator("#inside-code .marked").first
    expect(code).to_contain_text("self.grow14")

    visit.locator("#inside-parts .part", has_text="G(z)").click()
    wait_for_other(visit, maps, before)
    expect(code).to_contain_text("self.paint")
    canvas = visit.locator(maps)
    expect(canvas).to_have_attribute("aria-valuetext", re.compile(r"1 × 28 × 28"))
    visit.locator("#inside-parts .part").nth(1).click()
    expect(canvas).to_have_attribute("aria-valuetext", re.compile(r"128 × 7 × 7"))
    canvas.focus()
    canvas.press("ArrowRight")
    canvas.press("ArrowRight")
    expect(canvas).to_have_attribute("aria-valuetext", re.compile(r"(Map 2 of|第 2 张，共) 128"))

    visit.locator("#inside-parts .part").last.click()
    expect(visit.locator("#inside-code .marked").last).to_contain_text("score")
    assert_formulas_are_set(visit, "#inside-formula")
    assert_only(visit, language_of(visit))


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_visitor_sees_scores_draws_a_digit_and_turns_the_knobs(visit: Page) -> None:
    open_tab(visit, "gan", "inside")
    visit.locator("#inside-network .stations[data-painted]").wait_for()
    choose(visit, "scores")
    visit.locator("#inside-scores .groups[data-painted]").wait_for()
    expect(visit.locator("#inside-scores figcaption")).to_have_count(16)
    sixteen = re.compile(r"^(?:\D*?-?\d+\.\d\d){16}$")
    expect(visit.locator("#inside-scores canvas.line")).to_have_attribute("aria-label", sixteen)
    assert_formulas_are_set(visit, "#inside-loss")
    visit.locator("#inside-sums button").first.click()
    expect(visit.locator("#inside-sums td")).to_have_count(50)
    expect(visit.locator("#inside-loss-code .marked")).to_contain_text("return")

    draw_a_seven(visit)
    expect(visit.locator("#inside-read")).to_contain_text("7")

    choose(visit, "directions")
    upright = painted(visit, "#inside-moved canvas")
    slider = visit.locator("#inside-slant input[type=range]")
    slider.focus()
    for _ in range(8):
        slider.press("ArrowRight")
    leaning = wait_for_other(visit, "#inside-moved canvas", upright)
    fill(visit, "#inside-thickness", "-2")
    visit.locator("#inside-thickness input").first.press("Enter")
    wait_for_other(visit, "#inside-moved canvas", leaning)

    choose(visit, "copied")
    expect(visit.locator("#inside-neighbours figcaption")).to_have_count(7)
    choose(visit, "then")
    expect(visit.locator("#inside-then figure").first).to_be_visible()
    for name, most in (("gan-mlp", 10), ("gan", 14)):
        stacks = visit.locator(f"#inside-then-{name}")
        expect(stacks.locator(".stations[data-painted]")).to_be_visible()
        assert 5 <= stacks.locator("div.station svg").count() <= most
        assert stacks.locator("button").count() == 0
    expect(visit.locator("#inside-code-gan-mlp .line").first).to_contain_text("MLPGenerator")
    assert_only(visit, language_of(visit))


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_another_digit_is_followed_by_the_open_view(visit: Page) -> None:
    open_tab(visit, "gan", "inside")
    visit.locator("#inside-network .stations[data-painted]").wait_for()
    choose(visit, "copied")
    nearest = visit.locator("#inside-neighbours figcaption").nth(1)
    expect(nearest).to_have_text(re.compile(r"\d"))
    before = nearest.inner_text()
    fill(visit, "#inside-seed", "123")
    visit.locator("#inside-seed input").press("Enter")
    expect(nearest).not_to_have_text(before)


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_a_visitor_looks_inside_the_vae(visit: Page) -> None:
    open_tab(visit, "vae", "inside")
    network = visit.locator("#within-network .stations[data-painted]")
    network.wait_for()
    drawn = network.get_attribute("data-painted")
    visit.locator("#within-network .again").click()
    expect(network).not_to_have_attribute("data-painted", drawn or "")
    expect(visit.locator("#within-seed input")).not_to_have_value("0")
    visit.locator("#within-network .station", has_text="ε").click()
    plane = "#within-plane canvas"
    before = painted(visit, plane)
    expect(visit.locator("#within-posterior figure")).to_have_count(9)
    told = visit.locator(plane).get_attribute("aria-label") or ""
    assert re.search(r"μ = \(-?\d+\.\d\d, -?\d+\.\d\d\), σ = ", told)
    visit.locator("#within-shelf canvas").click(position={"x": 60, "y": 20})
    wait_for_other(visit, plane, before)

    choose(visit, "elbo", "within")
    expect(visit.locator("#within-pixels figure")).to_have_count(3)
    assert_formulas_are_set(visit, "#within-elbo")
    expect(visit.locator("#within-shares li")).to_have_count(2)
    visit.locator("#within-sums button").first.click()
    assert_formulas_are_set(visit, "#within-by-hand")
    expect(visit.locator("#within-elbo-code .marked").first).to_contain_text("ratio")

    choose(visit, "layers", "within")
    maps = visit.locator("#within-parts canvas")
    visit.locator("#within-parts .part").nth(1).click()
    expect(maps).to_have_attribute("aria-valuetext", re.compile("^h, 400"))
    visit.locator("#within-parts .part", has_text="p(x|z)").click()
    expect(maps).to_have_attribute("aria-valuetext", re.compile("28 × 28"))
    assert_formulas_are_set(visit, "#within-formula")

    choose(visit, "dimensions", "within")
    expect(visit.locator("#within-row figure")).to_have_count(9)
    choose(visit, "blurry", "within")
    expect(visit.locator("#within-blurry figure")).to_have_count(24)
    choose(visit, "beta", "within")
    expect(visit.locator("#within-betas figure canvas")).to_have_count(3)
    expect(visit.locator("#within-beta-digits figure")).to_have_count(28)
    three = re.compile(r"(β = \d+\D+[\d.]+\D+[\d.]+.*){3}")
    expect(visit.locator("#within-betas canvas.chart")).to_have_attribute("aria-label", three)
    assert_only(visit, language_of(visit))


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_drawn_digit_is_looked_into_and_the_other_vae(visit: Page) -> None:
    open_tab(visit, "vae", "inside")
    choose(visit, "posterior", "within")
    before = painted(visit, "#within-plane canvas")
    visit.locator("#within-draw button").first.click()
    drag(visit, "#within-pad .sheet canvas", [(0.3, 0.25), (0.7, 0.25), (0.45, 0.85)])
    drawn = wait_for_other(visit, "#within-plane canvas", before)
    visit.locator("#within-model input").click()
    visit.get_by_role("option").nth(1).click()
    wait_for_other(visit, "#within-plane canvas", drawn)
    choose(visit, "elbo", "within")
    sampled = re.compile(r"prior is learned|先验是学得的")
    expect(visit.locator("#within-shares .caption")).to_have_text(sampled)
