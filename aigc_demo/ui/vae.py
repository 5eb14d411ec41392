"""The VAE tab: walk the map, rebuild a digit, walk from A to B, draw from the prior."""

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.images import as_digit, strip
from aigc_demo.inference import sample_digits
from aigc_demo.ui import check
from aigc_demo.ui.gan import DIGITS
from aigc_demo.ui.layout import Page, Update, dice
from aigc_demo.ui.models import Models
from aigc_demo.ui.widgets import latent_map, pad, player, tiles
from aigc_demo.ui.words import Words

REACH = 3.5  # the map shows -REACH to REACH
START = (-1.4, 0.8)
SHOWN = 30  # test digits to pick from
ON_MAP = 600  # test digits drawn on the map
MOST = 64


def test_digits() -> tuple[Tensor, Tensor]:
    """The bundled test digits and their labels."""
    return sample_digits("test")


def map_points(models: Models) -> list[list[float]]:
    """Where the encoder puts test digits: [x, y, label]."""
    images, labels = test_digits()
    mean, _ = models.vae.encode(images[:ON_MAP])
    rows = zip(mean.tolist(), labels[:ON_MAP].tolist(), strict=True)
    return [[round(x, 2), round(y, 2), label] for (x, y), label in rows]


def decode_point(models: Models, words: Words, point) -> Update:
    """The digit at a point of the map, with what the judge reads."""
    if not isinstance(point, dict):
        raise check.Complaint("error.point")
    x = check.real(point.get("x"), "point", -REACH, REACH)
    y = check.real(point.get("y"), "point", -REACH, REACH)
    image = models.vae.decode([[x, y]])
    sure, digit = models.judge.classify(image)[0].max(0)
    texts = words.both(
        "vae.point", x=f"{x:.2f}", y=f"{y:.2f}", digit=int(digit), sure=f"{100 * sure:.0f}"
    )
    return gr.update(strip=strip(image), texts=texts)


def rebuild(models: Models, words: Words, drawn, seed) -> tuple[Update, Update]:
    """A drawn or photographed digit, its reconstruction and a sample of its posterior."""
    pixels = check.drawing(drawn)
    if pixels is None:
        raise check.Complaint("error.empty_drawing")
    try:
        image = as_digit(pixels)
    except ValueError:
        raise check.Complaint("error.blank_photo") from None
    if image.max() < 0.2:
        raise check.Complaint("error.empty_drawing")
    return _rebuilt(models, words, image, check.seed(seed))


def rebuild_picked(models: Models, words: Words, place, seed) -> tuple[Update, Update]:
    """The same for one of the test digits, by its place."""
    index = check.whole(place, "place", 0, SHOWN - 1)
    return _rebuilt(models, words, test_digits()[0][index], check.seed(seed))


def _rebuilt(models: Models, words: Words, image: Tensor, seed: int) -> tuple[Update, Update]:
    mean, deviation = models.vae.encode(image[None])
    sampled = mean + deviation * models.vae.noise([seed])
    pictures = torch.cat([image[None], models.vae.decode(torch.cat([mean, sampled]))])
    texts = words.both(
        "vae.rebuilt",
        mean=_numbers(mean[0]),
        deviation=_numbers(deviation[0]),
        sample=_numbers(sampled[0]),
    )
    shown = gr.update(strip=strip(pictures), count=3, texts=texts)
    return gr.update(strip=strip(image[None])), shown


def _numbers(vector: Tensor) -> str:
    return "(" + ", ".join(f"{value:.2f}" for value in vector.tolist()) + ")"


def walk(models: Models, words: Words, first, last, seed, steps) -> tuple[Update, Update]:
    """From a test digit of one class to one of another, straight through the latent plane."""
    labels = [int(check.one_of(digit, "digits", DIGITS)) for digit in (first, last)]
    seed, steps = check.seed(seed), check.whole(steps, "steps", 2, MOST)
    ends = [landmarks(models, label) for label in labels]
    mean = [points[(seed + i) % len(points)] for i, points in enumerate(ends)]
    frames = models.vae.walk(mean[0], mean[1], steps)
    texts = words.both(
        "vae.walked",
        first=labels[0],
        last=labels[1],
        start=_numbers(mean[0]),
        end=_numbers(mean[1]),
    )
    sheet = strip(frames)
    return gr.update(strip=sheet, count=steps, texts=texts), gr.update(strip=sheet, count=steps)


