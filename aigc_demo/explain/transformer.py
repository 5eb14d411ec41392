"""Inside the Transformer: one text through every step, from live tensors."""

import copy
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from aigc_demo.inference.titles import fit_title
from aigc_demo.inference.transformer import LONGEST_TITLE, TextWriter
from aigc_demo.inference.verse import PLANNED
from aigc_demo.models.transformer import Block
from aigc_demo.prosody import COMMA, FORMS, STOP, form_of, lines_of, plan_of
from aigc_demo.tokenizer import (
    UnknownCharacters,
    characters_of,
    fit_script,
    poem_ids,
)
from aigc_demo.weights import Loaded

VISIBLE = {"\n": "↵", " ": "␣", "\t": "⇥"}  # what would not be seen
ENDS = r"([，,。.！!？?；;：:、\n\r]+)"  # of lines of verse
MOST_LINES = 8
MAX_TOKENS = 256  # tokens that are looked at: the maps of attention grow with their square


@dataclass(frozen=True)
class Reading:
    """A text as token ids, with the name under which each is shown."""

    ids: list[int]  # T of them
    names: list[str]  # each token as it is shown: a character, ↵, ␣the, or ⟨七绝⟩ for a control
    body: int  # place of the text's first token; those before it, such as a form, are given
    cut: int = 0  # tokens left out at the start because they do not fit
    stand_ins: Mapping[str, str] = field(default_factory=dict)  # of characters without a token

    @property
    def first(self) -> int:
        """The first token that the model is asked for: those before it are given."""
        return max(1, self.body)


def named(writer: TextWriter, token: int) -> str:
    """A token as it is shown."""
    return "".join(VISIBLE.get(c, c) for c in writer.tokenizer.name_of(token))


def token_of(writer: TextWriter, text: str) -> int:
    """The token of a character, in either script, or of a word, with a space before it or not.

    Raises:
        UnknownCharacters: it has none.
    """
    ids = writer.tokenizer.ids
    known = [form for form in (text, f" {text}") if form in ids]
    fitted = known[0] if known else fit_script(text, writer.tokenizer)
    if fitted not in ids:
        raise UnknownCharacters(text)
    return ids[fitted]


@torch.inference_mode()
def read(writer: TextWriter, text: str) -> Reading:
    """A text's tokens. For a model of poems, whole or begun: 《title》 may stand before the lines.

    Of a longer text the end: what fits into the model's context, at most MAX_TOKENS tokens. A begun
    poem gets the plan (tone pattern and rhyme) that fits it best and is likeliest to the model; for
    a character that the model has never seen one of the same tone stands in.

    Raises:
        ValueError: nothing to read, or lines that fit no form.
        UnknownCharacters: characters without a token.
    """
    if writer.forms:
        return _read_poem(writer, text)
    start = writer.tokenizer.start
    most = min(writer.context, MAX_TOKENS) - len(start)
    told = writer.tokenizer.encode(writer.tokenizer.fold(text))
    if not told:
        raise ValueError("expected a text of at least one character, got an empty one")
    ids, cut = [*start, *told[-most:]], max(0, len(told) - most)
    return Reading(ids, [named(writer, token) for token in ids], len(start), cut)


def _read_poem(writer: TextWriter, text: str) -> Reading:
    found = re.match(r"\s*《(.*?)》", text)
    title = fit_title(found[1], writer.tokenizer).inside[:LONGEST_TITLE] if found else ""
    written, stand_ins = writer.fitted(_with_marks(text[found.end() if found else 0 :]))
    body = "".join(stand_ins.get(character, character) for character in written)
    form, lines = likely_form(body), lines_of(body)
    if form not in writer.forms:
        raise ValueError(f"expected lines of 5 or 7 characters, got {text[:40]!r}")
    if form_of(body):
        ids = poem_ids(writer.tokenizer, form, title, plan_of(lines))
    else:
        ids = poem_ids(writer.tokenizer, form, title)
        opening, width = len(ids), FORMS[form].characters
        given = {(i, j): c for i, line in enumerate(lines) for j, c in enumerate(line[:width])}
        rule = writer.verses.rule(form, given, regulated=True)
        for _ in range(PLANNED):
            logits = writer.model(torch.tensor([ids], device=writer.loaded.device))[0, -1].cpu()
            mask = torch.from_numpy(rule(ids[opening:]))
            ids.append(int(logits.masked_fill(mask, -torch.inf).argmax()))
    names = [*(named(writer, token) for token in ids), *written][: writer.context]
    ids, first = [*ids, *writer.tokenizer.encode(body)][: writer.context], len(ids)
    return Reading(ids, names, first, stand_ins=stand_ins)


