"""What a visitor does in a page, and what is seen there; for tests in a real browser."""

import re
from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect
from tabs import TASKS

from aigc_demo.ui.kit.words import Words

expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong
DESKTOP, PHONE = (1280, 800), (390, 844)
LONG = 60_000  # ms; a busy machine is slow, not wrong

WORDS = Words()

FIRST_TEXTS = {  # what is written when a tab opens, once it is whole
    "shakespeare": ("shakespeare", re.compile(r"^ROMEO:\n[\s\S]{300}$")),
    "poems": ("poems", re.compile(r"^(《.*》\n)?([㐀-鿿]{5,7}[，。]\n?){4,8}$")),
}


def words(language: str) -> dict:
    return WORDS.table[language]


def open_tab(page: Page, model: str, task: str | None = None) -> None:
    """Opens a model's tab and one of its tasks; both are found by their place in the page."""
    model_tabs = page.locator("#models > div").first.get_by_role("tab")
    model_tabs.nth(list(TASKS).index(model)).click()
    if task is not None:
        tabs = page.locator(f"#{model}-tasks > div").first.get_by_role("tab")
        tabs.nth(TASKS[model].index(task)).click()
    first = FIRST_TEXTS.get(task or ("shakespeare" if model == "transformer" else ""))
    if first is not None:
        expect(page.locator(f"#{first[0]}-text textarea")).to_have_value(first[1], timeout=60_000)


def painted(page: Page, canvas: str) -> str:
    """The pixels of a canvas, once something is painted on it."""
    page.locator(f"{canvas}[data-painted]").wait_for()
    return page.locator(canvas).evaluate("canvas => canvas.toDataURL()")


def wait_for_other(page: Page, canvas: str, before: str) -> str:
    """The pixels of a canvas, once they are no longer what they were."""
    page.wait_for_function(
        "([canvas, before]) => document.querySelector(canvas).toDataURL() !== before",
        arg=[canvas, before],
    )
    return painted(page, canvas)


def fill(page: Page, box: str, text: str) -> None:
    page.locator(f"{box} input, {box} textarea").first.fill(text)


def drag(page: Page, canvas: str, points: list[tuple[float, float]]) -> None:
    """Draws through points given as shares of the canvas's width and height."""
    page.locator(canvas).scroll_into_view_if_needed()
    box = page.locator(canvas).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def assert_only(page: Page, language: str, english_text: bool = False) -> None:
    """No word of the other language is left in sight, and the page is not wider than the screen.

    english_text: a play is in sight, in which any single word may come; only sentences count.
    """
    other = {"zh": "en", "en": "zh"}[language]
    # Gradio's own word while a part of the page is on its way is in the browser's language.
    page.wait_for_function("() => !/加载中|Loading/.test(document.body.innerText)")
    seen = page.locator("body").inner_text() + page.title()
    seen = seen.replace(page.locator("footer").inner_text(), "")  # Gradio's: the browser's language
    # Code is English everywhere, and the titles of examples are Chinese, with a translation; a
    # chapter names models and papers, and its languages are compared in tests/ui/learn.
    own = "pre:visible, .examples button:visible, #chapter:visible, #chapter-end:visible"
    for source in page.locator(own).all():
        seen = seen.replace(source.inner_text(), "")
    mine, theirs = words(language), words(other)
    for key, entry in theirs.items():
        values = entry if isinstance(entry, dict) else {"text": entry}
        for name, value in values.items():
            same = mine[key] if isinstance(mine[key], str) else mine[key][name]
            if not isinstance(value, str) or value == same or "{" in value or len(value) < 2:
                continue
            if (english_text and " " not in value) or (language == "en" and value.isascii()):
                continue
            for line in value.replace("# ", "").split("\n"):
                left = line in seen and re.search(rf"(?<!\w){re.escape(line)}(?!\w)", seen)
                assert not left, (
                    f"{key} is left in {other}: {seen[left.start() - 40 : left.end() + 40]}"
                )
    if language == "en":
        assert re.sub("中文", "", seen) == re.sub("[㐀-鿿]", "", seen)
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


def at_rest(page: Page, busy: str = ".pending, .generating") -> None:
    """Waits until nothing in sight is on its way."""
    none = (
        "busy => ![...document.querySelectorAll(busy)].some((one) =>"
        " one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width)"
    )
    page.wait_for_function(none, arg=busy, timeout=LONG)


