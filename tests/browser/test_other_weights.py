"""Other weights in a real browser: fetched on each tab, used, looked into, linked to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browser.pages import LONG, Visitor, copied, fill, open_tab, painted, wait_for_other, words
from fake_hub import FakeHub, files_of
from playwright.sync_api import Browser, Page, expect
from servers import serving

from aigc_demo.explain.branches import next_logits
from aigc_demo.explain.transformer import read
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.transformer import next_token_distribution

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_hub(tiny_folders) -> Iterator[FakeHub]:
    with FakeHub() as hub:
        for name in ("gan", "vae", "transformer", "poems"):
            hub.put(f"alice/{name}", files_of(tiny_folders[name]))
        yield hub


@pytest.fixture(scope="module")
def page_url(own_hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, whose Hub is the one on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", own_hub.url)
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("AIGC_REPOS", "alice/*, carol/gpt2, distilbert/distilgpt2")
        patch.delenv("HF_TOKEN", raising=False)
        with serving() as url:
            yield url


def ask(page: Page, tab: str, source: str) -> None:
    """Types a name and fetches it."""
    widget = page.locator(f"#{tab}-others")
    if widget.locator("details").get_attribute("open") is None:
        widget.locator("summary").click()
    widget.locator("input").fill(source)
    widget.locator("[type=submit]").click()


def said(page: Page, tab: str):
    return page.locator(f"#{tab}-others .caption")


def fetched(page: Page, hub: FakeHub, tab: str, source: str) -> str:
    """Fetches weights; their name with the commit, as the page shows it with its link."""
    ask(page, tab, source)
    repo = source.partition("@")[0]
    commit = hub.repos[f"models/{repo}"].branches["main"]
    item = page.locator(f"#{tab}-others li", has_text=repo)
    expect(item.locator("a")).to_have_text(commit, timeout=LONG)
    expect(item.locator("a")).to_have_attribute("href", f"{hub.url}/{repo}/tree/{commit}")
    return f"{repo}@{commit}"


def wait_for_picture(page: Page, canvas: str, pixels: str) -> None:
    page.wait_for_function(
        "([canvas, pixels]) => document.querySelector(canvas)?.toDataURL() === pixels",
        arg=[canvas, pixels],
        timeout=LONG,
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_gan_is_fetched_used_looked_into_and_linked_to(
    browser: Browser, page_url: str, own_hub: FakeHub, tiny_folders, language: str
) -> None:
    locale = {"zh": "zh-CN", "en": "en-US"}[language]
    with Visitor(browser, page_url, locale=locale) as page:
        open_tab(page, "gan", "digits")
        before = painted(page, "#gan-digits canvas")
        name = fetched(page, own_hub, "gan", "alice/gan")
        label = page.locator("#gan-model label").nth(2)
        expect(label).to_have_text(f"alice/gan @ {name[-40:-33]}")
        label.click()
        drawn = wait_for_other(page, "#gan-digits canvas", before)
        page.locator("#language label", has_text="English" if language == "zh" else "中文").click()
        expect(label).to_have_text(f"alice/gan @ {name[-40:-33]}")  # still chosen
        page.locator("#gan-draw").click()
        link = copied(page, "gan.digits")
        assert f"model={name}" in link
        page.locator("#gan-digits canvas").click(position={"x": 30, "y": 30})
        expect(page.locator("#inside-model input")).to_have_value(re.compile("alice/gan @"))
        expect(page.locator("#inside-network .station").first).to_be_visible(timeout=LONG)
        expect(page.locator("#inside-network")).to_contain_text(re.compile("trained on|训练图片"))
    with Visitor(browser, link) as page:  # fetched for the link, on a page that knows nothing
        wait_for_picture(page, "#gan-digits canvas", drawn)
        expect(page.locator("#gan-model label").nth(2).locator("input")).to_be_checked()
        page.locator("#gan-seed-dice").click()
        wait_for_other(page, "#gan-digits canvas", drawn)
    sampler = DigitSampler.load(tiny_folders["gan"], "cpu")
    assert torch.isfinite(sampler.sample([7])).all()


def test_a_vae_is_a_choice_wherever_one_is_chosen(
    browser: Browser, page_url: str, own_hub: FakeHub
) -> None:
    with Visitor(browser, page_url) as page:
        open_tab(page, "vae", "map")
        name = fetched(page, own_hub, "vae", "alice/vae@main")
        for task, field, canvas in (
            ("rebuild", "#vae-rebuild-model", "#vae-rebuilt canvas"),
            ("walk", "#vae-walk-model", "#vae-frames canvas"),
            ("prior", "#vae-prior-model", "#vae-digits canvas"),
        ):
            open_tab(page, "vae", task)
            before = painted(page, canvas)
            page.locator(f"{field} label").nth(2).click()
            shown = wait_for_other(page, canvas, before)
        link = copied(page, "vae.prior")
        open_tab(page, "vae", "inside")
        page.locator("#within-model input").click()
        page.get_by_role("option").nth(2).click()
        expect(page.locator("#within-network .station").first).to_be_visible()
        expect(page.locator("#within-network")).to_contain_text(re.compile("trained on|训练图片"))
    assert name in link
    with Visitor(browser, link) as page:
        wait_for_picture(page, "#vae-digits canvas", shown)


def test_writers_go_on_with_text_and_verse_and_are_looked_into(
    browser: Browser, page_url: str, own_hub: FakeHub
) -> None:
    with Visitor(browser, page_url) as page:
        open_tab(page, "transformer", "shakespeare")
        expect(page.locator("#shakespeare-model")).to_have_count(0)  # no choice yet
        name = fetched(page, own_hub, "transformer", "alice/transformer")
        page.locator("#shakespeare-model label").nth(1).click()
        fill(page, "#shakespeare-prompt", "to be, or")
        page.locator("#shakespeare-write").click()
        text = page.locator("#shakespeare-text textarea")
        expect(text).to_have_value(re.compile(r"^to be, or[a-z ,.!\n]{300}$"), timeout=LONG)
        written = text.input_value()
        link = copied(page, "transformer.shakespeare")
        assert f"model={name}" in link
        fetched(page, own_hub, "transformer", "alice/poems")
        open_tab(page, "transformer", "poems")
        page.locator("#poems-model label").nth(1).click()
        fill(page, "#poems-title", "")
        page.locator("#poems-regulated input").uncheck()
        page.locator("#poems-write").click()
        expect(page).to_have_url(re.compile("model=alice/poems@"), timeout=LONG)
        open_tab(page, "transformer", "inside")
        page.locator("#through-model label").nth(2).click()
        page.wait_for_timeout(500)  # the choice has written its own opening, or left the text
        page.locator("#through-text textarea").fill("to be, or")
        page.locator("#through-read").click()
        expect(page.locator("#through-tokens .token")).to_have_count(9, timeout=LONG)
        expect(page.locator("#through-network .likely").first).to_be_visible(timeout=LONG)
    with Visitor(browser, link) as page:
        text = page.locator("#shakespeare-text textarea")
        expect(text).to_have_value(written, timeout=LONG)


def test_progress_is_seen_and_a_download_cancelled_while_the_page_works(
    browser: Browser, page_url: str, own_hub: FakeHub, tiny_folders
) -> None:
    own_hub.put("alice/slow", files_of(tiny_folders["gan-mlp"]))
    own_hub.bodies["model.safetensors"] = "drip"
    try:
        with Visitor(browser, page_url) as page:
            open_tab(page, "gan", "digits")
            before = painted(page, "#gan-digits canvas")
            ask(page, "gan", "alice/slow")
            expect(said(page, "gan")).to_have_text(re.compile(r"^0\.\d of 0\.\d MB$"), timeout=LONG)
            page.locator("#gan-seed-dice").click()
            wait_for_other(page, "#gan-digits canvas", before)
            page.locator("#gan-others .cancel").click()
            expect(said(page, "gan")).to_be_empty()
            expect(page.locator("#gan-others progress")).to_be_hidden()
            own_hub.bodies.clear()
            fetched(page, own_hub, "gan", "alice/slow")
            page.locator("#gan-model label").nth(2).click()
            expect(page.locator("#gan-wanted")).to_be_hidden()  # it knows no classes
    finally:
        own_hub.bodies.clear()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_cannot_be_had_is_said_in_the_visitors_language(
    browser: Browser, page_url: str, own_hub: FakeHub, tiny_folders, language: str
) -> None:
    own_hub.put("alice/damaged", files_of(tiny_folders["vae"]) | {"model.safetensors": b"?"})
    told = words(language)
    locale = {"zh": "zh-CN", "en": "en-US"}[language]
    with Visitor(browser, page_url, locale=locale) as page:
        open_tab(page, "vae", "map")
        for source, key in (
            ("nonsense", "error.hub_name"),
            ("alice/nothing", "error.hub_missing"),
            ("alice/gan", "error.of_gan"),
            ("alice/damaged", "error.hub_damaged"),
        ):
            ask(page, "vae", source)
            expect(said(page, "vae")).to_have_text(told[key], timeout=LONG)
        ask(page, "vae", "bob/vae")
        refused = told["error.not_allowed"].format(repo="bob/vae")
        expect(said(page, "vae")).to_have_text(refused)
        chips = page.locator("#vae-others .suggested button")
        assert chips.all_inner_texts() == ["alice/…", "carol/gpt2"]
        chips.first.click()
        expect(page.locator("#vae-others input")).to_have_value("alice/")


def test_a_link_to_what_cannot_be_fetched_says_why_and_leaves_the_page(
    browser: Browser, page_url: str
) -> None:
    told = words("en")
    for repo, key in (("alice/gone", "error.hub_missing"), ("bob/gan", "error.not_allowed")):
        link = f"{page_url}?tab=gan.digits&model={repo}@{40 * 'a'}&seed=3&lang=en"
        with Visitor(browser, link) as page:
            toast = page.get_by_test_id("toast-body")
            expect(toast).to_contain_text(told[key].format(repo=repo), timeout=LONG)
            before = painted(page, "#gan-digits canvas")
            page.locator("#gan-seed-dice").click()
            wait_for_other(page, "#gan-digits canvas", before)


@pytest.fixture(scope="module")
def large(own_hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of two small layers, whose vocabulary is larger than what goes to the browser."""
    import aigc_demo.data.vision  # noqa: F401  # before transformers: it cures torchvision

    # isort: split
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("large")
    torch.manual_seed(0)
    sizes = {"n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}
    GPT2LMHeadModel(GPT2Config(vocab_size=9_000, **sizes)).save_pretrained(folder)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(["to be or not to be"], 300, show_progress=False)
    bpe.save(str(folder / "tokenizer.json"))
    own_hub.put("carol/gpt2", files_of(folder))
    return folder


def test_the_sliders_of_a_large_vocabulary_agree_with_the_server(
    browser: Browser, page_url: str, own_hub: FakeHub, large: Path
) -> None:
    writer = TextWriter.load(large, "cpu")
    logits = next_logits(writer, read(writer, "to be").ids)
    with Visitor(browser, page_url) as page:
        open_tab(page, "transformer", "inside")
        fetched(page, own_hub, "transformer", "carol/gpt2")
        page.locator("#through-model label").nth(2).click()
        page.locator("#through-text textarea").fill("to be")
        page.locator("#through-view input[value=next]").locator("..").click()
        page.locator("#through-read").click()
        body, caption = page.locator("#through-next tbody"), page.locator("#through-next .caption")
        expect(caption).to_contain_text("9,000", timeout=LONG)
        for temperature, top_k, top_p in (
            (1, 0, 1),
            (0.5, 0, 1),
            (1, 0, 0.5),
            (2, 0, 0.95),
            (1, 9, 1),
        ):
            for name, value in (("temperature", temperature), ("top_k", top_k), ("top_p", top_p)):
                page.locator(f"#through-next input[name={name}]").fill(str(value))
            p = next_token_distribution(logits, temperature, top_k or None, top_p)
            shares = p.sort(descending=True).values
            found = [float(v) for v in body.get_attribute("data-painted").split()]
            assert found == pytest.approx(shares[:10].tolist(), abs=2e-5)
            entropy = -(p * p.log()).nansum().item()
            text = caption.inner_text()
            assert float(re.search(r"Entropy ([\d.]+)", text)[1]) == pytest.approx(
                entropy, abs=0.02
            )
            kept = int((p > 0).sum())
            told = "> 8,000" if 8_000 < kept < 9_000 else f"{kept:,}"
            assert text.startswith(f"{told} of 9,000")


def test_other_tabs_know_their_family_alone(browser: Browser, page_url: str) -> None:
    with Visitor(browser, page_url) as page:
        for model, task in (("gan", "digits"), ("vae", "map"), ("transformer", "inside")):
            open_tab(page, model, task)
            names = page.locator(f"#{model}-others .suggested button").all_text_contents()
            assert ("distilbert/distilgpt2" in names) == (model == "transformer")
