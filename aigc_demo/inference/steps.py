"""The Transformer's forward pass for the next tokens of several texts, with preallocated caches.

The same mathematics as models/transformer.py, laid out for speed: every product is one for all
texts, in bfloat16 where the hardware multiplies it fast; the residual stream, attention and the
output stay in single precision.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.models.transformer import Block, Transformer, angles, turn
from aigc_demo.weights import multiplies_bfloat16

EPSILON = torch.finfo(torch.float32).eps  # nn.RMSNorm's
ROWS = 4  # products are filled up to a multiple of so many rows: then each is computed alike

Piece = tuple[int, int, list[int]]  # slot, tokens already in its cache, those to read now


class Product:
    """x W^T with one matrix (O, I), laid out once for the machine. (R, I) -> (R, O), as float32."""

    def __init__(self, weight: Tensor) -> None:
        fast = multiplies_bfloat16(weight.device)
        self.weight = weight.detach().to(torch.bfloat16 if fast else torch.float32).contiguous()
        self.packed = fast and weight.device.type == "cpu"
        if self.packed:  # oneDNN's own layout: twice as fast as reading rows
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, ROWS)

    def __call__(self, x: Tensor) -> Tensor:
        x = x.to(self.weight.dtype)
        if not self.packed:
            return F.linear(x, self.weight).float()
        return torch.ops.mkldnn._linear_pointwise(x, self.weight, None, "none", [], "").float()

    def rows_are_alone(self, inputs: int) -> bool:
        """Whether a row of the result comes out alike among few and many."""
        x = torch.linspace(-1, 1, 32 * inputs, device=self.weight.device).view(32, -1)
        whole = self(x)
        return all(torch.equal(self(x[:count]), whole[:count]) for count in (4, 8, 20))


class Layer(NamedTuple):
    """The weights of one block."""

    attention_norm: Tensor
    qkv: Product
    out: Product
    feed_forward_norm: Tensor
    widen: Product
    narrow: Product


def unit(x: Tensor) -> Tensor:
    """RMSNorm over the last dimension, without weights, in fewer steps than torch takes."""
    return x * x.square().mean(-1, keepdim=True).add_(EPSILON).rsqrt_()


class BatchedSteps:
    """New tokens of up to `slots` texts through the model, each text with its own cache."""

    def __init__(self, model: Transformer, device: torch.device, slots: int) -> None:
        config = model.config
        self.model, self.device, self.context = model, device, config.context
        self.shifted = int(config.width * config.token_shift)
        self.layers = [
            Layer(
                block.attention_norm.weight.detach(),
                Product(block.attention.qkv.weight),
                Product(block.attention.out.weight),
                block.feed_forward_norm.weight.detach(),
                Product(block.feed_forward.widen.weight),
                Product(block.feed_forward.narrow.weight),
            )
            for block in cast(list[Block], list(model.blocks))
        ]
        size = config.width // config.heads
        shape = (config.layers, slots, config.heads, config.context, size)
        # What is not yet written takes no memory, and nobody reads it.
        self.keys = torch.empty(shape, device=device)
        self.values = torch.empty(shape, device=device)
        # What attention and feed-forward of each layer read of the last token.
        self.last = torch.zeros(2 * config.layers, slots, self.shifted, device=device)
        self.cosine, self.sine = angles(torch.arange(config.context, device=device), size // 2)
        width = config.width
        first = self.layers[0]
        sizes = {first.qkv: width, first.out: width, first.widen: width, first.narrow: 4 * width}
        self.together = all(product.rows_are_alone(size) for product, size in sizes.items())

    def read(self, pieces: list[Piece]) -> Tensor:
        """The logits after the last token of each piece. N pieces -> (N, V).

        A piece of several tokens begins its text: its cache is empty.
        """
        if self.together or len(pieces) == 1:
            return self._read(pieces)
        return torch.cat([self._read([piece]) for piece in pieces])

    def _read(self, pieces: list[Piece]) -> Tensor:
        count = sum(len(tokens) for _, _, tokens in pieces)
        filling = [0] * (-count % ROWS)
        tokens = torch.tensor([t for _, _, piece in pieces for t in piece] + filling)
        place = [start + i for _, start, piece in pieces for i in range(len(piece))]
        position = torch.tensor(place + filling, device=self.device)
        owner = torch.tensor([slot for slot, _, piece in pieces for _ in piece])
        slots = torch.tensor([slot for slot, _, _ in pieces])
        sizes = torch.tensor([len(piece) for _, _, piece in pieces])
        ends = sizes.cumsum(0) - 1
        begins = ends - sizes + 1
        fresh = [slot for slot, start, _ in pieces if start == 0]
        self.last[:, fresh] = 0
        cosine, sine = self.cosine[position][:, None], self.sine[position][:, None]

        single = count == len(pieces)  # one new token a text, as nearly always

        def shift(x: Tensor, place: int) -> Tensor:
            """As in models/transformer.py: the first channels are those of the token before."""
            if self.shifted == 0:
                return x
            own = x[:, : self.shifted]
            earlier = torch.empty_like(own) if single else own.roll(1, 0)
            earlier[begins] = self.last[place, slots]
            self.last[place, slots] = own[ends]
            return torch.cat([earlier, x[:, self.shifted :]], 1)

        x = self.model.embedding.weight.detach()[tokens.to(self.device)]  # (R, C)
        heads = (self.keys.shape[2], self.keys.shape[4])
        for number, layer in enumerate(self.layers):
            seen = shift(unit(x) * layer.attention_norm, 2 * number)
            qkv = layer.qkv(seen).unflatten(1, (3, *heads))
            both = turn(unit(qkv[:, :2]), cosine[:, None], sine[:, None])
            keys, values = self.keys[number], self.values[number]
            keys[owner, :, position[:count]] = both[:count, 1]
            values[owner, :, position[:count]] = qkv[:count, 2]
            mixed = torch.zeros_like(qkv[:, 0])  # (R, H, C/H)
            at = 0
            for slot, start, piece in pieces:
                end, known = at + len(piece), start + len(piece)
                mixed[at:end] = F.scaled_dot_product_attention(
                    both[at:end, 0].transpose(0, 1)[None],
                    keys[slot, :, :known][None],
                    values[slot, :, :known][None],
                    is_causal=len(piece) > 1,
                )[0].transpose(0, 1)
                at = end
            x = x + layer.out(mixed.flatten(1))
            seen = shift(unit(x) * layer.feed_forward_norm, 2 * number + 1)
            fired = F.relu(layer.widen(seen)).square()
            x = x + layer.narrow(fired)
        last = F.pad(x[ends], (0, 0, 0, -len(pieces) % ROWS))
        return self.model.read_out(last)[: len(pieces)]
