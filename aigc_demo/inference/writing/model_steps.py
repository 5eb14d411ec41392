"""Decoding steps by the model itself, text after text: for devices and models without others."""

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Cache, Transformer


class ModelSteps:
    """A cache is made when a text begins and goes when it ends: a GPT-2's of 124 M takes 75 MB."""

    def __init__(self, model: Transformer | GPT2, device: torch.device, slots: int) -> None:
        self.model, self.device = model, device
        self.context, self.slots = model.config.context, slots
        self.lengths = np.zeros(slots, np.int32)
        self.caches: dict[int, Cache] = {}  # by slot

    def prefill(self, slot: int, tokens: list[int]) -> None:
        """Reads the beginning of a text into a slot."""
        self.caches[slot] = Cache(self.model.config, 1, self.device)
        self.lengths[slot] = len(tokens)
        if tokens:
            self._read(slot, tokens)

    def decode(self, tokens: list[int]) -> NDArray[np.float32]:
        """One more token of the texts in the first B slots -> the logits after each, (B, V)."""
        self.lengths[: len(tokens)] += 1
        return np.stack([self._read(slot, [token]) for slot, token in enumerate(tokens)])

    def move(self, source: int, target: int) -> None:
        """The text of a slot goes on in another one."""
        self.caches[target], self.lengths[target] = self.caches[source], self.lengths[source]

    def forget(self, slot: int) -> None:
        """Nothing is in the slot any more."""
        self.caches.pop(slot, None)
        self.lengths[slot] = 0

    def _read(self, slot: int, tokens: list[int]) -> NDArray[np.float32]:
        ids = torch.tensor([tokens], device=self.device)
        return self.model(ids, self.caches[slot])[0, -1].float().cpu().numpy()
