"""The interface between a loop and the model, and its implementation for a device."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_demo.inference.cores import cores
from aigc_demo.inference.writing.model_steps import ModelSteps
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Transformer

SLOTS = 64  # texts that are written at once; others wait
MOST_CORES = 8  # that write
HEAD_SIZES = 16  # whose multiples ONNX Runtime attends with
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


def steps_for(model: Transformer | GPT2, device: torch.device) -> list[Steps]:
    """The steps of a model on a device: one object for each loop.

    On a CPU a small model has a loop a core: its products are so short that cores would lose more
    by waiting for each other than they gain. A GPT-2 has one loop whose products all cores share:
    what takes long is to read its weights, once a step for all texts.
    """
    if device.type == "cpu" and model.config.width // model.config.heads % HEAD_SIZES == 0:
        from aigc_demo.inference.writing.onnx_steps import Compiled, OnnxSteps  # loads in 0.1 s

        count = min(cores(), MOST_CORES)
        if isinstance(model, GPT2):
            return [OnnxSteps(Compiled(model, count), GPT2_SLOTS)]
        compiled = Compiled(model)
        return [OnnxSteps(compiled, len(range(i, SLOTS, count))) for i in range(count)]
    if device.type == "cuda" and isinstance(model, Transformer):
        from aigc_demo.inference.writing.captured_steps import CapturedSteps

        return [CapturedSteps(model, device, SLOTS)]
    return [ModelSteps(model, device, GPT2_SLOTS if isinstance(model, GPT2) else SLOTS)]
