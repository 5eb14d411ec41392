"""The habit of each attention head, measured on texts of the corpus."""

import json
from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.explain.transformer import MAX_TOKENS, Reading, read, trace
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.prosody import COMMA, STOP
from aigc_demo.samples import sample_text
from aigc_demo.tokenizer import to_simplified

CLEAR = 0.08  # so much more attention than an even spread is a habit
TEXTS, POEMS = 6, 24  # that a head is measured on


@dataclass(frozen=True)
class Habit:
    """Where the attention of one head goes."""

    name: str  # the kind of place it looks at most beyond chance, or "spread"
    share: float  # of its attention there
    even: float  # the share if attention were even over all that may be seen


def kinds_of(writer: TextWriter, reading: Reading) -> dict[str, Tensor]:
    """Kind of place -> (T, T): whether token i finds such a place at j <= i."""
    ids = torch.tensor(reading.ids)
    count = len(ids)
    i, j = torch.arange(count)[:, None], torch.arange(count)[None]
    control = torch.tensor([writer.tokenizer.is_control(token) for token in reading.ids])
    names = [writer.tokenizer.name_of(token) for token in reading.ids]
    end = torch.tensor([name.endswith(("\n", COMMA, STOP)) for name in names])
    starts = torch.cat([torch.tensor([True]), (end | control)[:-1]]) & ~control
    before = torch.cat([torch.tensor([-1]), ids[:-1]])  # the token before each
    kinds = {
        "itself": i == j,
        "previous": j == i - 1,
        "near": (j < i - 1) & (j >= i - 4),
        "same": (ids[:, None] == ids[None]) & (j < i),
        "after_same": (ids[:, None] == before[None]) & (j <= i),
        "line_start": starts[None] & (j < i),
        "line_end": end[None] & (j < i),
    }
    if writer.forms:
        rhymes = torch.cat([end[1:], torch.tensor([False])])  # the last character of a line
        column = torch.zeros(count, dtype=torch.long)
        line = torch.zeros(count, dtype=torch.long)
        for place in range(1, count):
            fresh = bool(end[place - 1])
            column[place] = 0 if fresh or control[place] else column[place - 1] + 1
            line[place] = line[place - 1] + int(fresh)
        kinds |= {
            "rhyme": rhymes[None] & (j < i),
            "plan": control[None].expand(count, -1),
            "above": (column[:, None] == column[None])
            & (line[:, None] == line[None] + 1)
            & ~control[:, None]
            & ~control[None],
        }
    return {name: found & (j <= i) for name, found in kinds.items()}


def habits(writer: TextWriter) -> list[list[Habit]]:
    """The habit of each head, by layer, on texts of the bundled samples; [] if it can read none."""
    shares: dict[str, Tensor] = {}
    even: dict[str, float] = {}
    readings = [read(writer, text) for text in _texts(writer) if text]
    if not readings:
        return []
    for reading in readings:
        weights = trace(writer, reading.ids).weights  # (L, H, T, T)
        past = torch.tril(torch.ones_like(weights[0, 0]))
        past /= past.sum(1, keepdim=True)
        for name, where in kinds_of(writer, reading).items():
            there = (weights * where).sum(-1).mean(-1) / len(readings)  # (L, H)
            shares[name] = shares.get(name, torch.zeros_like(there)) + there
            even[name] = even.get(name, 0.0) + (past * where).sum(-1).mean().item() / len(readings)
    layers, heads = next(iter(shares.values())).shape
    return [[_habit(shares, even, layer, head) for head in range(heads)] for layer in range(layers)]


def _habit(shares: dict[str, Tensor], even: dict[str, float], layer: int, head: int) -> Habit:
    beyond = {name: share[layer, head].item() - even[name] for name, share in shares.items()}
    name = max(beyond, key=lambda kind: beyond[kind])
    if beyond[name] < CLEAR:
        return Habit("spread", 1.0, 1.0)
    return Habit(name, shares[name][layer, head].item(), even[name])


def _texts(writer: TextWriter) -> list[str]:
    """Passages of the corpus that the writer has tokens for."""
    known = set(writer.tokenizer.characters)
    if writer.forms:
        rows = json.loads(sample_text("poems.json"))
        fit = [row for row in rows if known.issuperset(row["text"]) and row["form"] in writer.forms]
        fit = [row for row in fit if len(row["text"]) + 4 <= writer.context]
        return [row["text"] for row in fit[:: max(1, len(fit) // POEMS)]][:POEMS]
    if not known:
        return _foreign_texts(writer)
    text = "".join(c for c in sample_text("shakespeare.txt") if c in known)
    size = writer.context
    return [text[start : start + size] for start in range(0, TEXTS * 4 * size, 4 * size)]


def _foreign_texts(writer: TextWriter) -> list[str]:
    """Of a model that reads Chinese character by character poems, of another one plays."""
    size = min(writer.context, MAX_TOKENS)
    poems = [to_simplified(row["text"]) for row in json.loads(sample_text("poems.json"))]
    if len(writer.tokenizer.encode(poems[0])) == len(poems[0]):
        return ["".join(poems[start : start + 20])[:size] for start in range(0, 20 * TEXTS, 20)]
    text = sample_text("shakespeare.txt")
    return [text[start : start + size] for start in range(0, TEXTS * 4 * size, 4 * size)]
