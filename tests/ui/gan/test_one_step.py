"""A visitor's own GAN: the steps of the training, every number that is shown, nothing shared."""

import json
import math
import re
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
import torch
from browser.pages import open_tab, words
from playwright.sync_api import Browser, Page, expect

from aigc_demo.explain.duel import BATCH, RATES, Duel, Snapshot
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.models.gan import GAN, GANConfig
from aigc_demo.samples import sample_digits
from aigc_demo.training import gan as training
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import one_step as duel
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import LANGUAGES, Words

WORDS = Words()
MODELS = Models(TABS)
CLASSES = torch.arange(BATCH)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return Snapshot.load()


@pytest.fixture
def played(snapshot: Snapshot) -> Duel:
    return Duel(snapshot)


def state(game: Duel) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in game.players.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


# The steps are those of the training


def test_its_steps_are_those_of_the_training(snapshot, played, monkeypatch) -> None:
    monkeypatch.setattr(training, "mixed_precision", lambda device: nullcontext())
    recipe = training.RECIPES["gan-small"]["cpu"]
    players = deepcopy(snapshot.players).train().requires_grad_(True)
    optimizers = training.optimizers(
        players.generator,
        players.discriminator,
        replace(
            recipe,
            generator_rate=RATES["generator"],
            discriminator_rate=RATES["discriminator"],
        ),
    )
    for name in ("discriminator", "generator", "discriminator", "generator", "generator"):
        step = getattr(played, f"train_{name}")()
        monkeypatch.setattr(training, "normal", lambda *_, z=step.noise, **__: z)
        if name == "discriminator":
            told = training.train_discriminator(
                players.generator,
                players.discriminator,
                optimizers[1],
                step.reals[:, None],
                CLASSES,
            )
            assert told["real"].item() == pytest.approx(step.real_before.mean().item(), abs=1e-5)
            assert told["fake"].item() == pytest.approx(step.fake_before.mean().item(), abs=1e-5)
        else:
            told = training.train_generator(
                players.generator, players.discriminator, optimizers[0], CLASSES
            )
        assert told[f"{name}_loss"].item() == pytest.approx(step.loss_before, abs=1e-5)
        # Up to rounding: where a tensor lies in memory may change the order of a sum.
        for key, value in players.state_dict().items():
            torch.testing.assert_close(state(played)[key], value, atol=1e-5, rtol=1e-4)


# Every number against an independent computation


