"""GPT-2's forward pass for the next tokens of several texts, each with its own cache.

The model itself, text after text: what inference/steps.py does for our own architecture at once.
"""

import torch
from torch import Tensor

from aigc_demo.inference.attention import Piece
from aigc_demo.inference.captured_steps import CapturedSteps
from aigc_demo.inference.steps import BatchedSteps
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Cache, Transformer


class GPT2Steps:
    """New tokens of several texts through the model. They take turns, so none depends on another.

    A cache takes 75 MB of a GPT-2 of 124 M parameters: it is made when a text begins, and goes when
    the text is forgotten.
    """

    def __init__(self, model: GPT2, device: torch.device) -> None:
        self.model, self.device, self.context = model, device, model.config.context
        self.caches: dict[int, Cache] = {}  # by slot

    def read(self, pieces: list[Piece]) -> list[Tensor]:
        """The logits after the last token of each piece, (1, V) each."""
        return [self._read(*piece) for piece in pieces]

    def forget(self, slot: int) -> None:
        """The text of a slot is done."""
        self.caches.pop(slot, None)

    def _read(self, slot: int, start: int, tokens: list[int]) -> Tensor:
        if start == 0:
            self.caches[slot] = Cache(self.model.config, 1, self.device)
        ids = torch.tensor([tokens], device=self.device)
        return self.model.read_out(self.model.stream(ids, self.caches[slot])[:, -1])


def steps_for(
    model: Transformer | GPT2, device: torch.device, slots: int
) -> BatchedSteps | GPT2Steps:
    """What reads the next tokens of up to `slots` texts with a model, on a device."""
    if isinstance(model, GPT2):
        return GPT2Steps(model, device)
    if device.type == "cuda":
        return CapturedSteps(model, device, slots)
    return BatchedSteps(model, device, slots)
