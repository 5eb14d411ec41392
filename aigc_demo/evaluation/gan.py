"""How well the GAN draws the digit that it is asked for."""

from pathlib import Path

import torch
from tqdm import tqdm

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.weights import Loaded


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """Label agreement by the bundled judge: as many samples of each class, seeds 0, 1, 2, ...

    Quick: 2,000 samples. Full: 10,000. Also the class that agrees least.
    """
    sampler, judge = DigitSampler(loaded), DigitJudge.load()
    count = 10_000 if full else 2_000
    labels = torch.arange(count) % 10
    agrees = torch.zeros(count, dtype=torch.bool)
    for start in tqdm(range(0, count, 500), desc="samples", unit_scale=500, unit="image"):
        part = slice(start, start + 500)
        images = sampler.sample(range(start, start + 500), labels[part].tolist())
        agrees[part] = judge.classify(images).argmax(1) == labels[part]
    by_class = agrees.view(-1, 10).float().mean(0)
    return {
        "label_agreement": agrees.float().mean().item(),
        "worst_class_agreement": by_class.min().item(),
        "samples": count,
    }
