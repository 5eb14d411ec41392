"""The VAE tab: walk the map, rebuild a digit, walk from A to B, draw from the prior."""

import base64
from functools import cache
from itertools import pairwise
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain.decoder import decoder_layers
from aigc_demo.images import data_uri, grid, png, strip, to_bytes
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import VAES
from aigc_demo.samples import sample_digits
from aigc_demo.ui import check
from aigc_demo.ui.layout import DRAWING, Page, Update, dice, several
from aigc_demo.ui.links import drawing_of
from aigc_demo.ui.models import ENCODED, Models
from aigc_demo.ui.other_weights import add_other_weights
from aigc_demo.ui.share import FILM, Share
from aigc_demo.ui.vae_inside import build_inside
from aigc_demo.ui.views import group
from aigc_demo.ui.widgets import gallery, latent_map, pad, player, tiles
from aigc_demo.ui.words import Words

REACH = 3.5  # the map shows -REACH to REACH
START = (-1.4, 0.8)
SHOWN = 30  # test digits to pick from
MOST = 64
PATHS = ("straight", "spherical")
LONGEST_ROUTE = 5  # stops of a walk
BESIDE = 9  # frames of each walk, where walks are compared
SHORTEST = 4  # numbers of a longer vector that are shown


def test_digits() -> tuple[Tensor, Tensor]:
    """The bundled test digits and their labels."""
    return sample_digits("test")


@cache
def map_digits(models: Models) -> dict[str, Any] | None:
    """Test digits on one picture, and where the encoder puts each: [x, y, label, deviations].

    Nothing where the model cannot be loaded.
    """
    images, labels = (part[:ENCODED] for part in test_digits())
    try:
        mean, deviation = models.encoded("vae-2d")
    except check.Complaint:
        return None
    rows = torch.cat([mean, labels[:, None], deviation], 1).tolist()
    points = [
        [round(x, 3), round(y, 3), int(n), round(a, 4), round(b, 4)] for x, y, n, a, b in rows
    ]
    return {"points": points, "sheet": data_uri(png(grid(images, 30)))}


@cache
def map_decoder(models: Models) -> dict[str, Any] | None:
    """The decoder for the browser; nothing where it cannot be loaded, or is not of that kind."""
    try:
        layers = decoder_layers(models.vae())
    except ValueError:
        return None
    data = base64.b64encode(layers.data).decode()
    return {"sizes": layers.sizes, "bits": layers.bits, "data": data}


def decode_point(models: Models, words: Words, point) -> Update:
    """The digit at a point of the map, with what the judge reads."""
    if not isinstance(point, dict):
        raise check.Complaint("error.point")
    x = check.real(point.get("x"), "point", -REACH, REACH)
    y = check.real(point.get("y"), "point", -REACH, REACH)
    image = models.vae().decode([[x, y]])
    sure, digit = models.judge.classify(image)[0].max(0)
    texts = words.both(
        "vae.point", x=f"{x:.2f}", y=f"{y:.2f}", digit=int(digit), sure=f"{100 * sure:.0f}"
    )
    return gr.update(strip=strip(image), texts=texts, at={"x": x, "y": y})


def rebuild(models: Models, words: Words, model, drawn, seed) -> tuple[Update, Update]:
    """A drawn or photographed digit, its reconstruction and a sample of its posterior."""
    walker = models.vae(models.known(model, VAES))
    image = check.drawn_digit(drawn)
    return _rebuilt(walker, words, image, check.seed(seed))


def rebuild_picked(models: Models, words: Words, model, place, seed) -> tuple[Update, Update]:
    """The same for one of the test digits, by its place."""
    walker = models.vae(models.known(model, VAES))
    index = check.whole(place, "place", 0, SHOWN - 1)
    return _rebuilt(walker, words, test_digits()[0][index], check.seed(seed))


def _rebuilt(walker: LatentWalker, words: Words, image: Tensor, seed: int) -> tuple[Update, Update]:
    mean, deviation = walker.encode(image[None])
    sampled = mean + deviation * walker.noise([seed])
    pictures = torch.cat([image[None], walker.decode(torch.cat([mean, sampled]))])
    texts = words.both(
        "vae.rebuilt",
        mean=_numbers(mean[0]),
        deviation=_numbers(deviation[0]),
        sample=_numbers(sampled[0]),
    )
    shown = gr.update(strip=strip(pictures), count=3, texts=texts)
    return gr.update(strip=strip(image[None])), shown


def _numbers(vector: Tensor) -> str:
    """A vector to read; of a long one the first numbers."""
    shown = [f"{value:.2f}" for value in vector[:SHORTEST].tolist()]
    return "(" + ", ".join(shown + ["…"] * (len(vector) > SHORTEST)) + ")"


