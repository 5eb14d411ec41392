"""Directions in a generator's noise that mean something: slant, thickness, width."""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from aigc_demo.images import MEASURES
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.weights import replace_file

COUNT = 5_000


def find_directions(sampler: DigitSampler, count: int = COUNT) -> dict[str, Tensor]:
    """A step in z for each property that raises it by one standard deviation within a class.

    The properties of `count` samples, less their class means, are fitted by a linear function of z,
    W of (D, 3); the steps are the columns of its pseudo-inverse's transpose, W (W'W)^-1: to first
    order each changes its own property and leaves the two others as they are. (D,) each.
    """
    labels = [i % max(1, sampler.classes) for i in range(count)]
    z, _ = sampler.noise(range(count), labels if sampler.classes else None)
    images = sampler.sample(range(count), labels if sampler.classes else None)
    values = torch.stack([measure(images) for measure in MEASURES.values()], 1)  # (N, 3)
    label = torch.tensor(labels)
    for digit in label.unique():
        one = label == digit
        values[one] -= values[one].mean(0)
    values /= values.std(0)
    slopes = torch.linalg.lstsq(z.double(), values.double()).solution  # W: (D, 3)
    steps = (slopes @ torch.linalg.inv(slopes.T @ slopes)).float()
    return {name: steps[:, i].contiguous() for i, name in enumerate(MEASURES)}


def write_directions(folder: Path) -> None:
    """Writes directions.safetensors beside the weights of a finished GAN."""
    replace_file(
        folder / "directions.safetensors", save(find_directions(DigitSampler.load(folder)))
    )
