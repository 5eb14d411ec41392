"""Decoding steps on a CUDA device: our Transformer's, recorded once as a CUDA graph and replayed.

To launch some two hundred small operations takes several times as long as they do. A graph has
constant shapes: as many rows as there are slots, each over its whole cache, whoever is writing. So
a row is computed alike whatever else is in the step. Products and attention are in bfloat16, with
caches kept in it; the residual stream and the logits are in single precision.

A norm's gain and the square root of C are multiplied into the matrix that reads it, and queries and
keys have the two channels of a rotary pair side by side, as one complex number, which one
multiplication turns.
"""

import math
from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from aigc_demo.devices import multiplies_bfloat16
from aigc_demo.models.transformer import Block, Transformer, angles, capped

# Of cuDNN's, which PyTorch would choose, a row had other bits under load than alone.
REPEATABLE = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
WARM = 3  # times that PyTorch wants the operations to run before they are recorded


class Layer(NamedTuple):
    """One block's matrices, with the caches of every slot: keys and values, and token shift."""

    qkv: Tensor
    out: Tensor
    widen: Tensor
    narrow: Tensor
    cache: Tensor  # (slots, 2, H, context, C/H), keys and values
    # Token shift of what attention and feed-forward read, (slots, context + 1, shifted): at p + 1
    # the first channels of the token at position p, at 0 zeros.
    attention_earlier: Tensor
    feed_forward_earlier: Tensor


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x W^T. (R, I), (O, I) -> (R, O) in the weight's type."""
    return F.linear(x.to(weight.dtype), weight)


def unit(x: Tensor) -> Tensor:
    """Scaled to length 1 over the last dimension: RMSNorm but for a factor."""
    return x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-30)


def turn_pairs(x: Tensor, turning: Tensor) -> Tensor:
    """Rotary positions. x: (R, N, H, C/H), a pair's channels side by side; turning:
    (R, N, H, C/H/2), complex -> like x.
    """
    pairs = torch.view_as_complex(x.unflatten(-1, [-1, 2]))
    return torch.view_as_real(pairs * turning).flatten(-2)


def shift(x: Tensor, earlier: Tensor, slot: Tensor, place: Tensor) -> Tensor:
    """As in models/transformer.py. x: (R, C); slot, place: (R,), of each row."""
    if earlier.shape[2] == 0:
        return x
    earlier[slot, place + 1] = x[:, : earlier.shape[2]].to(earlier.dtype)
    return torch.cat([earlier[slot, place].to(x.dtype), x[:, earlier.shape[2] :]], 1)