# axe-core walks through all that is hidden too, which takes it three quarters of its time once
# every tab was opened: what has no box is taken out meanwhile, and put back.
TAKE_OUT = """() => {
  const hidden = (node) => getComputedStyle(node).display === "none";
  const nodes = [...document.body.querySelectorAll("*")].filter(
    (node) => hidden(node) && node.parentElement.checkVisibility());
  window.takenOut = nodes.map((node) => [node, document.createComment("")]);
  for (const [node, mark] of window.takenOut) node.replaceWith(mark);
}"""
PUT_BACK = "() => { for (const [node, mark] of window.takenOut) mark.replaceWith(node); }"


def assert_accessible(page: Page, hidden: bool = False) -> None:
    """axe-core finds nothing critical or serious in what is ours. hidden: with what is not seen."""
    rules = {
        "scrollable-region-focusable": {"enabled": False}
    }  # browsers focus these by themselves
    options = {"resultTypes": ["violations"], "rules": rules}
    moving = (
        "() => document.getAnimations().every(one => one.playState !== 'running'"
        " || one.effect.getComputedTiming().iterations === Infinity)"
    )
    at_rest(page)
    page.wait_for_function(moving)  # what fades in has no contrast yet
    if not hidden:
        page.evaluate(TAKE_OUT)
    violations = Axe().run(page, options=options).response["violations"]
    if not hidden:
        page.evaluate(PUT_BACK)
    found = {
        (one["id"], node["html"][:200])
        for one in violations
        if one["impact"] in ("critical", "serious")
        for node in one["nodes"]
        if not any("toast" in str(target) for target in node["target"])  # Gradio's
    }
    assert not found, found


def switch(page: Page, language: str) -> None:
    page.locator(f"#language input[value={language}]").locator("..").click()
    expect(page).to_have_title(words(language)["page.title"])


def language_of(page: Page) -> str:
    return "zh" if page.title() == words("zh")["page.title"] else "en"


def choose(page: Page, view: str, place: str = "inside") -> None:
    page.locator(f"#{place}-view input[value={view}]").locator("..").click()
    expect(page.locator(f".view-{view}:visible")).to_be_visible()


def draw_a_seven(page: Page) -> None:
    """Draws it for the discriminator, and waits for another score."""
    choose(page, "yours")
    caption = page.locator("#inside-verdict figcaption")
    expect(caption).to_have_text(re.compile(r"^-?\d"))
    real = caption.inner_text()
    drag(page, "#inside-pad .sheet canvas", [(0.3, 0.25), (0.7, 0.25), (0.45, 0.85)])
    expect(caption).not_to_have_text(real)


def assert_formulas_are_set(page: Page, place: str) -> None:
    """KaTeX has drawn what is in a place, and found no mistake in it."""
    expect(page.locator(f"{place} .katex").first).to_be_visible()
    assert page.locator(f"{place} .katex-error").count() == 0
    assert "$$" not in page.locator(place).inner_text()


UNDER_WAY: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


def settled(page: Page, quiet: int = 300) -> None:
    """Waits until the page has asked the server nothing, and heard nothing, for some milliseconds.

    A number that loses the focus to a button asks first, and the button asks the same again: what
    is in sight in between may still move. After a minute it has what it asked for, even where a
    connection is left open.
    """
    asked = UNDER_WAY[page]
    for _ in range(LONG // quiet):
        before = set(asked)
        page.wait_for_timeout(quiet)
        if not before and not asked:
            return


class Visitor:
    """A browser of its own for one page, which must raise no error."""

    def __init__(self, browser: Browser, url: str, width: int = 1280, **options) -> None:
        size = {"width": width, "height": 844}
        self.context = browser.new_context(
            viewport=size, accept_downloads=True, **{"locale": "en-US", **options}
        )
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        asked = UNDER_WAY[self.page] = set()
        self.page.on("request", lambda one: asked.add(one) if "/queue/" in one.url else None)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda one: asked.discard(one))
        self.page.goto(url)

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.errors == []


def bar(tab: str) -> str:
    return f"#share-{tab.replace('.', '-')}"


def wait_for_parameter(page: Page, name: str, value: str) -> None:
    page.wait_for_function(
        "([name, value]) => new URLSearchParams(location.search).get(name) === value",
        arg=[name, value],
        timeout=LONG,
    )


def copied(page: Page, tab: str) -> str:
    """The link that the button gives."""
    page.locator(f"{bar(tab)} .copy").click()
    expect(page.locator("#links .address")).to_have_value(re.compile(f"tab={tab}"))
    link = page.locator("#links .address").input_value()
    page.locator("#links [data-word=close]").first.click()
    return link
