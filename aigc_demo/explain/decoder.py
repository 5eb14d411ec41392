"""A VAE's decoder as plain numbers, for a reader without PyTorch: the page decodes with them."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aigc_demo.inference.vae import LatentWalker


@dataclass(frozen=True)
class Layers:
    """Linear layers, a SiLU after each but the last, a sigmoid at the end."""

    sizes: list[int]  # D, the widths between, 28 * 28
    bits: int  # 16 or 32, of each number
    data: bytes  # little-endian floats; of each layer the weights, (outputs, inputs), then the bias


def decoder_layers(walker: LatentWalker) -> Layers:
    """The decoder, exactly: in half precision where that loses nothing, else in single.

    Raises:
        ValueError: the decoder does more than linear layers and SiLU.
    """
    *dense, _ = walker.decoder.layers  # the last one only gives the pixels their places
    linear, between = dense[::2], dense[1::2]
    if not all(isinstance(layer, nn.Linear) for layer in linear) or not all(
        isinstance(layer, nn.SiLU) for layer in between
    ):
        kinds = sorted({type(layer).__name__ for layer in dense})
        raise ValueError(f"expected Linear layers with SiLU between, got {', '.join(kinds)}")
    tensors = [value.detach().cpu() for layer in linear for value in (layer.weight, layer.bias)]
    numbers = torch.cat([tensor.flatten() for tensor in tensors])
    exact = bool((numbers.half().float() == numbers).all())
    return Layers(
        sizes=[linear[0].in_features, *(layer.out_features for layer in linear)],
        bits=16 if exact else 32,
        data=_little_endian(numbers.half() if exact else numbers),
    )


def _little_endian(numbers: Tensor) -> bytes:
    array = numbers.numpy()
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