def _with_marks(text: str) -> str:
    """The first eight lines of a poem, with a comma or a full stop behind each, as it has them.

    For another mark, or a line break alone, there is the one that belongs there. Left out are what
    is in brackets or behind a dash, title and author above a poem, and notes below it.
    """
    text = re.sub(r"[（(【[][^）)】\]]*[）)】\]]|(?:——|—|--)[^\n]*", "", text)
    is_marked = re.search(ENDS, text.strip())
    parts = [*re.split(ENDS if is_marked else r"(\s+)", text), ""]
    found = zip(map(characters_of, parts[::2]), parts[1::2], strict=False)
    lines = _without_frame([(line, end) for line, end in found if line])
    body = ""
    for place, (line, end) in enumerate(lines):
        given = re.search("[，,。.]", end)
        is_last_whole = not is_marked and place and len(line) == len(lines[0][0])
        mark = STOP if place % 2 else COMMA
        if given:
            mark = COMMA if given[0] in "，," else STOP
        body += line + (mark if end.strip(" \t") or place + 1 < len(lines) or is_last_whole else "")
    return body


def _without_frame(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines of a pasted poem, each with what ends it, without those above and below it."""
    widths = [len(line) for line, _ in lines]
    whole = [place for place, width in enumerate(widths) if width in (5, 7)]
    if len(whole) < 2:
        return lines[:MOST_LINES]
    above = lines[: whole[0]]
    if all("\n" in end for _, end in above):
        lines = lines[whole[0] :]
    for count in (4, 8):
        verse, rest = lines[:count], lines[count:]
        if len({len(line) for line, _ in verse}) == 1 and len(verse) == count and rest:
            is_note = len(rest) > 1 or len(rest[0][0]) > len(verse[0][0])
            if "\n" in verse[-1][1] and is_note and len(rest[0][0]) != len(verse[0][0]):
                return verse
    return lines[:MOST_LINES]


def likely_form(text: str) -> str:
    """The form that a poem's beginning looks like; "" if its first line fits none."""
    lines = lines_of(text)
    complete = form_of(text)
    if complete:
        return complete
    width = len(lines[0]) if lines else 5
    kinds = [(5, "五绝", "五律"), (7, "七绝", "七律")]
    if len(lines) > 1:
        kinds = [kind for kind in kinds if kind[0] == width]
    for most, short, long in kinds:
        if width <= most:
            return short if len(lines) <= 4 else long
    return ""


@dataclass(frozen=True)
class Trace:
    """Every step of a text of T tokens through L layers of H heads."""

    ids: list[int]
    queries: Tensor  # (L, H, T, C/H), turned by their positions; so are the keys
    keys: Tensor  # (L, H, T, C/H)
    values: Tensor  # (L, H, T, C/H)
    scores: Tensor  # (L, H, T, T): Q K^T / sqrt(d_k), before the mask
    weights: Tensor  # (L, H, T, T): rows sum to 1, nothing above the diagonal
    stream: Tensor  # (L + 1, T, C): the residual stream before the first and after each layer
    fired: Tensor  # (L, T, 4C or as many as there are): the hidden neurons of feed-forward
    logits: Tensor  # (T, V)


@torch.inference_mode()
def trace(writer: TextWriter, ids: list[int]) -> Trace:
    """The model's forward pass on some tokens, every step kept."""
    model = writer.model
    x = model.embedding(torch.tensor([ids], device=writer.loaded.device))  # (1, T, C)
    stream, steps = [x], []
    for block in model.blocks:
        q, k, v, scores, weights, after = _attend(block, x)
        fired = block.feed_forward.fire(block.feed_forward_input(after))
        x = after + block.feed_forward.narrow(fired)
        stream.append(x)
        steps.append((q, k, v, scores, weights, fired))
    q, k, v, scores, weights, fired = (
        torch.cat(column).cpu() for column in zip(*steps, strict=True)
    )
    logits = model.read_out(x)[0].cpu()
    return Trace(ids, q, k, v, scores, weights, torch.cat(stream).cpu(), fired, logits)


def _attend(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, values, scores, weights of one layer, and the stream after its attention."""
    attention = block.attention
    q, k, v = attention.project(block.attention_input(x))  # (1, H, T, C/H)
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    future = torch.ones_like(scores[0, 0], dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, -torch.inf).softmax(-1)
    mixed = (weights @ v).transpose(1, 2).flatten(2)  # (1, T, C)
    return q, k, v, scores, weights, x + attention.out(mixed)


@dataclass(frozen=True)
class Guess:
    """The next token if the model stopped after some layer (the logit lens)."""

    tokens: list[int]  # the likeliest, first
    probabilities: list[float]
    final: float  # the probability of what is likeliest after the last layer


@torch.inference_mode()
def lens(writer: TextWriter, found: Trace, position: int, count: int = 5) -> list[Guess]:
    """The guess after each layer, L + 1 of them: norm and head applied to the stream there.

    The logit lens of nostalgebraist 2020 (lesswrong.com/posts/AcKRB8wDpdaN6v6ru).
    """
    stream = found.stream[:, position].to(writer.loaded.device)  # (L + 1, C)
    probability = writer.model.read_out(stream).softmax(-1).cpu()
    final = int(probability[-1].argmax())
    best = probability.topk(count)
    return [
        Guess(tokens, shares, probability[layer, final].item())
        for layer, (tokens, shares) in enumerate(
            zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )
    ]


@torch.inference_mode()
def surprise(writer: TextWriter, ids: list[int]) -> Tensor:
    """The surprise at each token after the first: -log p, in nats. (T - 1,).

    Of a text longer than the context each token is seen with at least half a context before it.
    """
    tokens = torch.tensor(ids, device=writer.loaded.device)
    half, found = writer.context // 2, []
    for start in range(0, max(1, len(ids) - 1 - half), half):
        window = tokens[start : start + writer.context + 1]
        logs = writer.model(window[None, : writer.context])[0].log_softmax(1)[: len(window) - 1]
        nats = -logs.gather(1, window[1:, None])[:, 0]
        found.append(nats if start == 0 else nats[half:])
    return torch.cat(found).cpu()


def without(
    writer: TextWriter, heads: Collection[tuple[int, int]] = (), layers: Collection[int] = ()
) -> TextWriter:
    """Ablation: the same writer with some heads (layer, head) or whole layers switched off.

    What is off adds nothing to the residual stream: the columns that read its result are zero, and
    of a whole layer the biases. All other weights are shared with the writer.
    """
    model = writer.model
    touched = {layer for layer, _ in heads} | set(layers)
    own = {id(weight) for layer in touched for weight in _results(model.blocks[layer])}
    memo = {id(weight): weight for weight in model.parameters() if id(weight) not in own}
    twin = copy.deepcopy(model, memo)
    size = model.config.width // model.config.heads
    with torch.no_grad():
        for layer, head in heads:
            twin.blocks[layer].attention.out.weight[:, head * size : (head + 1) * size] = 0
        for layer in layers:
            for weight in _results(twin.blocks[layer]):
                weight.zero_()
    loaded: Loaded = replace(writer.loaded, model=twin)
    return TextWriter(loaded)


def _results(block: Block) -> list[Tensor]:
    """The weights, and the biases if there are any, that write into the residual stream."""
    return [*block.attention.out.parameters(), *block.feed_forward.narrow.parameters()]


@torch.inference_mode()
def neighbours(writer: TextWriter, token: int, count: int = 10) -> list[tuple[int, float]]:
    """The tokens whose embeddings point most nearly the same way, with their cosine."""
    table = torch.nn.functional.normalize(writer.model.embedding.weight, dim=1)
    best = (table @ table[token]).topk(count + 1)
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [(other, cosine) for other, cosine in pairs if other != token][:count]


@torch.inference_mode()
def says(writer: TextWriter, layer: int, neuron: int, count: int = 5) -> list[int]:
    """The tokens that a hidden neuron's output raises most, read through norm and head."""
    model = writer.model
    narrow = model.blocks[layer].feed_forward.narrow.weight[:, neuron]  # (C,)
    if isinstance(model.norm, torch.nn.LayerNorm):  # it takes the mean away
        narrow = narrow - narrow.mean()
    pushed = model.head.weight @ (model.norm.weight * narrow)
    return pushed.topk(count).indices.tolist()
