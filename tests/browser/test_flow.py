"""Visits to the diffusion tab in a real browser."""

import re

import pytest
from browser.pages import (
    DESKTOP,
    PHONE,
    assert_formulas_are_set,
    choose,
    drag,
    open_tab,
    painted,
    wait_for_other,
)
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SEEN = """() => {
  window.captions = [];
  const look = () => {
    const text = document.querySelector("#flow-digits .caption")?.textContent;
    if (text && window.captions.at(-1) !== text) window.captions.push(text);
  };
  new MutationObserver(look).observe(
    document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.mark.parametrize("visit", [("en", DESKTOP)], indirect=True)
def test_digits_come_out_of_noise_and_lead_inside(visit: Page) -> None:
    visit.evaluate(SEEN)
    open_tab(visit, "flow")
    caption = visit.locator("#flow-digits .caption")
    expect(caption).to_have_text(re.compile(r"^35 pictures in 20 steps"))
    seen = visit.evaluate("window.captions")
    times = [float(t) for text in seen for t in re.findall(r"Time t = ([\d.]+)", text)]
    assert len(set(times)) >= 2 and times == sorted(times)  # it was watched, not only its end
    painted(visit, "#flow-digits canvas")
    visit.locator("#flow-digits canvas").click(position={"x": 60, "y": 20})
    visit.locator("#flowing-network .stations[data-painted]").wait_for()
    expect(visit.locator("#flowing-seed input")).to_have_value("7")
    expect(visit.locator("#flow-sight canvas[data-painted]")).to_be_visible()
    visit.locator("#flowing-network .station", has_text="14×14").last.click()
    expect(visit.locator("#flowing-parts canvas[data-painted]")).to_be_visible()
    assert_formulas_are_set(visit, "#flowing-formula")
    expect(visit.locator("#flowing-code .marked").first).to_be_visible()
    for view, place, count in (("way", "way", 30), ("loss", "lesson", 6), ("steps", "few", 11)):
        choose(visit, view, "flowing")
        expect(visit.locator(f"#flowing-{place} figure")).to_have_count(count)
        if view == "loss":
            assert_formulas_are_set(visit, "#flowing-loss")
    painted(visit, "#flowing-error canvas")
    choose(visit, "paths", "flowing")
    before = painted(visit, "#flowing-paths canvas")
    visit.locator("#flowing-seed input").fill("8")
    visit.locator("#flowing-seed input").press("Enter")
    wait_for_other(visit, "#flowing-paths canvas", before)


@pytest.mark.parametrize("visit", [("zh", PHONE)], indirect=True)
def test_a_drawing_is_varied_and_a_gap_filled_on_a_phone(visit: Page) -> None:
    open_tab(visit, "flow", "vary")
    first = painted(visit, "#flow-varied canvas")
    visit.locator("#flow-shelf canvas").click(position={"x": 20, "y": 20})
    wait_for_other(visit, "#flow-varied canvas", first)
    visit.locator("#flow-pad [data-word=clear]").click()
    expect(visit.locator("#flow-varied .caption")).to_have_text("")
    drag(visit, "#flow-pad .sheet canvas", [(0.3, 0.25), (0.7, 0.25), (0.45, 0.85)])
    expect(visit.locator("#flow-varied .caption")).to_contain_text("7")
    open_tab(visit, "flow", "fill")
    first = painted(visit, "#flow-filled canvas")
    visit.locator("#flow-gap [data-word=undo]").wait_for()
    drag(visit, "#flow-gap .sheet canvas", [(0.2, 0.2), (0.8, 0.2)])
    wait_for_other(visit, "#flow-filled canvas", first)
    visit.locator("#flow-gap [data-word=clear]").click()
    expect(visit.locator("#flow-filled .caption")).to_have_text("")
    visit.locator("#flow-fill-seed-dice").click()
    expect(visit.get_by_test_id("toast-text").first).to_contain_text("涂掉")
