"""A Transformer at one glance: what each layer adds to the residual stream at one token."""

from dataclasses import dataclass

import torch

from aigc_demo.explain.transformer import Trace
from aigc_demo.inference.transformer import TextWriter


@dataclass(frozen=True)
class LayerShare:
    """The work of one layer at one token. Sizes are root mean squares over the C channels."""

    before: float  # the size of the stream before the layer
    attended: float  # the size of what attention adds to the stream
    fed: float  # the size of what feed-forward adds
    after: float  # the size of the stream after the layer
    neurons: list[tuple[int, float]]  # the strongest hidden neurons of feed-forward, with values


@torch.inference_mode()
def layer_shares(writer: TextWriter, found: Trace, position: int, neurons: int) -> list[LayerShare]:
    """The share of each layer at a position of a traced text, with so many of its neurons."""
    shares = []
    for layer, block in enumerate(writer.model.blocks):
        before, after = found.stream[layer, position], found.stream[layer + 1, position]
        fired = found.fired[layer, position]
        fed = block.feed_forward.narrow(fired.to(writer.loaded.device)).cpu()
        strongest = fired.abs().topk(min(neurons, len(fired))).indices
        shares.append(
            LayerShare(
                before=_size(before),
                attended=_size(after - before - fed),
                fed=_size(fed),
                after=_size(after),
                neurons=list(zip(strongest.tolist(), fired[strongest].tolist(), strict=True)),
            )
        )
    return shares


def _size(vector: torch.Tensor) -> float:
    return vector.square().mean().sqrt().item()
