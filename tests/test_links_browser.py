"""Links in a real browser: what one server made, another shows just so; back, forward, files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import serving
from playwright.sync_api import Browser, Page, expect
from test_browser import drag, fill, open_tab, painted, wait_for_other, words
from test_inside_browser import choose, draw_a_seven

pytestmark = pytest.mark.browser
LONG = 60_000  # ms; a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def second_url() -> Iterator[str]:
    """Another process of the app, which knows nothing of the first."""
    with serving() as url:
        yield url


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
    page.locator("#links [data-word=close]").click()
    return link


def digits(page: Page) -> None:
    before = painted(page, "#gan-digits canvas")
    page.locator("#gan-wanted label").nth(4).click()
    after = wait_for_other(page, "#gan-digits canvas", before)
    page.locator("#gan-seed-dice").click()
    wait_for_other(page, "#gan-digits canvas", after)


def number(page: Page) -> None:
    fill(page, "#gan-number", "19840615")
    page.locator("#gan-write").click()
    expect(page.locator("#gan-number-result .caption")).to_contain_text("19840615")


def morph(page: Page) -> None:
    before = painted(page, "#gan-frames canvas")
    page.locator("#gan-morph-seed-dice").click()
    wait_for_other(page, "#gan-frames canvas", before)


def point(page: Page) -> None:
    caption = page.locator("#vae-map .caption")
    before = caption.inner_text()
    drag(page, "#vae-map .plane", [(0.5, 0.5), (0.31, 0.72)])
    expect(caption).to_contain_text("judge")
    expect(caption).not_to_have_text(before)
    page.wait_for_timeout(500)  # the server's picture takes the place of the browser's


def drawing(page: Page) -> None:
    before = painted(page, "#vae-rebuilt canvas")
    page.locator("#vae-pad [data-word=clear]").click()
    drag(page, "#vae-pad canvas", [(0.3, 0.25), (0.7, 0.3), (0.45, 0.85)])
    wait_for_other(page, "#vae-rebuilt canvas", before)


def picked(page: Page) -> None:
    before = painted(page, "#vae-rebuilt canvas")
    page.locator("#vae-shelf canvas").click(position={"x": 90, "y": 30})
    wait_for_other(page, "#vae-rebuilt canvas", before)


def walk(page: Page) -> None:
    fill(page, "#vae-route", "7140")
    page.locator("#vae-walk").click()
    expect(page.locator("#vae-film .caption")).to_contain_text("7 → 1 → 4 → 0")


def samples(page: Page) -> None:
    before = painted(page, "#vae-digits canvas")
    page.locator("#vae-prior-model label").nth(1).click()
    wait_for_other(page, "#vae-digits canvas", before)


def play(page: Page) -> None:
    fill(page, "#shakespeare-prompt", "HAMLET:\nTo sleep")
    page.locator("#transformer-tasks input[type=number]").first.fill("60")
    page.locator("#shakespeare-write").click()
    whole = re.compile(r"^HAMLET:\nTo sleep[\s\S]{60}$")
    expect(page.locator("#shakespeare-text textarea")).to_have_value(whole, timeout=LONG)


def poem(page: Page) -> None:
    fill(page, "#poems-title", "秋夜")
    page.locator("#poems-form label").nth(0).click()
    fill(page, "#poems-heads", "山高月小")
    page.locator("#poems-write").click()
    whole = re.compile(r"^《秋夜》\n山.{5}\n高.{5}\n月.{5}\n小.{5}$")
    expect(page.locator("#poems-text textarea")).to_have_value(whole, timeout=LONG)


def read_text(page: Page, text: str, model: str = "shakespeare") -> None:
    page.locator("#through-step table[data-painted]").wait_for()
    if model == "poems":
        page.locator("#through-model input[value=poems]").locator("..").click()
        page.locator("#through-tokens .given").first.wait_for()
    page.locator("#through-text textarea").fill(text)
    page.locator("#through-read").click()
    expect(page.locator("#through-tokens .token").last).to_have_text(text[-1])


def head(page: Page) -> None:
    read_text(page, "HAMLET:\nTo be, or not")
    choose(page, "attention", "through")
    thumbs = page.locator("#through-heads canvas.thumbs")
    page.locator("#through-tokens .token").nth(14).click()
    wait_for_parameter(page, "token", "14")
    thumbs.press("ArrowDown")
    wait_for_parameter(page, "layer", "2")
    thumbs.press("ArrowRight")
    wait_for_parameter(page, "head", "2")
    expect(thumbs).to_have_attribute("data-painted", re.compile(r"^2\.2\."))


def candidates(page: Page) -> None:
    read_text(page, "JULIET:\nO Rom")
    choose(page, "next", "through")
    page.locator("#through-next tbody button").nth(2).click()  # forced
    expect(page.locator("#through-text textarea")).to_have_value(re.compile("O Rom."))
    for name, value in (("temperature", "1.5"), ("top_k", "7"), ("top_p", "1")):
        page.locator(f"#through-next input[name={name}]").evaluate(
            "(slider, value) => { slider.value = value;"
            " for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind)); }",
            value,
        )
    expect(page.locator("#through-next tr.cut")).to_have_count(17)
    wait_for_parameter(page, "sampling", "1.5,7,1")


def without_head(page: Page) -> None:
    read_text(page, "ROMEO:\nI dream")
    fill(page, "#through-layer", "3")
    page.locator("#through-layer input").press("Enter")
    choose(page, "off", "through")
    page.locator("#through-what input[value=head]").locator("..").click()
    wait_for_parameter(page, "what", "head")
    page.locator("#through-seed-dice").click()
    page.wait_for_function("() => !/[?&]seed=1(&|$)/.test(location.search)")


def neuron(page: Page) -> None:
    read_text(page, "《月夜》\n床前明月光，疑是地上霜", "poems")
    choose(page, "neurons", "through")
    fill(page, "#through-character", "月")
    page.locator("#through-character input").press("Enter")
    expect(page.locator("#through-near .caption")).to_contain_text("月")
    wait_for_parameter(page, "character", "月")


def layer(page: Page) -> None:
    before = painted(page, "#inside-parts canvas")
    page.locator("#inside-seed-dice").click()
    after = wait_for_other(page, "#inside-parts canvas", before)
    page.locator("#inside-parts .part", has_text="G(z)").click()
    wait_for_other(page, "#inside-parts canvas", after)
    page.wait_for_function("() => /[?&]part=[^2]/.test(location.search)")


def knob(page: Page) -> None:
    painted(page, "#inside-parts canvas")
    choose(page, "directions")
    upright = painted(page, "#inside-moved canvas")
    fill(page, "#inside-slant", "1.3")
    page.locator("#inside-slant input").first.press("Enter")
    wait_for_other(page, "#inside-moved canvas", upright)


def opinion(page: Page) -> None:
    painted(page, "#inside-parts canvas")
    draw_a_seven(page)


def dimension(page: Page) -> None:
    painted(page, "#within-plane canvas")
    page.locator("#within-shelf canvas").click(position={"x": 60, "y": 20})
    wait_for_parameter(page, "image", "test.1")
    choose(page, "dimensions", "within")
    fill(page, "#within-rank", "2")
    page.locator("#within-rank input").first.press("Enter")
    wait_for_parameter(page, "rank", "2")


def own_digit(page: Page) -> None:
    before = painted(page, "#within-plane canvas")
    page.locator("#within-draw button").first.click()
    drag(page, "#within-pad canvas", [(0.3, 0.25), (0.7, 0.3), (0.45, 0.85)])
    wait_for_other(page, "#within-plane canvas", before)


def duel(page: Page) -> None:
    page.locator("#duel-scene canvas[data-painted]").wait_for()
    for count, button in enumerate(("both", "train_d", "train_g"), 2):
        page.locator(f"#duel-{button}").click()
        page.locator(f"#duel-scene canvas[data-painted='{count}']").wait_for()
    page.locator("#duel-scene .act button").last.click()
    wait_for_parameter(page, "clicks", "bdg")


def lab(page: Page) -> None:
    page.locator("#lab .plane[data-painted]").wait_for()
    page.locator("#lab select[name=data]").select_option("moons")
    page.locator("#lab [data-do=play]").click()
    page.wait_for_function("() => document.querySelector('#lab .plane').dataset.step > 30")
    page.locator("#lab summary").click()
    page.locator("#lab select[name=rateD]").select_option("0.01")
    page.wait_for_function("() => document.querySelector('#lab .plane').dataset.step > 50")
    page.locator("#lab [data-do=play]").click()
    for button in ("D", "D", "G"):
        page.locator(f"#lab [data-do={button}]").click()
    page.wait_for_function("() => /D0.01b.*d2g1/.test(location.search)")


def own_data(page: Page) -> None:
    page.locator("#lab .plane[data-painted]").wait_for()
    page.locator("#lab select[name=data]").select_option("own")
    drag(page, "#lab .plane", [(0.3, 0.25), (0.7, 0.3)])
    for _ in range(3):
        page.locator("#lab [data-do=both]").click()
    drag(page, "#lab .plane", [(0.6, 0.8), (0.2, 0.7)])
    page.locator("#lab [data-do=both]").click()
    page.wait_for_function("() => /b3p.*b1/.test(location.search)")


STEPS = {  # a tab, what is done in it, the canvases or texts that show its result
    "digits": ("gan.digits", digits, ["#gan-digits canvas"], "#gan-digits .caption"),
    "number": ("gan.number", number, ["#gan-number-result canvas"], "#gan-number-result .caption"),
    "morph": ("gan.morph", morph, ["#gan-frames canvas"], "#gan-film .caption"),
    "point": ("vae.map", point, ["#vae-map .decoded"], "#vae-map .caption"),
    "drawing": ("vae.rebuild", drawing, ["#vae-rebuilt canvas"], "#vae-rebuilt .caption"),
    "picked": ("vae.rebuild", picked, ["#vae-rebuilt canvas"], "#vae-rebuilt .caption"),
    "walk": ("vae.walk", walk, ["#vae-frames canvas"], "#vae-film .caption"),
    "samples": ("vae.prior", samples, ["#vae-digits canvas"], "#vae-digits .caption"),
    "play": ("transformer.shakespeare", play, [], "#shakespeare-text textarea"),
    "poem": ("transformer.poems", poem, [], "#poems-text textarea"),
    "head": (
        *("transformer.inside", head),
        *(["#through-heads .map", "#through-heads .thumbs"], "#through-heads .reading"),
    ),
    "candidates": ("transformer.inside", candidates, [], "#through-next tbody"),
    "without head": ("transformer.inside", without_head, [], "#through-off tbody"),
    "neuron": ("transformer.inside", neuron, [], "#through-neurons tbody"),
    "layer": ("gan.inside", layer, ["#inside-parts canvas"], "#inside-parts .reading"),
    "knob": ("gan.inside", knob, ["#inside-moved canvas"], "#inside-moved .caption"),
    "opinion": ("gan.inside", opinion, [], "#inside-verdict figcaption"),
    "duel": ("gan.duel", duel, [], "#duel-scene .told"),
    "lab": ("gan.lab", lab, [], "#lab .numbers"),
    "own data": ("gan.lab", own_data, [], "#lab .numbers"),
    "dimension": ("vae.inside", dimension, [], "#within-row .caption"),
    "own digit": ("vae.inside", own_digit, ["#within-plane canvas"], "#within-posterior .groups"),
}


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
        thumbs = page.locator("#through-heads canvas.thumbs")
        expect(thumbs).to_have_attribute("data-painted", re.compile(r"^2\.3\."), timeout=LONG)
        expect(page.locator("#through-tokens [aria-pressed=true]")).to_have_text("e")
        names = {"zh": "词元、knob", "en": "The token, knob"}[language]
        notice = words(language)["error.left_out"].format(names=names)
        expect(page.get_by_test_id("toast-text")).to_have_text(notice)


def test_back_and_forward_step_through_views_and_games(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "vae", "inside")
        before = painted(page, "#within-plane canvas")
        page.locator("#within-shelf canvas").click(position={"x": 60, "y": 20})
        after = wait_for_other(page, "#within-plane canvas", before)
        wait_for_parameter(page, "image", "test.1")
        open_tab(page, "gan", "lab")
        page.wait_for_timeout(1_100)  # what follows sooner is the same step
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
    with Visitor(browser, second_url + "?lang=en") as page:
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
        assert page.url != before
        page.locator(f"{bar('vae.rebuild')} .copy").click()
        chosen = page.locator("#links input[type=file]")
        chosen.set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": b"[1]"})
        expect(page.locator("#links .told")).to_have_text(words("en")["link.unreadable"])


def test_a_long_prompt_has_no_link_but_a_file(browser: Browser, server_url: str) -> None:
    with Visitor(browser, server_url) as page:
        open_tab(page, "vae", "map")
        long = "tab=transformer.shakespeare&prompt=" + "x" * 5_000
        page.evaluate("long => window.aigc.page.bars.find((b) => b.tab === 'vae.map')"
                      ".props.link = { query: long }", long)  # fmt: skip
        page.locator(f"{bar('vae.map')} .copy").click()
        expect(page.locator("#links .told")).to_have_text(words("en")["link.too_long"])
        expect(page.locator("#links .address")).to_be_hidden()


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