def walk(models: Models, words: Words, model, route, path, seed, steps) -> tuple[Update, Update]:
    """Through test digits of the classes on a route, as a film and frame by frame."""
    name = models.known(model, VAES)
    labels, spherical, seed = route_of(route, path, seed)
    steps = check.whole(steps, "steps", 2, MOST)
    stops, _ = stops_of(models, name, labels, seed)
    sheet = strip(_frames(models.vae(name), stops, steps, spherical))
    texts = words.both(
        "vae.walked",
        route=" → ".join(map(str, labels)),
        start=_numbers(stops[0]),
        end=_numbers(stops[-1]),
        size=len(stops[0]),
    )
    return gr.update(strip=sheet, count=steps, texts=texts), gr.update(strip=sheet, count=steps)


def compare_walks(models: Models, words: Words, model, route, path, seed) -> Update:
    """A few frames of the same walk by either model, and by a plain blend of the pixels."""
    name = models.known(model, VAES)
    labels, spherical, seed = route_of(route, path, seed)
    _, pictures = stops_of(models, name, labels, seed)  # the same digits for all
    rows, groups = [], []
    for other, role, key in (("vae-2d", "noise", "vae.by_map"), ("vae", "generator", "vae.by_far")):
        if other in models.known_of(VAES):
            walker = models.vae(other)
            rows.append(_frames(walker, walker.encode(pictures)[0], BESIDE, spherical))
            groups.append(group(words, role, key, [""] * BESIDE))
    rows.append(_blend(pictures, BESIDE))
    groups.append(group(words, "data", "vae.by_pixels", [""] * BESIDE))
    return gr.update(strip=strip(torch.cat(rows)), groups=groups)


def route_of(route, path, seed) -> tuple[list[int], bool, int]:
    """The digits to pass, whether on great arcs, and the seed, checked."""
    labels = check.digits(route, LONGEST_ROUTE)
    if len(labels) < 2:
        raise check.Complaint("error.route", most=LONGEST_ROUTE)
    return labels, check.one_of(path, "path", PATHS) == "spherical", check.seed(seed)


