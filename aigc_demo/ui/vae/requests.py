"""The handlers of the VAE tab: a point of the map, a reconstruction, a walk, samples."""

import base64
from functools import cache
from typing import Any

import gradio as gr
import torch
from torch import Tensor

from aigc_demo.explain import walks
from aigc_demo.explain.decoder import decoder_layers
from aigc_demo.images import data_uri, grid, png, strip
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import VAES
from aigc_demo.samples import sample_digits
from aigc_demo.ui.catalog.models import ENCODED, Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.drawings import drawn_digit, seen
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import group
from aigc_demo.ui.page.page import Update

REACH = 3.5  # the map shows -REACH to REACH
START = (-1.4, 0.8)
PICKABLE = 30  # test digits to pick from
MAX_COUNT = 64
PATHS = ("straight", "spherical")
LONGEST_ROUTE = 5  # stops of a walk
COMPARED_FRAMES = 9  # frames of each walk, where walks are compared
SHORTEST = 4  # numbers of a longer vector that are shown


def test_digits() -> tuple[Tensor, Tensor]:
    """The bundled test digits and their labels."""
    return sample_digits("test")


def map_digits(models: Models) -> dict[str, Any] | None:
    """Test digits on one picture, and where the encoder puts each: [x, y, label, deviations].

    Nothing where the model cannot be loaded.
    """
    try:
        return _map_digits(models)
    except check.UserError:
        return None


@cache
def _map_digits(models: Models) -> dict[str, Any]:
    images, labels = (part[:ENCODED] for part in test_digits())
    mean, deviation = models.encoded("vae-2d")
    rows = torch.cat([mean, labels[:, None], deviation], 1).tolist()
    points = [
        [round(x, 3), round(y, 3), int(n), round(a, 4), round(b, 4)] for x, y, n, a, b in rows
    ]
    return {"points": points, "sheet": data_uri(png(grid(images, 30)))}


def map_decoder(models: Models) -> dict[str, Any] | None:
    """The decoder's weights for the browser. None if the model does not load, or has other layers
    than Linear and SiLU."""
    try:
        return _map_decoder(models)
    except ValueError:
        return None


@cache
def _map_decoder(models: Models) -> dict[str, Any]:
    layers = decoder_layers(models.vae())
    data = base64.b64encode(layers.data).decode()
    return {"sizes": layers.sizes, "bits": layers.bits, "data": data}


def decode_point(models: Models, words: Words, point) -> Update:
    """The digit at a point of the map, with what the judge reads."""
    if not isinstance(point, dict):
        raise check.UserError("error.point")
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
    image = drawn_digit(drawn)
    return gr.update(**seen(image, drawn)), _rebuilt(walker, words, image, check.seed(seed))


def rebuild_picked(models: Models, words: Words, model, place, seed) -> tuple[Update, Update]:
    """The same for one of the test digits, by its place."""
    walker = models.vae(models.known(model, VAES))
    image = test_digits()[0][check.whole(place, "place", 0, PICKABLE - 1)]
    return gr.update(**seen(image)), _rebuilt(walker, words, image, check.seed(seed))


def _rebuilt(walker: LatentWalker, words: Words, image: Tensor, seed: int) -> Update:
    mean, deviation = walker.encode(image[None])
    sampled = mean + deviation * walker.noise([seed])
    pictures = torch.cat([image[None], walker.decode(torch.cat([mean, sampled]))])
    texts = words.both(
        "vae.rebuilt",
        mean=_numbers(mean[0]),
        deviation=_numbers(deviation[0]),
        sample=_numbers(sampled[0]),
    )
    return gr.update(strip=strip(pictures), count=3, texts=texts)


def _numbers(vector: Tensor) -> str:
    """A vector to read; of a long one the first numbers."""
    shown = [f"{value:.2f}" for value in vector[:SHORTEST].tolist()]
    return "(" + ", ".join(shown + ["…"] * (len(vector) > SHORTEST)) + ")"


def walk(models: Models, words: Words, model, route, path, seed, steps) -> tuple[Update, Update]:
    """Through test digits of the classes on a route, as a film and frame by frame."""
    name = models.known(model, VAES)
    labels, spherical, seed = route_of(route, path, seed)
    steps = check.whole(steps, "steps", 2, MAX_COUNT)
    stops, _ = stops_of(models, name, labels, seed)
    sheet = strip(walks.frames(models.vae(name), stops, steps, spherical))
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
            rows.append(
                walks.frames(walker, walker.encode(pictures)[0], COMPARED_FRAMES, spherical)
            )
            groups.append(group(words, role, key, [""] * COMPARED_FRAMES))
    rows.append(walks.blend(pictures, COMPARED_FRAMES))
    groups.append(group(words, "data", "vae.by_pixels", [""] * COMPARED_FRAMES))
    return gr.update(strip=strip(torch.cat(rows)), groups=groups)


def route_of(route, path, seed) -> tuple[list[int], bool, int]:
    """The digits to pass, whether on great arcs, and the seed, checked."""
    labels = check.digits(route, LONGEST_ROUTE)
    if len(labels) < 2:
        raise check.UserError("error.route", most=LONGEST_ROUTE)
    return labels, check.one_of(path, "path", PATHS) == "spherical", check.seed(seed)


def stops_of(models: Models, name: str, labels: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """The stops of a walk as points (N, D) and as pictures (N, 28, 28)."""
    ends = [_landmarks(models, name, label) for label in labels]
    places = [(seed + i) % len(points) for i, (points, _) in enumerate(ends)]
    stops = [(points[at], images[at]) for at, (points, images) in zip(places, ends, strict=True)]
    points, images = zip(*stops, strict=True)
    return torch.stack(points), torch.stack(images)


def _landmarks(models: Models, name: str, label: int) -> tuple[Tensor, Tensor]:
    def find(_: Any) -> tuple[Tensor, Tensor]:
        return walks.landmarks(models.vae(name), models.judge, label)

    return models.get(f"{name} landmarks {label}", find)


def draw(models: Models, words: Words, model, count, seed) -> Update:
    """Decoded points of the prior."""
    name = models.known(model, VAES)
    count, seed = check.whole(count, "count", 1, MAX_COUNT), check.seed(seed)
    walker = models.vae(name)
    images = walker.sample(range(seed, seed + count))
    key = "vae.drawn_learned" if walker.loaded.model.config.couplings else "vae.drawn"
    texts = words.both(key, count=count, seed=seed)
    return gr.update(strip=strip(images), count=count, texts=texts)
