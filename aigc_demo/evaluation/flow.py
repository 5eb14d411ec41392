"""The quality of a flow, in 20 steps, by the figures of a GAN."""

from pathlib import Path

from aigc_demo.evaluation.gan import score_digits
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.weights import Loaded


def score(loaded: Loaded, data: Path | None, full: bool) -> dict[str, float]:
    """The figures of a flow, see `score_digits`."""
    return score_digits(FlowSampler(loaded), data, full)
