"""The view "Training" in a real browser: dragged and played without a request, kept in the link."""

import re

import pytest
from browser.pages import LONG, PHONE, Visitor, assert_accessible, wait_for_parameter, words
from playwright.sync_api import Browser, expect

from aigc_demo.explain.history import read_history

pytestmark = pytest.mark.browser
VIEWS = {  # the view's key -> tab, model
    "inside": ("gan", "gan-mlp"),
    "within": ("vae", "vae-2d"),
    "through": ("transformer", "poems"),
    "flowing": ("flow", "flow"),
}
KEPT = {
    "inside": ("gan-small", "First line: class 3 and seed 7"),
    "within": ("vae-2d", "First line: the z of the digit above"),
}  # weights


@pytest.mark.parametrize("key", VIEWS)
def test_a_training_is_dragged_and_played_in_the_browser_alone(
    browser: Browser, server_url: str, key: str
) -> None:
    tab, model = VIEWS[key]
    found = read_history(model)
    assert found is not None
    last = len(found.moments) - 1
    address = f"{server_url}?tab={tab}.inside&look=training&model={model}&moment=3&lang=en"
    with Visitor(browser, address, PHONE[0]) as page:
        view = page.locator(f"#{key}-history")
        curves = view.locator("canvas")
        expect(curves).to_have_attribute("data-painted", "3", timeout=LONG)
        expect(view.locator(".caption")).to_contain_text(f"Step {found.moments[3].step},")
        wait_for_parameter(page, "moment", "3")
        assert_accessible(page)
        page.wait_for_timeout(3_000)  # what the opening asks for beside it
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        slider = view.locator("input")
        slider.evaluate(
            "(slider, at) => { slider.value = at; slider.dispatchEvent(new Event('input')); }",
            str(last),
        )
        expect(curves).to_have_attribute("data-painted", str(last))
        expect(view.locator(".caption")).to_contain_text(f"Step {found.moments[last].step:,},")
        assert [url for url in asked if "queue/join" in url] == []
        slider.dispatch_event("change")  # the mouse lets go
        wait_for_parameter(page, "moment", str(last))
        if key in KEPT:
            name, made = KEPT[key]
            step = read_history(name).moments[last].step
            told = f"Made anew with the weights of “{name}” after step {step:,}. {made}"
            expect(page.locator(f"#{key}-again .caption")).to_contain_text(told)
            asked.clear()
        else:
            expect(page.locator(f"#{key}-again")).to_have_count(0)
        if found.moments[last].text:
            expect(view.locator("pre")).to_have_text(found.moments[last].text)
        else:
            expect(view.locator("img")).to_be_visible()
        view.locator("button").click()  # from the first again
        expect(view.locator("button")).to_have_text(words("en")["history.pause"])
        expect(curves).to_have_attribute("data-painted", re.compile("^[2-9]$"), timeout=LONG)
        view.locator("button").click()
        expect(view.locator("button")).to_have_text(words("en")["history.play"])
        assert [url for url in asked if re.search("queue/join|history", url)] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
