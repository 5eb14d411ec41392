"""The Transformer's forward pass for the next tokens of several texts, on a CUDA device.

There, to launch some two hundred small operations takes several times as long as they do. So they
are recorded once, as a CUDA graph, and replayed at every step. A graph has constant shapes: as many
rows as there can be, each over its whole cache, whoever is writing. So a row is computed alike
whatever else is in the step. Attention multiplies in the type of the caches, bfloat16.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from aigc_demo.inference.attention import Piece
from aigc_demo.inference.steps import ROWS, BatchedSteps, attention_reads, goes_on
from aigc_demo.models.transformer import Transformer, capped

# Of cuDNN's, which PyTorch would choose, a row had other bits under load than alone.
REPEATABLE = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
WARM = 3  # times that PyTorch wants the operations to run before they are recorded


class CapturedSteps(BatchedSteps):
    """New tokens of up to `slots` texts, two rows each: one loop's work at a time."""

    @torch.no_grad()
    def __init__(self, model: Transformer, device: torch.device, slots: int) -> None:
        super().__init__(model, device, slots + 1)  # the last is for rows that nobody needs
        self.nobody = (0, slots, 0)
        rows = -(-2 * slots // ROWS) * ROWS
        self.asked = torch.tensor([self.nobody] * rows, device=device)  # id, slot, place of each
        self.graph = torch.cuda.CUDAGraph() if device.type == "cuda" else None
        if self.graph is not None:
            aside = torch.cuda.Stream(device)
            aside.wait_stream(torch.cuda.current_stream(device))
            with sdpa_kernel(REPEATABLE), torch.cuda.stream(aside):
                for _ in range(WARM):
                    self._step()
                aside.synchronize()
                mode = "thread_local"  # others may compute meanwhile
                with torch.cuda.graph(self.graph, stream=aside, capture_error_mode=mode):
                    self.logits = self._step()
            torch.cuda.current_stream(device).wait_stream(aside)

    def read(self, pieces: list[Piece]) -> list[Tensor]:
        """As BatchedSteps: the beginnings one by one, all others in one step."""
        going = [piece for piece in pieces if piece[1]]
        rows = [
            (token, slot, start + i)
            for slot, start, tokens in going
            for i, token in enumerate(tokens)
        ]
        read: list[Tensor] = []
        if rows:
            filling = [self.nobody] * (len(self.asked) - len(rows))
            self.asked.copy_(torch.tensor(rows + filling))
            if self.graph is not None:
                self.graph.replay()
            else:
                self.logits = self._step()
            read += self.logits[: len(rows)].cpu().split([len(tokens) for *_, tokens in going])
        others = iter(read)
        return [
            next(others) if piece[1] else BatchedSteps.read(self, [piece])[0] for piece in pieces
        ]

    def _step(self) -> Tensor:
        """The logits of all rows, (R, V)."""
        ids, owner, place = self.asked.unbind(1)
        x = self.embedding[ids].float()
        turning = self.turning_at(place)
        before = owner * self.spread + place
        kind = self.layers[0].cache.dtype
        mask = self.after[place][:, None, None].to(kind)  # (R, 1, 1, context)
        for layer in self.layers:
            q = attention_reads(x, turning, layer, owner, place, before)[:, 0].unsqueeze(2).to(kind)
            keys, values = layer.cache.index_select(0, owner).unbind(1)  # (R, H, context, C/H)
            scale = math.sqrt(q.shape[3])  # queries and keys have length 1 here
            mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask, scale=scale)
            x = goes_on(x, mixed.flatten(1), layer, before)
        return capped(self.head(self.norm(x)), self.cap)
