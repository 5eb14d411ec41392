"""The quality of a GAN: the digits asked for, all kinds of them, and of use to learn from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from aigc_demo.data.files import data_folder
from aigc_demo.data.mnist import read_mnist
from aigc_demo.evaluation.distance import density_and_coverage, frechet_distance
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.models.judge import Judge, JudgeConfig
from aigc_demo.weights import Loaded

COUNT = 10_000  # samples of the full protocol
PUPIL_DIGITS = 60_000
PUPIL_STEPS = 2_000

Digits = tuple[Tensor, Tensor]  # images (N, 28, 28) and labels (N,)


class Sampler(Protocol):
    """Draws a digit a seed; `classes` is 0 where it cannot be asked for one of them."""

    @property
    def classes(self) -> int: ...

    def sample(self, seeds: Sequence[int], labels: Sequence[int] | None = ...) -> Tensor: ...


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """The figures of a GAN, see `score_digits`."""
    return score_digits(DigitSampler(loaded), data, full)


def score_digits(sampler: Sampler, data: Path | None, full: bool) -> dict[str, float]:
    """The figures of a model that draws digits, by the bundled judge, on seeds 0, 1, 2, ...

    Quick: of 2,000 samples, as many of each class, how many the judge reads as the digit asked
    for; of a model without classes, the share of the digit it draws least often. Full: the same of
    10,000; Fréchet distance, density and coverage on the judge's features against the 10,000 test
    digits, beside 10,000 training digits, whose classes the samples take over one by one, as is
    usual for models with classes; accuracy on the test digits of a fresh classifier trained on
    60,000 samples only, beside one trained on the real training digits.
    """
    judge = DigitJudge.load()
    count = COUNT if full else 2_000
    images, labels = draw(sampler, count)
    read = judge.classify(images).argmax(1)
    figures: dict[str, float] = {"samples": count}
    if sampler.classes > 1:
        agrees = (read == labels).float()
        figures["label_agreement"] = agrees.mean().item()
        figures["worst_class_agreement"] = agrees.view(-1, 10).mean(0).min().item()
    figures["rarest_digit_share"] = read.bincount(minlength=10).min().item() / count
    if full:
        train, test = (read_mnist(data_folder(data), train=part) for part in (True, False))
        figures |= _distances(sampler, judge, images, train, test[0])
        figures |= _gan_train_scores(sampler, judge, train, test)
    return figures


def draw(
    sampler: Sampler, count: int, first: int = 0, labels: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """So many images (N, 28, 28), seed after seed, and the labels asked for: (N,), or in turn.

    Of a model without classes the labels mean nothing.
    """
    labels = torch.arange(count) % 10 if labels is None else labels
    labels = labels.clamp(max=0) if sampler.classes == 1 else labels
    parts = []
    for start in tqdm(range(0, count, 500), desc="samples", unit_scale=500, unit="image"):
        seeds = range(first + start, first + min(start + 500, count))
        wanted = labels[start : start + 500].tolist() if sampler.classes else None
        parts.append(sampler.sample(seeds, wanted))
    return torch.cat(parts), labels


def _distances(
    sampler: Sampler, judge: DigitJudge, even: Tensor, train: Digits, test: Tensor
) -> dict[str, float]:
    """even: samples of the same seeds, as many of each class, for one more row."""
    some = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(0))[:COUNT]
    reference = judge.features(test)
    figures: dict[str, float] = {}
    rows = {"": draw(sampler, COUNT, labels=train[1][some])[0], "real_": train[0][some]}
    for row, pictures in rows.items():
        features = judge.features(pictures)
        density, coverage = density_and_coverage(reference, features)
        figures[f"{row}frechet_distance"] = frechet_distance(features, reference)
        figures[f"{row}density"], figures[f"{row}coverage"] = density, coverage
    for name in ("frechet_distance", "coverage"):
        figures[f"{name}_to_real"] = figures[name] / figures[f"real_{name}"]
    if sampler.classes:
        features = judge.features(even)
        figures["frechet_distance_of_even_classes"] = frechet_distance(features, reference)
    return figures


def _gan_train_scores(
    sampler: Sampler, judge: DigitJudge, train: Digits, test: Digits
) -> dict[str, float]:
    """GAN-train accuracy (Shmelkov et al. 2018, arXiv:1807.09499): of a classifier that was trained
    on samples only, on real test digits; and of the same trained on real digits.

    The samples of a model without classes get their labels from the judge.
    """
    images, labels = draw(sampler, PUPIL_DIGITS, first=COUNT)
    if not sampler.classes:
        labels = judge.classify(images).argmax(1)
    return {
        "gan_train_accuracy": pupil_accuracy(images, labels, *test),
        "real_train_accuracy": pupil_accuracy(*train, *test),
    }


def pupil_accuracy(images: Tensor, labels: Tensor, test: Tensor, known: Tensor) -> float:
    """Accuracy on test digits of a small classifier trained on these images alone, seed 0."""
    torch.manual_seed(0)
    pupil = Judge(JudgeConfig(channels=16)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(pupil.parameters(), 3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=PUPIL_STEPS)
    pupil.train()
    for _ in tqdm(range(PUPIL_STEPS), desc="a fresh classifier", unit="step"):
        index = torch.randint(len(images), (128,))
        loss = F.cross_entropy(pupil(images[index][:, None]), labels[index], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    loaded = Loaded("pupil", "judge", pupil.eval(), None, torch.device("cpu"), "")
    read = DigitJudge(loaded).classify(test).argmax(1)
    return (read == known).float().mean().item()
