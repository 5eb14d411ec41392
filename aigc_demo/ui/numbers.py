"""The numbers behind each result as a table to save: a row of names, then a row each."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from aigc_demo.ui import check, gan, vae
from aigc_demo.ui.models import Models

Rows = list[list[Any]]


def _of_digits(models: Models, model, wanted, count, seed, truncation) -> Rows:
    """Each digit's seed, the class asked for, and what the judge reads."""
    sampler = models.gan(model)
    classes = [check.digit(digit) for digit in wanted] if sampler.classes else []
    labels = [classes[i % len(classes)] for i in range(count)] if classes else None
    seeds = list(range(seed, seed + count))
    return _read(models, seeds, labels, sampler.sample(seeds, labels, truncation))


def _of_number(models: Models, number, seed) -> Rows:
    labels = check.digits(number, gan.LONGEST_NUMBER)
    seeds = list(range(seed, seed + len(labels)))
    return _read(models, seeds, labels, models.gan().sample(seeds, labels, gan.TYPICAL))


def _of_samples(models: Models, model, count, seed) -> Rows:
    seeds = list(range(seed, seed + count))
    return _read(models, seeds, None, models.vae(model).sample(seeds))


def _read(models: Models, seeds: list[int], labels: list[int] | None, images: Tensor) -> Rows:
    probabilities = models.judge.classify(images)
    asked: list = labels or [""] * len(seeds)
    rows = zip(seeds, asked, probabilities.argmax(1).tolist(), probabilities.tolist(), strict=True)
    head = ["seed", "asked", "judge_reads", *_judge_names()]
    return [head, *([seed, label, best, *values] for seed, label, best, values in rows)]


def _judge_names() -> list[str]:
    return [f"probability_{digit}" for digit in check.DIGITS]


def _of_morph(models: Models, first, last, seed, steps) -> Rows:
    labels = (int(first), int(last))
    frames = models.gan().morph(labels, (seed, seed + 1), steps, gan.TYPICAL)
    return _frames(models, frames, torch.empty(steps, 0))


def _of_point(models: Models, point) -> Rows:
    z = torch.tensor([[point["x"], point["y"]]], dtype=torch.float32)
    return _frames(models, models.vae().decode(z), z)


def _of_walk(models: Models, model, route, path, seed, steps) -> Rows:
    labels, spherical, seed = vae.route_of(route, path, seed)
    stops, _ = vae.stops_of(models, model, labels, seed)
    points = vae.points_of(models.vae(model), stops, steps, spherical)
    return _frames(models, models.vae(model).decode(points), points)


def _frames(models: Models, images: Tensor, points: Tensor) -> Rows:
    """Each frame's latent point, and what the judge reads in it."""
    read = models.judge.classify(images).tolist()
    head = ["frame", *(f"z{i + 1}" for i in range(points.shape[1])), *_judge_names()]
    rows = zip(points.tolist(), read, strict=True)
    return [head, *([k, *point, *values] for k, (point, values) in enumerate(rows))]


def _of_rebuilt(models: Models, model, drawn, seed) -> Rows:
    """Mean, standard deviation and the sampled point, a row a latent dimension."""
    walker = models.vae(model)
    mean, deviation = walker.encode(check.drawn_digit(drawn)[None])
    sampled = mean + deviation * walker.noise([seed])
    columns = torch.stack([mean[0], deviation[0], sampled[0]], 1).tolist()
    head = ["dimension", "mean", "standard_deviation", "sample"]
    return [head, *([i + 1, *row] for i, row in enumerate(columns))]


NUMBERS: dict[str, dict[str, Callable[..., Rows]]] = {  # they take the models and the fields
    "gan": {"digits": _of_digits, "number": _of_number, "morph": _of_morph},
    "vae": {"map": _of_point, "rebuild": _of_rebuilt, "walk": _of_walk, "prior": _of_samples},
}