def scores(game: GAN, images: torch.Tensor) -> np.ndarray:
    """A copy's scores of images (N, 28, 28), the classes in turn, in float64."""
    judge = deepcopy(game.discriminator).double()
    with torch.no_grad():
        label = CLASSES.repeat(len(images) // BATCH)
        return judge(images.double()[:, None], label).numpy()


def redraw(game: GAN, noise: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return deepcopy(game.generator)(noise, torch.eye(BATCH))[:, 0]


def length(tensors) -> float:
    return math.sqrt(sum(float((tensor.double() ** 2).sum()) for tensor in tensors))


def weights_of(player: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in player.parameters()]


def close(shown: float | torch.Tensor | np.ndarray, expected, within: float = 2e-5) -> None:
    np.testing.assert_allclose(np.asarray(shown), np.asarray(expected), rtol=within, atol=within)


def test_every_quantity_of_a_discriminator_step(played) -> None:
    for _ in range(2):
        before = deepcopy(played.players)
        pictures = played.pictures()
        step = played.train_discriminator()
        close(step.fakes, redraw(before, step.noise))
        expected = scores(before, torch.cat([step.reals, step.fakes]))
        close(step.real_before, expected[:BATCH])
        close(step.fake_before, expected[BATCH:])
        terms = np.maximum(0, 1 - expected[:BATCH]), np.maximum(0, 1 + expected[BATCH:])
        close(step.real_terms, terms[0])
        close(step.fake_terms, terms[1])
        close(step.loss_before, terms[0].mean() + terms[1].mean())
        later = scores(played.players, torch.cat([step.reals, step.fakes]))
        close(step.real_after, later[:BATCH])
        close(step.fake_after, later[BATCH:])
        loss = np.maximum(0, 1 - later[:BATCH]).mean() + np.maximum(0, 1 + later[BATCH:]).mean()
        close(step.loss_after, loss)
        assert step.loss_after < step.loss_before
        old, new = weights_of(before.discriminator), weights_of(played.players.discriminator)
        close(step.weights, length(old))
        close(step.change, length([a - b for a, b in zip(new, old, strict=True)]), 1e-3)
        assert torch.equal(step.pictures_after, pictures)
        assert_gradient(before, step, "discriminator")


def test_every_quantity_of_a_generator_step(played) -> None:
    for _ in range(2):
        before = deepcopy(played.players)
        pictures = played.pictures()
        step = played.train_generator()
        close(step.fakes, redraw(before, step.noise))
        expected = scores(before, step.fakes)
        close(step.fake_before, expected)
        close(step.fake_terms, -expected)
        close(step.loss_before, -expected.mean())
        later = scores(played.players, redraw(played.players, step.noise))
        close(step.fake_after, later)
        close(step.loss_after, -later.mean())
        old, new = weights_of(before.generator), weights_of(played.players.generator)
        close(step.weights, length(old))
        close(step.change, length([a - b for a, b in zip(new, old, strict=True)]), 1e-3)
        close(pictures, redraw(before, played.constant))
        close(step.pictures_after, redraw(played.players, played.constant))
        assert not torch.equal(step.pictures_after, pictures)
        assert step.reals.shape == (0, 28, 28) and step.real_before.shape == (0,)
        assert_gradient(before, step, "generator")


def assert_gradient(before: GAN, step, name: str) -> None:
    """The length of the gradient, from the loss written out here, in float64."""
    game = deepcopy(before).double()
    noise, mixture = step.noise.double(), torch.eye(BATCH).double()
    fake = game.discriminator(game.generator(noise, mixture), CLASSES)
    loss = -fake.sum() / BATCH
    if name == "discriminator":
        game = deepcopy(before).double()
        both = torch.cat([step.reals, step.fakes]).double()[:, None]
        real, fake = game.discriminator(both, CLASSES.repeat(2)).split(BATCH)
        loss = ((1 - real).clamp(min=0).sum() + (1 + fake).clamp(min=0).sum()) / BATCH
    weights = list(getattr(game, name).parameters())
    close(step.gradient, length(torch.autograd.grad(loss, weights)), 1e-3)


def test_the_digits_are_real_and_one_of_each_class(played) -> None:
    images, labels = sample_digits("train")
    for step in (played.train_discriminator(), played.train_discriminator()):
        for digit, shown in enumerate(step.reals):
            assert (images[labels == digit] == shown).flatten(1).all(1).any()


def test_a_look_trains_nothing(played) -> None:
    before = state(played)
    look = played.look()
    assert same(state(played), before)
    expected = scores(played.players, torch.cat([look.reals, look.fakes]))
    close(torch.cat([look.real_scores, look.fake_scores]), expected)
    close(look.fakes, redraw(played.players, played.constant))


# What the widget and the formulas say


def told_numbers(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in re.findall(r"[-−]?\d+\.\d+", text)]


def test_the_page_shows_the_numbers_of_the_step(snapshot) -> None:
    game, twin = Duel(snapshot), Duel(snapshot)
    game, update, formula = duel.train_both(MODELS, WORDS, game)
    before = twin.pictures()
    steps = [twin.train_discriminator(), twin.train_generator()]
    for scene, step in zip(update["shown"]["steps"], steps, strict=True):
        assert scene["player"] == step.player[0].upper()
        for shown, kind in (("before", "before"), ("after", "after"), ("terms", "terms")):
            for of in ("real", "fake"):
                close(scene[shown][of], getattr(step, f"{of}_{kind}"), 5.1e-5)
        losses = [step.loss_before, step.loss_after]
        close([told_numbers(loss)[0] for loss in scene["loss"]], losses, 5.1e-4)
        close(float(scene["gradient"]), step.gradient, 5e-3)
        close(float(scene["change"]), step.change, 5e-3)
        close(pixels(scene["fakes"]), step.fakes, 2e-3)
        close(pixels(scene["pictures"][0]), before, 2e-3)
        close(pixels(scene["pictures"][1]), step.pictures_after, 2e-3)
        cells = pixels(scene["noise"], scene["side"]).reshape(BATCH, -1)[:, : step.noise.shape[1]]
        close(cells, np.clip(step.noise.numpy() / 6 + 0.5, 0, 1), 2e-3)
        for language in LANGUAGES:
            texts = [text[language] for text in scene["texts"]]
            assert told_numbers(texts[2])[-1] == round(step.fake_before.mean().item(), 2)
            assert told_numbers(texts[3])[-1] == round(step.loss_before, 3)
            assert told_numbers(texts[4])[-2:] == [round(loss, 3) for loss in losses]
        assert rf"{step.loss_before:.3f}}}\;\to\;{step.loss_after:.3f}" in formula
    first, second = steps[0].real_terms.mean(), steps[0].fake_terms.mean()
    assert f"{first:.3f}+{second:.3f}=" in formula
    assert json.loads(json.dumps(update["shown"])) == update["shown"]


def pixels(uri: str, side: int = 28) -> np.ndarray:
    """A sheet as the browser gets it -> (B, side, side) in [0, 1]."""
    import base64
    import io

    from PIL import Image

    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))), np.float32)
    return sheet.reshape(side, -1, side).transpose(1, 0, 2) / 255