class CapturedSteps:
    """The next tokens of up to `slots` texts through the model. Texts fill the first slots."""

    @torch.no_grad()
    def __init__(self, model: Transformer, device: torch.device, slots: int) -> None:
        config = model.config
        self.context, self.slots, self.cap = config.context, slots, config.logit_cap
        self.lengths = np.zeros(slots, np.int32)
        self.embedding, self.norm, self.head = model.embedding, model.norm, model.head
        self.kind = torch.bfloat16 if multiplies_bfloat16(device) else torch.float32
        size, shifted = config.width // config.heads, int(config.width * config.token_shift)

        def empty(*shape: int) -> Tensor:
            """A cache of zeros, (slots + 1, *shape); the last slot takes the rows of no text."""
            return torch.zeros(slots + 1, *shape, dtype=self.kind, device=device)

        self.layers = [
            Layer(
                *matrices(cast(Block, block), self.kind),
                empty(2, config.heads, config.context, size),
                empty(config.context + 1, shifted),
                empty(config.context + 1, shifted),
            )
            for block in model.blocks
        ]
        self.after = torch.full((config.context, config.context), -torch.inf, device=device).triu(1)
        place = torch.arange(config.context, device=device) * (1 - config.unordered)
        self.turning = torch.complex(*angles(place, size // 2))
        self.asked = torch.zeros(slots, 3, dtype=torch.long, device=device)  # id, slot, position
        self.asked[:, 1] = slots
        self.graph = torch.cuda.CUDAGraph() if device.type == "cuda" else None
        if self.graph is not None:
            aside = torch.cuda.Stream(device)
            aside.wait_stream(torch.cuda.current_stream(device))
            with sdpa_kernel(REPEATABLE), torch.cuda.stream(aside):
                for _ in range(WARM):
                    self._read(self.asked)
                aside.synchronize()
                mode = "thread_local"  # others may compute meanwhile
                with torch.cuda.graph(self.graph, stream=aside, capture_error_mode=mode):
                    self.logits = self._read(self.asked)
            torch.cuda.current_stream(device).wait_stream(aside)

    def prefill(self, slot: int, tokens: list[int]) -> None:
        """Reads the beginning of a text into a slot."""
        self.lengths[slot] = len(tokens)
        if tokens:
            rows = [(token, slot, place) for place, token in enumerate(tokens)]
            with sdpa_kernel(REPEATABLE):
                self._read(torch.tensor(rows, device=self.asked.device))

    def decode(self, tokens: list[int]) -> NDArray[np.float32]:
        """One more token of the texts in the first B slots -> the logits after each, (B, V)."""
        count = len(tokens)
        places = self.lengths.tolist()
        rows = [(token, slot, places[slot]) for slot, token in enumerate(tokens)]
        self.asked.copy_(torch.tensor(rows + [(0, self.slots, 0)] * (self.slots - count)))
        self.lengths[:count] += 1
        if self.graph is not None:
            self.graph.replay()
        else:
            self.logits = self._read(self.asked)
        return self.logits[:count].cpu().numpy()

    def move(self, source: int, target: int) -> None:
        """The text of a slot goes on in another one."""
        self.lengths[target] = self.lengths[source]
        for layer in self.layers:
            for kept in (layer.cache, layer.attention_earlier, layer.feed_forward_earlier):
                kept[target] = kept[source]

    def forget(self, slot: int) -> None:
        """Nothing is in the slot any more: the next text there writes over what it left."""
        self.lengths[slot] = 0

    def _read(self, asked: Tensor) -> Tensor:
        """Rows of id, slot and position, (R, 3) -> the logits of all, (R, V)."""
        ids, slot, place = asked.unbind(1)
        x = self.embedding.weight[ids].float()
        heads = self.layers[0].cache.shape[2]
        turning = self.turning[place][:, None, None].expand(-1, 2, heads, -1)
        mask = self.after[place][:, None, None].to(self.kind)  # (R, 1, 1, context)
        for layer in self.layers:
            seen = shift(unit(x), layer.attention_earlier, slot, place)
            qkv = product(seen, layer.qkv).view(len(x), 3, heads, -1)
            qk = turn_pairs(unit(qkv[:, :2].float()), turning)
            layer.cache[slot, 0, :, place] = qk[:, 1].to(self.kind)
            layer.cache[slot, 1, :, place] = qkv[:, 2]
            keys, values = layer.cache.index_select(0, slot).unbind(1)  # (R, H, context, C/H)
            q = qk[:, 0].unsqueeze(2).to(self.kind)
            scale = math.sqrt(q.shape[3])  # queries and keys have length 1 here
            mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=scale)
            x = x + product(mixed.flatten(1), layer.out)
            seen = shift(unit(x), layer.feed_forward_earlier, slot, place)
            x = x + product(product(seen, layer.widen).relu().square(), layer.narrow)
        return capped(self.head(self.norm(x)), self.cap)


def matrices(block: Block, kind: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A block's matrices in a number format, those of the norms multiplied in."""
    attention, feed_forward = block.attention, block.feed_forward

    def reading(matrix: Tensor, norm: Tensor) -> Tensor:
        return matrix * norm * math.sqrt(len(norm))

    rows = reading(attention.qkv.weight, block.attention_norm.weight)
    qk, v = rows.tensor_split([2 * len(rows) // 3])
    pairs = qk.view(2 * attention.heads, 2, -1, rows.shape[1]).transpose(1, 2)
    qkv = torch.cat([pairs.reshape(qk.shape), v])
    widen = reading(feed_forward.widen.weight, block.feed_forward_norm.weight)
    out, narrow = attention.out.weight, feed_forward.narrow.weight
    return qkv.to(kind), out.to(kind), widen.to(kind), narrow.to(kind)
