"""The numbers behind the results of the GAN tab, as tables to save."""

import torch

from aigc_demo.names import TRUNCATION
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan.requests import LONGEST_NUMBER
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.classes import in_turn
from aigc_demo.ui.page.tables import Rows, table_of_classes, table_of_digits, table_of_frames


def digits(models: Models, model, wanted, count, seed, truncation) -> Rows:
    """Each picture's seed and class; of digits, what the judge reads too."""
    sampler = models.gan(model)
    classes = list(map(int, wanted)) if sampler.classes else []
    labels = in_turn(classes, count)
    seeds = list(range(seed, seed + count))
    return table_of_classes(models, sampler, seeds, labels, truncation)


def number(models: Models, model, number, seed) -> Rows:
    labels = check.digits(number, LONGEST_NUMBER)
    seeds = list(range(seed, seed + len(labels)))
    images = models.gan(model).sample(seeds, labels, TRUNCATION)
    return table_of_digits(models, seeds, labels, images)


def morph(models: Models, model, first, last, seed, steps) -> Rows:
    labels = (int(first), int(last))
    frames = models.gan(model).morph(labels, (seed, seed + 1), steps, TRUNCATION)
    return table_of_frames(models, frames, torch.empty(steps, 0))
