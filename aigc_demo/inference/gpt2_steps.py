"""GPT-2's forward pass for the next tokens of several texts, each with its own cache.

The model itself, text after text: what inference/steps.py does for our own architecture at once.
"""

from typing import Any

import torch
from torch import Tensor

from aigc_demo.inference.steps import BatchedSteps, Piece
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Cache, Transformer


class GPT2Steps:
    """New tokens of several texts through the model. Every call names all that are being written.

    A cache takes 75 MB of a GPT-2 of 124 M parameters: it is made when a text begins, and goes once
    its text is not named any more.
    """

    together = False  # texts take turns: what one reads never depends on the others

    def __init__(self, model: GPT2, device: torch.device) -> None:
        self.model, self.device, self.context = model, device, model.config.context
        self.caches: dict[int, Cache] = {}  # by slot

    def read(self, pieces: list[Piece]) -> Tensor:
        """The logits after the last token of each piece. N pieces -> (N, V)."""
        self.caches = {
            slot: self.caches[slot] if start else Cache(self.model.config, 1, self.device)
            for slot, start, _ in pieces
        }
        return torch.cat([self._read(self.caches[slot], tokens) for slot, _, tokens in pieces])

    def _read(self, cache: Cache, tokens: list[int]) -> Tensor:
        stream = self.model.stream(torch.tensor([tokens], device=self.device), cache)
        return self.model.read_out(stream[:, -1])


def steps_for(model: Transformer | GPT2, device: torch.device, slots: int) -> Any:
    """What reads the next tokens of up to `slots` texts: BatchedSteps, or GPT2Steps for a GPT-2."""
    if isinstance(model, GPT2):
        return GPT2Steps(model, device)
    return BatchedSteps(model, device, slots)
