"""Attention of the next tokens of several texts, each to its own cache."""

import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

STRETCH = 32  # attention looks over a multiple of so many places

Piece = tuple[int, int, list[int]]  # slot, tokens already in its cache, those to read now


class Run(NamedTuple):
    """Some next rows, of one text, that look back over the same stretch of its cache.

    Those from place 0 on are its beginning. The stretch depends on a row's own place alone, so that
    its attention is computed alike whatever else is read with it.
    """

    length: int  # R, the rows
    slot: int
    place: int  # of the first row
    stretch: int


def runs_of(pieces: list[Piece], context: int) -> list[Run]:
    """The rows of each piece, split where their stretch grows."""
    runs = []
    for slot, start, tokens in pieces:
        place, end = start, start + len(tokens)
        while place < end:
            longer = min(place - place % STRETCH + STRETCH, context)
            stretch = longer if start else end
            length = min(end, stretch) - place
            runs.append(Run(length, slot, place, stretch))
            place += length
    return runs


class Seen(NamedTuple):
    """What a run's rows look at. Its memory is filled anew by every text in every layer, and so
    stays near the core.
    """

    both: Tensor  # (2, H, stretch, C/H), in single precision, of which are views ...
    keys: Tensor  # ... (R, H, stretch, C/H), or (1, ...) for a beginning
    values: Tensor
    mask: Tensor  # -inf on what comes after a row


def seen_by(run: Run, room: Tensor, after: Tensor) -> Seen:
    """room: (2, H, context, C/H); after: (context, context), -inf on what comes after a place."""
    part = room.numel() // room.shape[2] * run.stretch
    both = room.flatten()[:part].view(2, room.shape[1], run.stretch, room.shape[3])
    keys, values = both.unsqueeze(1).unbind(0)
    mask = after[run.place : run.place + run.length, : run.stretch]
    if run.place > 0:
        keys, values = keys.expand(run.length, -1, -1, -1), values.expand(run.length, -1, -1, -1)
        mask = mask[:, None, None]
    return Seen(both, keys, values, mask)


def attend(q: Tensor, cache: Tensor, run: Run, seen: Seen) -> Tensor:
    """Attention of a run's rows. q: (R, H, 1, C/H) -> same shape."""
    seen.both.copy_(cache.select(0, run.slot).narrow(2, 0, run.stretch))
    q = q if run.place > 0 else q.transpose(0, 2)  # a beginning's rows share what they see
    scale = math.sqrt(q.shape[3])  # queries and keys have length 1 here
    mixed = F.scaled_dot_product_attention(
        q, seen.keys, seen.values, attn_mask=seen.mask, scale=scale
    )
    return mixed if run.place > 0 else mixed.transpose(0, 2)
