"""The numbers behind the results of the diffusion tab, as tables to save."""

import torch

from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.flow.requests import class_told, completions, sampler_of, variations
from aigc_demo.ui.kit.drawings import drawn_digit, gap_of
from aigc_demo.ui.page.classes import in_turn
from aigc_demo.ui.page.tables import Rows, table_of_classes, table_of_digits, table_of_frames


def digits(models: Models, model, wanted, count, seed, ode_steps, guidance) -> Rows:
    """Each picture's seed and class; of digits, what the judge reads too."""
    sampler = sampler_of(models, model)
    seeds, labels = list(range(seed, seed + count)), in_turn(list(map(int, wanted)), count)
    return table_of_classes(models, sampler, seeds, labels, ode_steps, guidance)


def path(models: Models, model, digit, seed, ode_steps, guidance) -> Rows:
    frames = sampler_of(models, model).path([seed], [int(digit)], ode_steps, guidance)[:, 0]
    return table_of_frames(models, frames, torch.linspace(0, 1, len(frames))[:, None])


def morph(models: Models, model, first, last, seed, frames, ode_steps, guidance) -> Rows:
    labels = (int(first), int(last))
    made = sampler_of(models, model).morph(labels, (seed, seed + 1), frames, ode_steps, guidance)
    return table_of_frames(models, made, torch.empty(frames, 0))


def varied(models: Models, model, drawn, start, as_digit, seed, guidance) -> Rows:
    sampler, image = sampler_of(models, model), drawn_digit(drawn)
    label, guidance = class_told(models, sampler, image, as_digit, guidance)
    made = variations(sampler, image, start, label, seed, guidance)
    return _of_seeds(models, label, seed, made)


def filled(models: Models, model, drawn, gap, as_digit, seed, guidance) -> Rows:
    sampler, image, keep = sampler_of(models, model), drawn_digit(drawn), ~gap_of(gap)
    label, guidance = class_told(models, sampler, image * keep, as_digit, guidance)
    return _of_seeds(models, label, seed, completions(sampler, image, keep, label, seed, guidance))


def _of_seeds(models: Models, label: int | None, seed: int, images: torch.Tensor) -> Rows:
    labels = None if label is None else [label] * len(images)
    return table_of_digits(models, list(range(seed, seed + len(images))), labels, images)
