"""The Transformer's forward pass for the next tokens of several texts, with preallocated caches.

The same mathematics as models/transformer.py, laid out for speed. With one new token a text, the
many small operations cost more than the products, so there are as few of them as can be:
a norm's weights and its square root of C are multiplied into the matrix that reads it, and queries
and keys have the two channels of a rotary pair side by side, as one complex number, which one
multiplication turns. Every product is one for all texts, in bfloat16 where the hardware multiplies
it fast, and caches are kept in it; the residual stream, attention (but on CUDA, see
captured_steps.py) and the output are computed in single precision.
"""

import math
import mmap
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.inference.attention import Piece, Run, attend, runs_of, seen_by
from aigc_demo.inference.cores import scripted
from aigc_demo.models.transformer import Block, Transformer, angles, capped
from aigc_demo.weights import multiplies_bfloat16

ROWS = 4  # products are filled up to a multiple of so many rows: then each is computed alike


class Layer(NamedTuple):
    """One block: its matrices, laid out for the machine, and what it has seen of every text."""

    qkv: Tensor
    out: Tensor
    widen: Tensor
    narrow: Tensor
    cache: Tensor  # (slots, 2, H, context, C/H), keys and values
    # The channels that the next token will see, of what attention and feed-forward read, of all
    # slots from this layer's first on, (.., shifted); that of place p is at p + 1, at 0 is nothing.
    attention_earlier: Tensor
    feed_forward_earlier: Tensor


def laid_out(weight: Tensor) -> Tensor:
    """A matrix (O, I) in the type and order in which this machine multiplies it fast."""
    if not multiplies_bfloat16(weight.device):
        return weight.contiguous()
    weight = weight.to(torch.bfloat16).contiguous()
    if weight.device.type == "cpu":  # oneDNN's own layout: twice as fast as reading rows
        weight = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    return weight


def as_stored(weight: Tensor) -> Tensor:
    """In bfloat16, half as large, if that loses nothing: as the bundled weights are stored."""
    half = weight.to(torch.bfloat16)
    return half if torch.equal(half.float(), weight) else weight


def product(x: Tensor, weight: Tensor, kind: str = "none") -> Tensor:
    """x W^T, with kind "relu" cut off at 0. (R, I), (O, I) -> (R, O) in the weight's type."""
    x = x.to(weight.dtype)
    if weight.is_mkldnn:
        return torch.ops.mkldnn._linear_pointwise(x, weight, None, kind, [], "")
    y = F.linear(x, weight)
    return y.relu() if kind == "relu" else y


def rows_are_alone(weight: Tensor, inputs: int) -> bool:
    """Whether a row of the product comes out alike among few and many."""
    x = torch.linspace(-1, 1, 32 * inputs, device=weight.device).view(32, -1)
    whole = product(x, weight)
    return all(torch.equal(product(x[:count], weight), whole[:count]) for count in (4, 8, 20))


def unit(x: Tensor) -> Tensor:
    """Scaled to length 1 over the last dimension: RMSNorm but for a factor."""
    return x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-30)


def turn_pairs(x: Tensor, turning: Tensor) -> Tensor:
    """Rotary positions. x: (R, N, H, C/H), a pair's channels side by side; turning:
    (R, N, H, C/H/2), complex -> like x.
    """
    pairs = torch.view_as_complex(x.unflatten(-1, [-1, 2]))
    return torch.view_as_real(pairs * turning).flatten(-2)


def shift(x: Tensor, earlier: Tensor, before: Tensor) -> Tensor:
    """As in models/transformer.py: the first channels are those of the token before.

    before: (R,), where those of each row's last token are; the row's own are kept at the next.
    """
    rows, channels = len(before), earlier.shape[1]
    if channels > 0:
        earlier.index_copy_(0, before + 1, x[:rows, :channels])
        x[:rows, :channels] = earlier.index_select(0, before)
    return x


def attention_reads(
    x: Tensor, turning: Tensor, layer: Layer, owner: Tensor, place: Tensor, before: Tensor
) -> Tensor:
    """Queries and keys of a layer, (R + filling, 2, H, C/H); keys and values go into its cache."""
    normed = shift(unit(x).to(layer.cache.dtype), layer.attention_earlier, before)
    qkv = product(normed, layer.qkv).view(len(x), 3, layer.cache.shape[2], -1)
    qk = turn_pairs(unit(qkv[:, :2].float()), turning)
    qkv[:, 1] = qk[:, 1]
    layer.cache[owner, :, :, place] = qkv[: len(owner), 1:]
    return qk


def goes_on(x: Tensor, mixed: Tensor, layer: Layer, before: Tensor) -> Tensor:
    """The residual stream after a layer's attention, (R + filling, C) like x, and feed-forward."""
    x = x + product(mixed, layer.out)
    normed = shift(unit(x).to(layer.cache.dtype), layer.feed_forward_earlier, before)
    wide = product(normed, layer.widen, "relu")
    return x + product(wide.mul_(wide), layer.narrow)


