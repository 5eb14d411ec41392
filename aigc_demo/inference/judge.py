"""Reads digits."""

from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.weights import Loaded, load_model


class DigitJudge:
    """Says which digit an image shows."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.model = loaded.model

    @classmethod
    def load(cls, source: str | Path = "judge", device: str | None = None) -> "DigitJudge":
        """The judge of a bundled name, a folder or owner/repo@revision.

        Raises:
            ValueError: unknown source, wrong family or damaged weights.
        """
        return cls(load_model(source, "judge", device))

    @torch.inference_mode()
    def classify(self, images: Tensor) -> Tensor:
        """Images (B, 28, 28) in [0, 1] -> probabilities (B, 10).

        Raises:
            ValueError: not such images.
        """
        images = check_images(images).to(self.loaded.device)
        parts = [self.model(part[:, None]).softmax(1).cpu() for part in images.split(500)]
        return torch.cat(parts)

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Images (B, 28, 28) in [0, 1] -> what the judge decides by, (B, F).

        Raises:
            ValueError: not such images.
        """
        images = check_images(images).to(self.loaded.device)
        return torch.cat([self.model.features(part[:, None]).cpu() for part in images.split(500)])