def stops_of(models: Models, name: str, labels: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """The stops of a walk as points (N, D) and as pictures (N, 28, 28)."""
    ends = [landmarks(models, name, label) for label in labels]
    places = [(seed + i) % len(points) for i, (points, _) in enumerate(ends)]
    stops = [(points[at], images[at]) for at, (points, images) in zip(places, ends, strict=True)]
    points, images = zip(*stops, strict=True)
    return torch.stack(points), torch.stack(images)


def points_of(walker: LatentWalker, stops: Tensor, steps: int, spherical: bool) -> Tensor:
    """The points of a walk. (N, D) -> (steps, D)."""
    return _spread([walker.way(a, b, steps, spherical) for a, b in pairwise(stops)])


def _frames(walker: LatentWalker, stops: Tensor, steps: int, spherical: bool) -> Tensor:
    """The pictures of a walk. (N, D) -> (steps, 28, 28)."""
    return walker.decode(points_of(walker, stops, steps, spherical))


def _blend(stops: Tensor, steps: int) -> Tensor:
    """One picture fading into the next, with no latent space. (N, 28, 28) -> (steps, 28, 28)."""
    t = torch.linspace(0, 1, steps)[:, None, None]
    return _spread([(1 - t) * a + t * b for a, b in pairwise(stops)])


def _spread(ways: list[Tensor]) -> Tensor:
    """Ways of S steps each, one after the other, as S steps in all; both ends are kept."""
    joined = torch.cat([ways[0], *(way[1:] for way in ways[1:])])  # a stop is there once
    return joined[:: len(ways)]


def landmarks(models: Models, name: str, label: int) -> tuple[Tensor, Tensor]:
    """Posterior means (N, D) and pictures (N, 28, 28) of test digits of a class: those that the
    judge can still read once they are rebuilt, or all of them where it can read none."""
    return models.get(f"{name} landmarks {label}", lambda _: _landmarks(models, name, label))


def _landmarks(models: Models, name: str, label: int) -> tuple[Tensor, Tensor]:
    walker = models.vae(name)
    images, known = test_digits()
    images = images[known == label][:30]
    mean, _ = walker.encode(images)
    legible = models.judge.classify(walker.decode(mean)).argmax(1) == label
    if not legible.any():
        legible = torch.ones(len(images), dtype=torch.bool)
    return mean[legible], images[legible]


def draw(models: Models, words: Words, model, count, seed) -> Update:
    """Decoded points of the prior."""
    name = models.known(model, VAES)
    count, seed = check.whole(count, "count", 1, MOST), check.seed(seed)
    walker = models.vae(name)
    images = walker.sample(range(seed, seed + count))
    key = "vae.drawn_learned" if walker.loaded.model.config.couplings else "vae.drawn"
    texts = words.both(key, count=count, seed=seed)
    return gr.update(strip=strip(images), count=count, texts=texts)


def build_vae_tab(page: Page) -> None:
    """Adds the tab's components and events."""
    tr = page.words.tr
    with gr.Tabs(elem_id="vae-tasks", elem_classes="tasks", overflow_behavior="wrap"):
        with tr(gr.Tab(id="map"), "vae.map_tab"):
            _build_map(page)
        with tr(gr.Tab(id="rebuild"), "vae.rebuild_tab"):
            _build_rebuild(page)
        with tr(gr.Tab(id="walk"), "vae.walk_tab") as here:
            _build_walk(page, here)
        with tr(gr.Tab(id="prior"), "vae.prior_tab"):
            _build_prior(page)
        with tr(gr.Tab(id="inside"), "vae.inside_tab") as here:
            build_inside(page, here)
    add_other_weights(page, "vae.model")
    page.lesson("vae")


def _build_map(page: Page) -> None:
    point = dict(zip("xy", START, strict=True))
    shown = page.first(decode_point, point)
    plane = latent_map(
        page.words,
        REACH,
        value=point,
        at=point,
        elem_id="vae-map",
        server_functions=[page.serve(map_digits), page.serve(map_decoder)],
        **shown,
    )
    share = Share(
        page,
        "map",
        decode_point,
        {"point": plane},
        [plane],
        model="vae-2d",
        show_progress="hidden",
        **DRAWING,
    )
    page.words.tr(gr.Markdown(elem_classes="hint"), "vae.map_hint")
    share.opens()
    share.compute(plane.move, trigger_mode="always_last")


def _choice(page: Page, name: str) -> gr.Radio:
    """Which of the two VAEs."""
    return page.words.tr(gr.Radio(value="vae-2d", elem_id=name), "vae.model")


def _build_rebuild(page: Page) -> None:
    tr, words = page.words.tr, page.words
    images, _ = test_digits()
    shown = page.first_of(rebuild_picked, 2, "vae-2d", 0, 0)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            digit = {"value": _picked(0), "strip": shown[0]["strip"]}
            canvas = pad(words, elem_id="vae-pad", **digit)
        with gr.Column(scale=3, min_width=300):
            result = tiles(words, columns=3, elem_id="vae-rebuilt", **shown[1])
            place = gr.Column()
            model = _choice(page, "vae-rebuild-model")
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
    fields, both = {"model": model, "drawing": canvas, "seed": seed}, [canvas, result]
    with place:
        about = {"show_progress_on": result, **DRAWING}
        share = Share(page, "rebuild", rebuild, fields, both, **about)
    share.opens()
    for event in several(canvas.stroke, model.input, roll.then):
        share.compute(event)
    picked = share.linked(rebuild_picked, lambda name, at, number: (name, _picked(int(at)), number))
    page.compute(shelf.pick, picked, [model, shelf, seed], share.outputs, show_progress_on=result)


def _picked(place: int) -> str:
    """A test digit as if it were drawn."""
    return drawing_of(to_bytes(test_digits()[0][place]))


def _build_walk(page: Page, here: gr.Tab) -> None:
    tr, words = page.words.tr, page.words
    film_shown, frames_shown = page.first_of(walk, 2, "vae-2d", "38", "straight", 0, 24)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300) as left:
            film = player(words, elem_id="vae-film", **film_shown)
            frames = tiles(words, columns=12, largest=3, elem_id="vae-frames", **frames_shown)
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "vae-walk-model")
            route = tr(gr.Textbox("38", max_lines=1, elem_id="vae-route"), "vae.route")
            seed, roll = dice(words, 0, "vae-walk-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-walk"), "vae.walk")
            with tr(gr.Accordion(open=False), "page.more"):
                path = tr(gr.Radio(value="straight", elem_id="vae-path"), "vae.path")
                steps = tr(gr.Slider(2, MOST, 24, step=1), "vae.steps")
    tr(gr.Markdown(elem_classes="hint"), "vae.beside_hint")
    beside = gallery(words, strip="", groups=[], elem_id="vae-beside")
    named = {"model": model, "route": route, "path": path, "seed": seed}
    fields = list(named.values())
    with left:
        walks = {**named, "steps": steps}
        share = Share(page, "walk", walk, walks, [film, frames], saves=FILM, **DRAWING)
    page.compute(share.opens().success, compare_walks, fields, beside)
    chosen = (model.input, route.submit, path.input, seed.submit)
    for event in several(button.click, *chosen, roll.then):
        page.compute(share.compute(event).success, compare_walks, fields, beside)
    share.compute(steps.release)
    page.compute(here.select, compare_walks, fields, beside)  # not before the tab opens


def _build_prior(page: Page) -> None:
    tr, words = page.words.tr, page.words
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300) as left:
            result = tiles(words, elem_id="vae-digits", **page.first(draw, "vae-2d", 35, 0))
        with gr.Column(scale=2, min_width=280):
            model = _choice(page, "vae-prior-model")
            count = tr(gr.Slider(1, MOST, 35, step=1, elem_id="vae-count"), "vae.count")
            seed, roll = dice(words, 0, "vae-prior-seed")
            button = tr(gr.Button(variant="primary", elem_id="vae-draw"), "vae.draw")
    fields = {"model": model, "count": count, "seed": seed}
    with left:
        share = Share(page, "prior", draw, fields, [result], **DRAWING)
    share.opens()
    for event in several(button.click, model.input, count.release, seed.submit, roll.then):
        share.compute(event)