def through(
    x: Tensor,
    turning: Tensor,
    layers: list[Layer],
    owner: Tensor,
    place: Tensor,
    before: Tensor,
    runs: list[Run],
    after: Tensor,
) -> Tensor:
    """The residual stream through all layers, and into the caches.

    x: (R + filling, C), embeddings; turning: of their places, as for `turn_pairs`; owner, place:
    (R,), slot and position of each row; before: as for `shift`; after: as for `seen_by` -> like x.
    """
    rows, cache = len(owner), layers[0].cache
    room = torch.empty_like(cache[0], dtype=x.dtype)
    seen = [seen_by(run, room, after) for run in runs]
    lengths = [run.length for run in runs] + [len(x) - rows]
    for layer in layers:
        qk = attention_reads(x, turning, layer, owner, place, before)
        q = list(qk[:, 0].unsqueeze(2).split(lengths))
        for index, run in enumerate(runs):
            q[index] = attend(q[index], layer.cache, run, seen[index])
        x = goes_on(x, torch.cat(q).flatten(1), layer, before)
    return x


def blank(*shape: int, kind: torch.dtype) -> Tensor:
    """Noughts that take no memory before they are written, page by page, unlike those of torch."""
    size = math.prod(shape)
    pages = mmap.mmap(-1, (size + 1) * kind.itemsize, access=mmap.ACCESS_COPY)
    return torch.frombuffer(pages, dtype=kind)[:size].view(shape)


class BatchedSteps:
    """New tokens of up to `slots` texts through the model, each text with its own cache.

    Threads may read at the same time, each for slots of its own.
    """

    @torch.no_grad()
    def __init__(self, model: Transformer, device: torch.device, slots: int) -> None:
        config = model.config
        self.device, self.context = device, config.context
        self.embedding = as_stored(model.embedding.weight)
        self.norm, self.head = model.norm, model.head
        self.cap = config.logit_cap
        size, shifted = config.width // config.heads, int(config.width * config.token_shift)
        laid = [matrices(cast(Block, block)) for block in model.blocks]
        kind = laid[0][0].dtype  # halves the caches where that loses next to nothing
        # What belongs to a slot lies together, so that few texts touch little memory.
        caches = blank(slots, config.layers, 2, config.heads, config.context, size, kind=kind)
        places = config.context + 1
        self.spread = 2 * config.layers * places  # from slot to slot, of what `shift` keeps
        earlier = blank(slots * self.spread, shifted, kind=kind).to(device)
        layers = zip(laid, caches.to(device).unbind(1), strict=True)
        self.layers = [
            Layer(*four, cache, earlier[2 * i * places :], earlier[(2 * i + 1) * places :])
            for i, (four, cache) in enumerate(layers)
        ]
        self.after = torch.full((config.context, config.context), -torch.inf, device=device).triu(1)
        self.turning = torch.complex(
            *angles(torch.arange(config.context, device=device), size // 2)
        )
        width, first = config.width, self.layers[0]
        sizes = {first.qkv: width, first.out: width, first.widen: width, first.narrow: 4 * width}
        self.together = all(rows_are_alone(matrix, size) for matrix, size in sizes.items())
        self.through = scripted(through) if device.type == "cpu" else through

    def read(self, pieces: list[Piece]) -> list[Tensor]:
        """The logits after the tokens of each piece.

        A piece that begins a text (nothing in its cache) gives (1, V), after its last token; any
        other gives (T, V), after each of its T tokens.
        """
        if not self.together and len(pieces) > 1:
            return [rows for piece in pieces for rows in self.read([piece])]
        tokens = [token for _, _, tokens in pieces for token in tokens]
        owner = torch.tensor(
            [slot for slot, _, tokens in pieces for _ in tokens], device=self.device
        )
        places = [start + i for _, start, tokens in pieces for i in range(len(tokens))]
        filling = [0] * (-len(tokens) % ROWS)
        position = torch.tensor(places + filling, device=self.device)
        place = position[: len(tokens)]
        ids = torch.tensor(tokens + filling, device=self.device)
        x = self.through(
            self.embedding[ids].float(),
            self.turning_at(position),
            self.layers,
            owner,
            place,
            owner * self.spread + place,
            runs_of(pieces, self.context),
            self.after,
        )
        asked: list[int] = []
        counts, row = [], 0
        for _, start, piece in pieces:
            row += len(piece)
            counts.append(len(piece) if start else 1)
            asked += range(row - counts[-1], row)
        filling = [0] * (-len(asked) % ROWS)
        logits = capped(self.head(self.norm(x[asked + filling])), self.cap)
        return list(logits[: len(asked)].split(counts))

    def turning_at(self, place: Tensor) -> Tensor:
        """Of queries and keys of all heads, as for `turn_pairs`. (R,) -> (R, 2, H, C/H/2)."""
        heads = self.layers[0].cache.shape[2]
        return self.turning[place][:, None, None].expand(-1, 2, heads, -1).contiguous()

    def forget(self, slot: int) -> None:
        """The text of a slot is done: the next one there writes over what it left."""


def matrices(block: Block) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A block's matrices, those of the norms multiplied in, laid out."""
    attention, feed_forward = block.attention, block.feed_forward

    def reading(matrix: Tensor, norm: Tensor) -> Tensor:
        return matrix * norm * math.sqrt(len(norm))

    rows = reading(attention.qkv.weight, block.attention_norm.weight)
    qk, v = rows.tensor_split([2 * len(rows) // 3])
    pairs = qk.view(2 * attention.heads, 2, -1, rows.shape[1]).transpose(1, 2)
    qkv = torch.cat([pairs.reshape(qk.shape), v])
    widen = reading(feed_forward.widen.weight, block.feed_forward_norm.weight)
    out, narrow = attention.out.weight, feed_forward.narrow.weight
    return laid_out(qkv), laid_out(out), laid_out(widen), laid_out(narrow)