def test_twenty_rounds_are_twenty_rounds(snapshot) -> None:
    game, update, _ = duel.train_fast(MODELS, WORDS, Duel(snapshot))
    twin = Duel(snapshot)
    for _ in range(duel.ROUNDS):
        twin.train_discriminator()
        last = twin.train_generator()
    assert same(state(game), state(twin))
    assert game.number == 2 * duel.ROUNDS
    shown = update["shown"]["steps"][1]
    close(pixels(shown["pictures"][0]), Duel(snapshot).pictures(), 2e-3)
    close(pixels(shown["pictures"][1]), last.pictures_after, 2e-3)


# Nothing is shared


def test_the_same_clicks_give_the_same_numbers_and_reset_the_snapshot(snapshot) -> None:
    first, second = Duel(snapshot), Duel(snapshot)
    mixed = [game.train_discriminator() for game in (first, second)]
    mixed += [game.train_generator() for game in (second, first)]
    assert same(state(first), state(second))
    assert mixed[0].loss_after == mixed[1].loss_after
    assert mixed[2].loss_after == mixed[3].loss_after
    again, update, _ = duel.start_over(MODELS, WORDS, first)
    assert same(state(again), snapshot.players.state_dict())
    assert again.number == 0
    assert update["shown"] == duel.start_over(MODELS, WORDS, None)[1]["shown"]


def test_a_duel_disturbs_no_other_and_no_random_numbers(snapshot) -> None:
    other, sampler = Duel(snapshot), DigitSampler.load("gan")
    kept = state(other)
    start = {key: value.clone() for key, value in snapshot.players.state_dict().items()}
    drawn = sampler.sample([1, 2])
    torch.manual_seed(5)
    random = torch.get_rng_state()
    game = Duel(snapshot)
    game.train_discriminator()
    game.train_generator()
    game.look()
    assert torch.equal(torch.get_rng_state(), random)
    assert same(state(other), kept)
    assert same(dict(snapshot.players.state_dict()), start)
    assert torch.equal(sampler.sample([1, 2]), drawn)
    mine = {value.data_ptr() for value in game.players.state_dict().values()}
    assert not mine & {value.data_ptr() for value in other.players.state_dict().values()}
    assert not mine & {value.data_ptr() for value in snapshot.players.state_dict().values()}


def test_another_seed_gives_other_noise(snapshot) -> None:
    one, other = Duel(snapshot, 0).train_generator(), Duel(snapshot, 1).train_generator()
    assert not torch.equal(one.noise, other.noise)


# Wrong input


def test_a_gan_of_other_classes_is_refused(tmp_path) -> None:
    from aigc_demo.weights import save_model

    small = GANConfig(latent_size=4, channels=4, discriminator_channels=4, classes=3)
    save_model(tmp_path, "gan-small", "gan", GAN(small))
    with pytest.raises(ValueError, match="expected 10 classes"):
        Snapshot.load(tmp_path)
    with pytest.raises(ValueError, match="family"):
        Snapshot.load("vae")


HANDLERS = (duel.train_d, duel.train_g, duel.train_both, duel.train_fast, duel.open_duel)


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("value", [{}, "duel", 3, [1]])
def test_a_state_that_is_no_duel_gets_one_sentence(handler: Callable, value) -> None:
    for language in LANGUAGES:
        with pytest.raises(gr.Error) as caught:
            check.answered(WORDS, lambda *values: handler(MODELS, WORDS, *values))(value, language)
        assert WORDS.say(language, "error.duel") in str(caught.value)


def test_damaged_weights_are_named(tmp_path, capsys) -> None:
    (tmp_path / "config.json").write_text("{}")
    models = Models(TABS)
    models.folders["gan-small"] = tmp_path
    with pytest.raises(check.UserError) as caught:
        duel.train_d(models, WORDS, None)
    assert (caught.value.key, caught.value.values) == ("error.weights", {"model": "gan-small"})
    assert "error: gan-small" in capsys.readouterr().err


# In the browser


