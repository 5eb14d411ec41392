"""Trains a Transformer to predict the next token: Muon for its matrices, AdamW for the rest.

Muon: Jordan et al. 2024, kellerjordan.github.io/posts/muon, as torch.optim has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from aigc_demo.devices import mixed_precision
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.batch import part, place
from aigc_demo.models.transformer import Block, Transformer, TransformerConfig
from aigc_demo.prosody import (
    FORMS,
    PATTERNS,
    UNREGULATED,
    UNRHYMED,
    level_groups,
    lines_of,
    plan_of,
)
from aigc_demo.tokenizer import PAD, POEM_END, TITLE_END, CharacterTokenizer, control, poem_ids
from aigc_demo.training.run import Run
from aigc_demo.training.steps import moving_average, step_seed, warm_then_fall
from aigc_demo.weights import Loaded, save_model

IGNORED = -100  # the target of a position that is not scored


@dataclass(frozen=True)
class Recipe:
    model: TransformerConfig  # its vocabulary size follows from the text
    steps: int
    batch: int = 32
    matrix_rate: float = 0.02  # of Muon
    other_rate: float = 3e-3  # of AdamW: embedding, head and norms
    weight_decay: float = 0.01
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights
    fault: str = ""  # what is wrong on purpose, see _broken


SMALL: dict[str, Any] = {"layers": 2, "heads": 2, "width": 32}
PAGES = 6_000  # characters that a parrot learns by heart


def _broken(fault: str, **settings: Any) -> dict[str, Recipe]:
    """A small model with one fault.

    order: attention does not know positions; peek: it is trained without the causal mask; parrot:
    it reads nothing but PAGES, again and again; rate: the learning rates are too large.
    """
    # Of several layers the second would learn from the causal mask where tokens stand.
    order = {"layers": 1, "unordered": 1, "token_shift": 0.0} if fault == "order" else {}
    shape: dict[str, Any] = {"context": 128, "layers": 4, "heads": 4, "width": 128, "dropout": 0.0}
    model = TransformerConfig(**shape | order)
    recipe = Recipe(model, steps=800, batch=16, fault=fault, **settings)
    smoke = replace(recipe, model=replace(model, context=64, **SMALL), steps=20, batch=8)
    return {"smoke": smoke, "cpu": recipe, "gpu": recipe}


MINUTE: dict[str, Any] = {"context": 128, "heads": 4, "dropout": 0.1}
RECIPES = {
    "shakespeare": {
        "smoke": Recipe(TransformerConfig(context=64, **SMALL), steps=20, batch=8),
        "cpu": Recipe(TransformerConfig(dropout=0.25), steps=1_600, batch=16, weight_decay=0.1),
        "gpu": Recipe(TransformerConfig(dropout=0.3), steps=3_000, batch=64),
        "small": Recipe(
            TransformerConfig(layers=3, width=96, **MINUTE), steps=10_000, batch=16, seconds=60
        ),
        "medium": Recipe(
            TransformerConfig(layers=4, width=160, **MINUTE), steps=10_000, batch=16, seconds=60
        ),
    },
    "poems": {
        "smoke": Recipe(TransformerConfig(context=96, dropout=0.1, **SMALL), steps=60, batch=8),
        "cpu": Recipe(
            TransformerConfig(context=96, width=256, heads=4, dropout=0.0, logit_cap=0.0),
            steps=4_700,
            batch=48,
        ),
        "gpu": Recipe(
            TransformerConfig(context=96, layers=8, heads=8, width=512, logit_cap=0.0),
            steps=20_000,
            batch=256,
        ),
    },
    "broken-order": _broken("order"),
    "broken-peek": _broken("peek"),
    "broken-parrot": _broken("parrot"),
    "broken-rate": _broken("rate", matrix_rate=2.0, other_rate=3.0),
}

# step -> inputs (B, T) and targets (B, T) of the whole batch
Batch = Callable[[int], tuple[Tensor, Tensor]]


def optimizers(model: Transformer, recipe: Any) -> tuple[Optimizer, Optimizer]:
    """Muon for the matrices of the blocks; AdamW for embedding, head and norms.

    recipe: with matrix_rate, other_rate and weight_decay.
    """
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inside]
    return (
        torch.optim.Muon(matrices, recipe.matrix_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(others, recipe.other_rate, (0.9, 0.95), weight_decay=recipe.weight_decay),
    )


def set_rates(players: tuple[Optimizer, Optimizer], recipe: Any, factor: float) -> None:
    """Sets both learning rates to so many times the recipe's."""
    for optimizer, rate in zip(players, (recipe.matrix_rate, recipe.other_rate), strict=True):
        optimizer.param_groups[0]["lr"] = rate * factor


def descend(players: tuple[Optimizer, Optimizer], loss: Tensor) -> None:
    """One step of both down a loss."""
    for optimizer in players:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in players:
        optimizer.step()


def train_step(
    model: nn.Module, players: tuple[Optimizer, Optimizer], tokens: Tensor, targets: Tensor
) -> Tensor:
    """One step down the cross-entropy. Returns the loss, in nats per scored token.

    tokens, targets: (B, T), the whole batch; with several processes each reads its rows of it.
    """
    scored = (targets != IGNORED).sum() / place()[1]  # by one process, on average
    tokens, targets = part(tokens), part(targets)
    with mixed_precision(tokens.device):
        logits = model(tokens)
    total = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    loss = total / scored
    descend(players, loss)
    return loss


