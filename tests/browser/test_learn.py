"""The course in a real browser: chapters, links to try and the way back, questions, languages."""

import json
import re
from urllib.parse import parse_qs

import pytest
from browser.pages import (
    LONG,
    PHONE,
    Visitor,
    assert_accessible,
    at_rest,
    settled,
    wait_for_parameter,
    words,
)
from playwright.sync_api import Browser, Page, expect

from aigc_demo.ui.learn.chapters import CHAPTERS, read_chapter, terms
from aigc_demo.ui.learn.guides import read_guides

pytestmark = pytest.mark.browser


def title(name: str, language: str = "en") -> str:
    return read_chapter(name, language)["title"]


def shows(page: Page, name: str, language: str = "en") -> None:
    expect(page.locator("#chapter h2")).to_have_text(title(name, language))
    expect(page.locator("#book [aria-current]")).to_contain_text(title(name, language))
    wait_for_parameter(page, "chapter", name)


@pytest.mark.parametrize("width", [1280, PHONE[0]])
def test_a_reader_tries_what_is_read_and_comes_back_to_the_paragraph(
    browser: Browser, server_url: str, width: int
) -> None:
    with Visitor(browser, f"{server_url}?tab=learn.chapter&chapter=vae", width) as page:
        shows(page, "vae")
        link = page.locator("#chapter a[href*='tab=vae']").last
        link.scroll_into_view_if_needed()
        place = page.evaluate("scrollY")
        asked = re.search(r"tab=([a-z.]+)", link.get_attribute("href") or "")
        assert asked and place > 100
        link.click()
        wait_for_parameter(page, "tab", asked[1])
        expect(page.locator("#learn")).not_to_be_visible()
        back = page.locator(".back-to-chapter")
        expect(back).to_have_text(words("en")["learn.back"].format().format(title=title("vae")))
        back.click()
        shows(page, "vae")
        page.wait_for_function("place => Math.abs(scrollY - place) < 50", arg=place)
        expect(back).not_to_be_visible()
        page.go_back()
        wait_for_parameter(page, "tab", asked[1])
        page.go_back()
        shows(page, "vae")
        page.wait_for_function("place => Math.abs(scrollY - place) < 50", arg=place)


def test_questions_answer_with_a_reason_and_what_was_read_is_kept(
    browser: Browser, server_url: str
) -> None:
    with Visitor(browser, f"{server_url}?tab=learn.chapter&chapter=what") as page:
        shows(page, "what")
        for asked, part in zip(
            read_chapter("what", "en")["questions"], page.locator(".question").all(), strict=True
        ):
            wrong = asked["right"] % 3
            part.get_by_role("button").nth(wrong).click()
            expect(part.get_by_role("status")).to_have_text(words("en")["learn.wrong"])
            part.get_by_role("button").nth(asked["right"] - 1).click()
            expect(part.get_by_role("status")).to_contain_text(asked["why"].strip()[:40])
        expect(page.locator("#book .caption")).to_contain_text("1 of 12")
        page.locator(".questions .after").click()
        shows(page, "learning")
        assert page.evaluate("scrollY") < 400
        page.goto(f"{server_url}?tab=learn.chapter")
        shows(page, "learning")  # where the reader was
        expect(page.locator("#book .caption")).to_contain_text("1 of 12")


def test_the_course_is_there_in_both_languages_without_a_reload(
    browser: Browser, server_url: str
) -> None:
    with Visitor(browser, f"{server_url}?tab=learn.chapter&chapter=gan") as page:
        shows(page, "gan")
        page.locator("#language label").first.click()
        shows(page, "gan", "zh")
        for name in CHAPTERS:
            page.locator("#book li button").nth(CHAPTERS.index(name)).click()
            shows(page, name, "zh")
            expect(page.locator("#chapter .katex-error")).to_have_count(0)
        page.wait_for_function(
            "[...document.querySelectorAll('#chapter img')].every(i => i.complete)"
        )


def test_a_chapter_that_cannot_be_fetched_says_so(browser: Browser, server_url: str) -> None:
    with Visitor(browser, f"{server_url}?tab=learn.chapter&chapter=gan") as page:
        shows(page, "gan")
        page.route("**/learn/vae.*", lambda route: route.abort())
        page.locator("#book li button").nth(CHAPTERS.index("vae")).click()
        expect(page.locator("#book .caption")).to_have_text(words("en")["learn.failed"])
        expect(page.locator("#chapter h2")).to_have_text(title("gan"))


LINK = re.compile(r"\]\(\?([^)]*)\)")


def test_every_link_of_the_course_opens_what_it_says(browser: Browser, server_url: str) -> None:
    texts = [read_chapter(name, "en")["text"] for name in CHAPTERS]
    lessons = [guide for name, guide in read_guides().items() if name.startswith("lessons/")]
    steps = [step for guide in lessons for step in guide.steps]
    opened = {step["open"] for step in steps if "open" in step}  # those of tours: test_guides.py
    links = sorted(opened | {query for text in texts for query in LINK.findall(text)})
    with Visitor(browser, f"{server_url}?tab=learn.chapter&chapter=what") as page:
        shows(page, "what")
        for query in links:
            page.evaluate(
                "query => { history.pushState({ aigc: query }, '', '?' + query);"
                " dispatchEvent(new PopStateEvent('popstate')); }",
                query,
            )
            asked = parse_qs(query, keep_blank_values=True)
            page.wait_for_function(
                "asked => { const { query, opened } = (window.aigc.page.bars || [])"
                ".find(({ tab }) => tab === asked.tab[0])?.link() || {};"
                " const there = new URLSearchParams(query);"
                " return opened && Object.entries(asked)"
                ".every(([name, [value]]) => there.get(name) === value); }",
                arg=asked,
                timeout=LONG,
            )
            expect(page.get_by_test_id("toast-body")).to_have_count(0)
            # A reader opens the next one from a page at rest.
            at_rest(page)
            settled(page, 100)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_term_tells_what_it_means(browser: Browser, server_url: str, language: str) -> None:
    meanings = json.loads(terms(language))
    address = f"{server_url}?tab=learn.chapter&chapter=vae&lang={language}"
    with Visitor(browser, address, PHONE[0]) as page:
        shows(page, "vae", language)
        marks = page.locator("#chapter .term")
        expect(marks.nth(5)).to_be_attached()
        told = [text.lower() for text in marks.all_inner_texts()]
        assert len(told) == len(set(told)) > 5
        assert {"en": "posterior", "zh": "后验"}[language] in told
        mark = marks.nth(3)
        mark.scroll_into_view_if_needed()
        mark.focus()
        meaning = page.locator("#term-told")
        expect(meaning).to_be_visible()
        assert meaning.inner_text() in meanings.values()
        box = meaning.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0]
        page.keyboard.press("Escape")
        expect(meaning).not_to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (PHONE[0], "dark")])
def test_the_course_is_accessible_and_nothing_is_cut(
    browser: Browser, server_url: str, width: int, theme: str
) -> None:
    address = f"{server_url}?tab=learn.chapter&chapter=gan&__theme={theme}"
    with Visitor(browser, address, width) as page:
        for name in ("gan", "choice", "transformer"):
            page.locator("#book li button").nth(CHAPTERS.index(name)).dispatch_event("click")
            shows(page, name)
            expect(page.locator("#chapter [data-terms]")).to_be_attached()
            page.locator(".question button").first.click()
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