def opened(browser: Browser, url: str, language: str, width: int, calm: bool = True) -> Page:
    """A visitor of their own with the tab open, who wants no motion unless they say so."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        has_touch=width < 500,
        reduced_motion="reduce" if calm else "no-preference",
    )
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{url}?lang={language}")
    open_tab(page, "gan", "duel")
    page.locator("#duel-scene canvas[data-painted='1']").wait_for()
    return page


def click(page: Page, name: str) -> tuple[str, str]:
    """Presses a button. Returns what is said and painted afterwards."""
    count = int(page.locator("#duel-scene canvas").get_attribute("data-painted") or 0)
    page.locator(f"#duel-{name}").click()
    page.locator(f"#duel-scene canvas[data-painted='{count + 1}']").wait_for()
    return seen(page)


def seen(page: Page) -> tuple[str, str]:
    canvas = page.locator("#duel-scene canvas")
    text = page.locator("#duel-scene .told").inner_text()
    assert canvas.get_attribute("aria-valuetext") == text
    return text, canvas.evaluate("canvas => canvas.toDataURL()")


@pytest.mark.browser
@pytest.mark.parametrize("language, width", [("zh", 1280), ("en", 1280), ("zh", 390), ("en", 390)])
def test_a_visitor_trains_steps_through_the_phases_and_starts_over(
    browser: Browser, server_url: str, language: str, width: int
) -> None:
    page = opened(browser, server_url, language, width)
    start = seen(page)
    twin = Duel.start()
    for name, train in (("train_d", "train_discriminator"), ("train_g", "train_generator")):
        before = seen(page)
        text, picture = click(page, name)
        step = getattr(twin, train)()
        assert told_numbers(text)[-2:] == [round(step.loss_before, 3), round(step.loss_after, 3)]
        assert picture != before[1]
        formula = page.locator("#duel-formulas .katex").first
        formula.wait_for()
        expect(page.locator("#duel-formulas annotation").last).to_be_attached()
        math_text = " ".join(page.locator("#duel-formulas annotation").all_text_contents())
        assert f"{step.loss_after:.3f}" in math_text
    assert page.locator("#duel-scene .act [data-at]").count() == 5

    click(page, "both")
    buttons = page.locator("#duel-scene .act [data-at]")
    assert buttons.count() == 10
    pictures = set()
    for index in range(10):
        buttons.nth(index).tap() if width < 500 else buttons.nth(index).click()
        expect(buttons.nth(index)).to_have_attribute("aria-pressed", "true")
        pictures.add(seen(page))
    assert len(pictures) == 10
    canvas = page.locator("#duel-scene canvas")
    canvas.focus()
    for key, place in (("Home", "0"), ("ArrowRight", "1"), ("ArrowLeft", "0"), ("End", "9")):
        page.keyboard.press(key)
        expect(canvas).to_have_attribute("data-at", place)
        assert canvas.get_attribute("aria-valuenow") == str(int(place) + 1)

    text, _ = click(page, "fast")
    assert words(language)["duel.rounds"].format(rounds=20) in text
    assert click(page, "reset") == start
    assert buttons.count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()


@pytest.mark.browser
def test_two_visitors_play_their_own_games(browser: Browser, server_url: str) -> None:
    one, other = (opened(browser, server_url, "en", 1280) for _ in range(2))
    click(one, "fast")
    kept = seen(one)
    first = click(other, "both")
    step = Duel.start()
    step.train_discriminator()
    told = step.train_generator()
    assert told_numbers(first[0])[-2:] == [round(told.loss_before, 3), round(told.loss_after, 3)]
    assert seen(one) == kept
    for page in (one, other):
        page.context.close()


@pytest.mark.browser
def test_a_step_plays_by_itself_and_can_be_held(browser: Browser, server_url: str) -> None:
    page = opened(browser, server_url, "en", 1280, calm=False)
    click(page, "train_d")
    canvas = page.locator("#duel-scene canvas")
    expect(canvas).to_have_attribute("data-at", "4", timeout=60_000)
    canvas.evaluate(  # a moment that a busy machine does not look at passes too
        "canvas => { window.seen = []; new MutationObserver(() => seen.push(canvas.dataset.at))"
        ".observe(canvas, { attributeFilter: ['data-at'] }); }"
    )
    page.locator("#duel-scene [data-word=replay]").click()
    page.wait_for_function("seen.includes('1')")
    page.locator("#duel-scene [data-at='2']").last.click()
    page.wait_for_timeout(1_500)
    expect(canvas).to_have_attribute("data-at", "2")
    page.context.close()
