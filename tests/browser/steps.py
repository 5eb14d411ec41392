"""One result of each kind, made by hand in a page: what a link must bring back."""

import re

from browser.pages import (
    LONG,
    choose,
    drag,
    draw_a_seven,
    fill,
    painted,
    wait_for_other,
    wait_for_parameter,
)
from playwright.sync_api import Page, expect


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
    drag(page, "#vae-pad .sheet canvas", [(0.3, 0.25), (0.7, 0.3), (0.45, 0.85)])
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


def noise(page: Page) -> None:
    expect(page.locator("#flow-digits .caption")).to_contain_text("35 pictures in")
    before = painted(page, "#flow-digits canvas")
    page.locator("#flow-wanted label").nth(4).click()
    wait_for_parameter(page, "digits", "4")
    expect(page.locator("#flow-digits .caption")).to_contain_text("35 pictures in")
    wait_for_other(page, "#flow-digits canvas", before)


def gap(page: Page) -> None:
    before = painted(page, "#flow-filled canvas")
    page.locator("#flow-gap [data-word=clear]").click()
    expect(page.locator("#flow-filled .caption")).to_have_text("")
    drag(page, "#flow-gap .sheet canvas", [(0.2, 0.3), (0.7, 0.3), (0.7, 0.4), (0.2, 0.4)])
    expect(page.locator("#flow-filled .caption")).to_contain_text("drawn anew")
    wait_for_other(page, "#flow-filled canvas", before)


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
    page.locator("#through-network .stream-picture[data-painted]").wait_for()
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
    expect(page.locator("#through-next tr.cut")).to_have_count(3)
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
    expect(page.locator("#through-near .caption")).to_contain_text("霜")  # the view is there
    fill(page, "#through-character", "月")
    page.locator("#through-character input").press("Enter")
    expect(page.locator("#through-near .caption")).to_contain_text("月")
    wait_for_parameter(page, "character", "月")


def layer(page: Page) -> None:
    choose(page, "layers")
    before = painted(page, "#inside-parts canvas")
    page.locator("#inside-seed-dice").click()
    after = wait_for_other(page, "#inside-parts canvas", before)
    page.locator("#inside-parts .part", has_text="14×14").first.click()
    wait_for_other(page, "#inside-parts canvas", after)
    page.wait_for_function("() => /[?&]part=[^4]/.test(location.search)")


def knob(page: Page) -> None:
    page.locator("#inside-network .stations[data-painted]").wait_for()
    choose(page, "directions")
    upright = painted(page, "#inside-moved canvas")
    fill(page, "#inside-slant", "1.3")
    page.locator("#inside-slant input").first.press("Enter")
    wait_for_other(page, "#inside-moved canvas", upright)


def opinion(page: Page) -> None:
    page.locator("#inside-network .stations[data-painted]").wait_for()
    draw_a_seven(page)


def dimension(page: Page) -> None:
    choose(page, "posterior", "within")
    painted(page, "#within-plane canvas")
    page.locator("#within-shelf canvas").click(position={"x": 60, "y": 20})
    wait_for_parameter(page, "image", "test.1")
    choose(page, "dimensions", "within")
    fill(page, "#within-rank", "2")
    page.locator("#within-rank input").first.press("Enter")
    wait_for_parameter(page, "rank", "2")


def own_digit(page: Page) -> None:
    choose(page, "posterior", "within")
    before = painted(page, "#within-plane canvas")
    page.locator("#within-draw button").first.click()
    drag(page, "#within-pad .sheet canvas", [(0.3, 0.25), (0.7, 0.3), (0.45, 0.85)])
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


def filled_text(page: Page) -> None:
    fill(page, "#gaps-text", "HAMLET:\nTo ____ or ___")
    page.locator("#gaps-more input[type=number]").fill("9")
    page.locator("#gaps-fill").click()
    whole = re.compile(r"^HAMLET:↵To [^_]{4} or [^_]{12}$")  # no gap is left
    expect(page.locator("#gaps-filling .list")).to_have_text(whole, timeout=LONG)
    expect(page.locator("#gaps-filling .caption")).to_contain_text("Gaps filled: ", timeout=LONG)


def couplet(page: Page) -> None:
    fill(page, "#couplets-line", "春风又绿江南岸")
    page.locator("#couplets-write").click()
    whole = re.compile(r"^春风又绿江南岸\n\n([㐀-鿿]{7}\n){4}[㐀-鿿]{7}$")
    expect(page.locator("#couplets-text textarea")).to_have_value(whole, timeout=LONG)


def plane_flow(page: Page) -> None:
    page.locator("#flowlab .plane[data-painted]").wait_for()
    page.locator("#flowlab select[name=data]").select_option("own")
    drag(page, "#flowlab .plane", [(0.3, 0.25), (0.7, 0.3)])
    page.locator("#flowlab select[name=ode]").select_option("4")
    page.locator("#flowlab [data-do=play]").click()
    page.wait_for_function("() => document.querySelector('#flowlab .plane').dataset.step > 30")
    page.locator("#flowlab [data-do=play]").click()
    page.locator("#flowlab [data-do=once]").click()
    page.wait_for_function("() => /trained=([3-9]\\d|\\d{3,})/.test(location.search)")


STEPS = {  # a tab, what is done in it, the canvases or texts that show its result
    "digits": ("gan.digits", digits, ["#gan-digits canvas"], "#gan-digits .caption"),
    "number": ("gan.number", number, ["#gan-number-result canvas"], "#gan-number-result .caption"),
    "morph": ("gan.morph", morph, ["#gan-frames canvas"], "#gan-film .caption"),
    "point": ("vae.map", point, ["#vae-map .decoded"], "#vae-map .caption"),
    "drawing": ("vae.rebuild", drawing, ["#vae-rebuilt canvas"], "#vae-rebuilt .caption"),
    "picked": ("vae.rebuild", picked, ["#vae-rebuilt canvas"], "#vae-rebuilt .caption"),
    "walk": ("vae.walk", walk, ["#vae-frames canvas"], "#vae-film .caption"),
    "samples": ("vae.prior", samples, ["#vae-digits canvas"], "#vae-digits .caption"),
    "noise": ("flow.digits", noise, ["#flow-digits canvas"], "#flow-digits .caption"),
    "gap": (
        *("flow.fill", gap),
        *(["#flow-filled canvas"], "#flow-filled .caption"),
    ),
    "play": ("transformer.shakespeare", play, [], "#shakespeare-text textarea"),
    "poem": ("transformer.poems", poem, [], "#poems-text textarea"),
    "couplet": ("transformer.couplets", couplet, [], "#couplets-text textarea"),
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
    "filled": ("transformer.gaps", filled_text, [], "#gaps-filling .list"),
    "plane flow": ("flow.lab", plane_flow, [], "#flowlab .of-flow td:nth-child(3)"),
    "own data": ("gan.lab", own_data, [], "#lab .numbers"),
    "dimension": ("vae.inside", dimension, [], "#within-row .caption"),
    "own digit": ("vae.inside", own_digit, ["#within-plane canvas"], "#within-posterior .groups"),
}