def train(
    name: str,
    output: Path,
    recipe: Recipe,
    tokenizer: CharacterTokenizer,
    data: str,
    batch: Batch,
    look: Callable[[TextWriter], str],
    tokens_per_step: int,
) -> None:
    """Trains on the batches, and writes the weights folder.

    data: the fingerprint of what the batches are drawn from.
    """
    run = Run(name, output, recipe, data, tokens_per_step, "token")
    torch.manual_seed(recipe.seed)
    model = Transformer(recipe.model).to(run.device)
    average = moving_average(model, 0.98)
    if recipe.fault == "peek":  # the average, which is kept and looked at, has its mask
        for block in model.blocks:
            cast(Block, block).attention.causal = False
    both = optimizers(model, recipe)
    spread = run.distributed(model)
    run.resume(model=model, average=average, muon=both[0], adamw=both[1])

    def save(folder: Path) -> None:
        save_model(folder, name, "transformer", average.module, tokenizer, torch.bfloat16)

    def remember(step: int) -> None:
        writer = TextWriter(
            Loaded(name, "transformer", average.module.eval(), tokenizer, run.device, "")
        )
        run.remember(step, save=save, text=look(writer))

    model.train()
    for step in run.steps():
        if run.due(step):
            remember(step)
        factor = warm_then_fall(step, run.total, 30, 0.0 if recipe.fault == "rate" else 0.6)
        set_rates(both, recipe, factor)
        tokens, targets = batch(step)
        run.report(loss=train_step(spread, both, tokens.to(run.device), targets.to(run.device)))
        average.update_parameters(model)

    if not run.first:
        return
    remember(run.total)
    save(output)
    run.write_history()


def text_batches(ids: Tensor, recipe: Recipe) -> Batch:
    """Random windows of one long text. ids: (N,)."""
    window = recipe.model.context + 1

    def batch(step: int) -> tuple[Tensor, Tensor]:
        start = torch.randint(len(ids) - window + 1, (recipe.batch, 1))
        tokens = ids[start + torch.arange(window)]
        return tokens[:, :-1], tokens[:, 1:]

    return batch


def poem_tokenizer(characters: str) -> CharacterTokenizer:
    """The characters, and the control tokens: forms, tone patterns, rhyme groups."""
    names = [*FORMS, *PATTERNS, UNREGULATED, *level_groups(), UNRHYMED]
    return CharacterTokenizer(characters, [PAD, TITLE_END, POEM_END, *map(control, names)])


def poem_batches(
    poems: list[tuple[str, str, str]], tokenizer: CharacterTokenizer, recipe: Recipe
) -> Batch:
    """Whole poems (form, title, text) of one form a batch, padded; now and then without a title.

    A batch holds as many poems as fit into recipe.batch whole contexts. Every epoch passes
    through all poems in a new order.

    Raises:
        ValueError: a poem is longer than the context.
    """
    end, pad = tokenizer.ids[POEM_END], tokenizer.ids[PAD]
    rows: dict[str, list[tuple[list[int], list[int]]]] = {}  # form -> with title, without
    for form, title, text in poems:
        plan = plan_of(lines_of(text))
        both = [[*poem_ids(tokenizer, form, t, plan, text), end] for t in (title, "")]
        rows.setdefault(form, []).append((both[0], both[1]))
    longest = {form: max(len(titled) for titled, _ in group) for form, group in rows.items()}
    if max(longest.values()) - 1 > recipe.model.context:
        raise ValueError(
            f"expected poems of at most {recipe.model.context} tokens, got {max(longest.values())}"
        )
    room = recipe.batch * recipe.model.context
    size = {form: max(8, room // longest[form] // 8 * 8) for form in rows}  # shared by up to 8
    size = {form: min(size[form], len(rows[form]) // 8 * 8) for form in rows}
    rows = {form: group for form, group in rows.items() if size[form]}
    if not rows:
        raise ValueError(f"expected at least 8 poems of a form, got {len(poems)} poems in all")
    each = {form: len(rows[form]) // size[form] for form in rows}  # batches in an epoch

    def order(epoch: int) -> list[tuple[str, Tensor]]:
        draw = torch.Generator().manual_seed(step_seed(recipe.seed, epoch, stream=1))
        batches = []
        for form, group in rows.items():
            shuffled = torch.randperm(len(group), generator=draw)
            batches += [(form, some) for some in shuffled.split(size[form])[: each[form]]]
        return [batches[i] for i in torch.randperm(len(batches), generator=draw).tolist()]

    kept: dict[int, list[tuple[str, Tensor]]] = {}  # of the epoch at hand

    def batch(step: int) -> tuple[Tensor, Tensor]:
        epoch, position = divmod(step, sum(each.values()))
        if epoch not in kept:
            kept.clear()
            kept[epoch] = order(epoch)
        form, index = kept[epoch][position]
        untitled = torch.rand(len(index)) < 0.1
        pairs = zip(index.tolist(), untitled.tolist(), strict=True)
        chosen = [rows[form][i][bare] for i, bare in pairs]
        width = max(map(len, chosen))
        tokens = torch.tensor([row + [pad] * (width - len(row)) for row in chosen])
        targets = tokens[:, 1:].masked_fill(tokens[:, 1:] == pad, IGNORED)
        return tokens[:, :-1], targets

    return batch


def look_at_play(writer: TextWriter) -> str:
    """The continuation of a fixed prompt, for the time machine."""
    prompt = "\n" if "\n" in writer.tokenizer.ids else writer.tokenizer.characters[0]
    return writer.write(prompt, 120, temperature=0.8, seed=0)


def look_at_verse(writer: TextWriter) -> str:
    """A 七绝 without the masks for line length, tone and rhyme, always from the same seed."""
    return "".join(writer.stream_poem("七绝", regulated=False, temperature=0.8, seed=0))
