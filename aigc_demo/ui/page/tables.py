"""Numbers behind results as tables to save: a row of names, then a row each."""

from typing import Any

from torch import Tensor

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.classes import are_digits, names_of

Rows = list[list[Any]]


def table_of_digits(
    models: Models, seeds: list[int], labels: list[int] | None, images: Tensor
) -> Rows:
    """Each digit's seed, the class asked for, and what the judge reads."""
    probabilities = models.judge.classify(images)
    asked: list = labels or [""] * len(seeds)
    rows = zip(seeds, asked, probabilities.argmax(1).tolist(), probabilities.tolist(), strict=True)
    head = ["seed", "asked", "judge_reads", *_judge_names()]
    return [head, *([seed, label, best, *values] for seed, label, best, values in rows)]


def table_of_classes(
    models: Models, sampler: Any, seeds: list[int], labels: list[int] | None, *settings: Any
) -> Rows:
    """Each picture's seed and class; of digits, what the judge reads too.

    settings: of `sampler.sample`, behind seeds and labels.
    """
    if are_digits(sampler):
        return table_of_digits(models, seeds, labels, sampler.sample(seeds, labels, *settings))
    names = names_of(sampler)
    _, drawn = sampler.noise(seeds, labels)
    return [["seed", "class"], *([seed, names[k]] for seed, k in zip(seeds, drawn, strict=True))]


def table_of_frames(models: Models, images: Tensor, points: Tensor) -> Rows:
    """Each frame's latent point, and what the judge reads in it."""
    read = models.judge.classify(images).tolist()
    head = ["frame", *(f"z{i + 1}" for i in range(points.shape[1])), *_judge_names()]
    rows = zip(points.tolist(), read, strict=True)
    return [head, *([k, *point, *values] for k, (point, values) in enumerate(rows))]


def _judge_names() -> list[str]:
    return [f"probability_{digit}" for digit in check.DIGITS]