def landmarks(models: Models, label: int) -> Tensor:
    """Posterior means of test digits of a class, (N, D): those that the judge can still read
    once they are rebuilt, or all of them where it can read none."""
    images, known = test_digits()
    mean, _ = models.vae.encode(images[known == label][:30])
    legible = models.judge.classify(models.vae.decode(mean)).argmax(1) == label
    return mean[legible] if legible.any() else mean


def draw(models: Models, words: Words, count, seed) -> Update:
    """Decoded points of the prior."""
    count, seed = check.whole(count, "count", 1, MOST), check.seed(seed)
    images = models.vae.sample(range(seed, seed + count))
    return gr.update(
        strip=strip(images), count=count, texts=words.both("vae.drawn", count=count, seed=seed)
    )


def build_vae_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="vae-tasks", elem_classes="tasks"):
        with tr(gr.Tab(id="map"), "vae.map_tab"):
            _build_map(page)
        with tr(gr.Tab(id="rebuild"), "vae.rebuild_tab"):
            _build_rebuild(page)
        with tr(gr.Tab(id="walk"), "vae.walk_tab"):
            _build_walk(page)
        with tr(gr.Tab(id="prior"), "vae.prior_tab"):
            _build_prior(page)
    page.lesson("vae")


def _build_map(page: Page) -> None:
    point = dict(zip("xy", START, strict=True))
    shown = page.first(decode_point, point)
    points = map_points(page.models) if shown["strip"] else []
    plane = latent_map(page.words, REACH, points, value=point, elem_id="vae-map", **shown)
    page.words.tr(gr.Markdown(elem_classes="hint"), "vae.map_hint")
    page.compute(
        plane.move,
        decode_point,
        [plane],
        plane,
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_id="dragging",
        concurrency_limit=4,
    )


def _build_rebuild(page: Page) -> None:
    tr, words = page.words.tr, page.words
    images, _ = test_digits()
    shown = page.first_of(_rebuilt, 2, images[0], 0)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            canvas = pad(words, elem_id="vae-pad", strip=shown[0]["strip"])
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, columns=3, elem_id="vae-rebuilt", **shown[1])
            seed, roll = dice(words, 0, "vae-seed")
    tr(gr.Markdown(elem_classes="hint"), "vae.pick_hint")
    shelf = tiles(
        words,
        columns=15,
        largest=2,
        choosing=True,
        elem_id="vae-shelf",
        strip=strip(images[:SHOWN]),
        count=SHOWN,
    )
    both = [canvas, result]
    page.compute(canvas.stroke, rebuild, [canvas, seed], both, show_progress_on=result)
    page.compute(shelf.pick, rebuild_picked, [shelf, seed], both, show_progress_on=result)
    page.then(roll, rebuild, [canvas, seed], both)


def _build_walk(page: Page) -> None:
    tr, words = page.words.tr, page.words
    film_shown, frames_shown = page.first_of(walk, 2, "3", "8", 0, 24)
    choices = [(digit, digit) for digit in DIGITS]
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            film = player(words, elem_id="vae-film", **film_shown)
            frames = tiles(words, columns=12, largest=3, elem_id="vae-frames", **frames_shown)
        with gr.Column(scale=2, min_width=280):
            first = tr(gr.Dropdown(choices, value="3", elem_id="vae-first"), "vae.first")
            last = tr(gr.Dropdown(choices, value="8", elem_id="vae-last"), "vae.last")
            seed, roll = dice(words, 0, "vae-walk-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-walk"), "vae.walk")
            with tr(gr.Accordion(open=False), "page.more"):
                steps = tr(gr.Slider(2, MOST, 24, step=1), "vae.steps")
    inputs = [first, last, seed, steps]
    for event in (button.click, first.input, last.input, steps.release, seed.submit):
        page.compute(event, walk, inputs, [film, frames])
    page.then(roll, walk, inputs, [film, frames])


def _build_prior(page: Page) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, elem_id="vae-digits", **page.first(draw, 35, 0))
        with gr.Column(scale=2, min_width=280):
            count = tr(gr.Slider(1, MOST, 35, step=1, elem_id="vae-count"), "vae.count")
            seed, roll = dice(words, 0, "vae-prior-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-draw"), "vae.draw")
    for event in (button.click, count.release, seed.submit):
        page.compute(event, draw, [count, seed], result)
    page.then(roll, draw, [count, seed], result)
