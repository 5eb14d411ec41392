"""The quality of a flow: in 20 steps, by the figures of a GAN; and by its steps and guidance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.mnist import read_mnist
from aigc_demo.evaluation.distance import frechet_distance
from aigc_demo.evaluation.gan import draw, score_digits
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.weights import Loaded

STEPS, GUIDANCE = (1, 2, 4, 8, 20, 50), (0, 1, 2, 3, 4)
EACH = 2_000  # samples of each, as many of each class


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, Any]:
    """The figures of a flow, see `score_digits`; with full also `by_steps`, see `grid`."""
    sampler = FlowSampler(loaded)
    figures: dict[str, Any] = score_digits(sampler, data, full)
    if full and sampler.classes == 10:
        figures["by_steps"] = grid(sampler, data)
    return figures


@dataclass(frozen=True)
class Setting:
    """A flow at so many steps and some guidance, as a sampler of digits."""

    sampler: FlowSampler
    steps: int
    guidance: float

    @property
    def classes(self) -> int:
        return self.sampler.classes

    def sample(self, seeds: Sequence[int], labels: Sequence[int] | None = None) -> Tensor:
        """(B,) seeds and labels -> (B, 28, 28)."""
        return self.sampler.sample(seeds, labels, self.steps, self.guidance)


def grid(sampler: FlowSampler, data: Path | None) -> dict[str, dict[str, list[float]]]:
    """Steps -> guidance -> label agreement, and Fréchet distance over that of as many real digits.

    Of 2,000 samples each, seeds 0, 1, 2, ...; the distances are to the 10,000 test digits.
    """
    judge = DigitJudge.load()
    train, test = (read_mnist(data_folder(data), train=part)[0] for part in (True, False))
    reference = judge.features(test)
    some = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:EACH]
    real = frechet_distance(judge.features(train[some]), reference)
    found: dict[str, dict[str, list[float]]] = {}
    for steps in tqdm(STEPS, desc="steps"):
        for guidance in GUIDANCE:
            images, labels = draw(Setting(sampler, steps, guidance), EACH)
            agreement = (judge.classify(images).argmax(1) == labels).float().mean().item()
            distance = frechet_distance(judge.features(images), reference) / real
            found.setdefault(str(steps), {})[str(guidance)] = [agreement, distance]
    return found
