"""What a loop asks of the model, and who answers on which device."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.inference.writing.model_steps import ModelSteps
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Transformer

SLOTS = 32  # texts that are written at once; others wait
GPT2_SLOTS = 4  # of a GPT-2, whose texts hold tens of megabytes each


class Steps(Protocol):
    """Prefill and decoding steps, with a KV cache a slot. Texts fill the first slots."""

    context: int  # the most tokens that a cache holds
    slots: int
    lengths: NDArray[np.int32]  # tokens in each slot's cache

    def prefill(self, slot: int, tokens: list[int]) -> None:
        """Reads the beginning of a text into a slot; there may be nothing to read."""

    def decode(self, tokens: list[int]) -> NDArray[np.float32]:
        """One more token of the texts in the first B slots -> the logits after each, (B, V)."""

    def move(self, source: int, target: int) -> None:
        """The text of a slot goes on in another one."""

    def forget(self, slot: int) -> None:
        """Nothing is in the slot any more."""


def steps_for(model: Transformer | GPT2, device: torch.device, slots: int | None = None) -> Steps:
    """What reads the next tokens of up to `slots` texts with a model, on a device."""
    slots = slots or (GPT2_SLOTS if isinstance(model, GPT2) else SLOTS)
    if device.type == "cpu":
        from aigc_demo.inference.writing.onnx_steps import OnnxSteps  # 0.1 s, only where it is used

        return OnnxSteps(model, slots)
    if device.type == "cuda" and isinstance(model, Transformer):
        from aigc_demo.inference.writing.captured_steps import CapturedSteps

        return CapturedSteps(model, device, slots)
    return ModelSteps(model, device, slots)
