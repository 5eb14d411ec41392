"""Trains a Transformer to predict the next token: Muon for its matrices, AdamW for the rest.

Muon: Jordan et al. 2024, kellerjordan.github.io/posts/muon, as torch.optim has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer

from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.transformer import Transformer, TransformerConfig
from aigc_demo.tokenizer import PAD, POEM_END, TITLE_END, CharacterTokenizer, form_token, poem_ids
from aigc_demo.training.run import (
    Run,
    mixed_precision,
    moving_average,
    shuffled_batch,
    warm_then_fall,
)
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


SMALL = {"layers": 2, "heads": 2, "width": 32}
RECIPES = {
    "shakespeare": {
        "smoke": Recipe(TransformerConfig(context=64, **SMALL), steps=20, batch=8),
        "cpu": Recipe(TransformerConfig(), steps=600),
        "gpu": Recipe(TransformerConfig(dropout=0.3), steps=3_000, batch=64),
    },
    "poems": {
        "smoke": Recipe(TransformerConfig(context=64, **SMALL), steps=20, batch=8),
        "cpu": Recipe(
            TransformerConfig(context=64, width=256, heads=4, dropout=0.1, logit_cap=0.0),
            steps=2_400,
            batch=64,
        ),
        "gpu": Recipe(
            TransformerConfig(context=64, layers=8, heads=8, width=512, logit_cap=0.0),
            steps=20_000,
            batch=256,
        ),
    },
}
POEM_FORMS = ("五绝", "七绝")

Batch = Callable[[int], tuple[Tensor, Tensor]]  # step -> inputs (B, T) and targets (B, T)


def optimizers(model: Transformer, recipe: Recipe) -> tuple[Optimizer, Optimizer]:
    """Muon for the matrices of the blocks; AdamW for embedding, head and norms."""
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inside]
    return (
        torch.optim.Muon(matrices, recipe.matrix_rate, weight_decay=recipe.weight_decay),
        torch.optim.AdamW(others, recipe.other_rate, (0.9, 0.95), weight_decay=recipe.weight_decay),
    )


def train_step(
    model: Transformer, players: tuple[Optimizer, Optimizer], tokens: Tensor, targets: Tensor
) -> Tensor:
    """One step down the cross-entropy. Returns the loss, in nats per scored token."""
    with mixed_precision(tokens.device):
        logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    for optimizer in players:
        optimizer.zero_grad()
    loss.backward()
    for optimizer in players:
        optimizer.step()
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
    both = optimizers(model, recipe)
    run.keep(model=model, average=average, muon=both[0], adamw=both[1])

    def remember(step: int) -> None:
        writer = TextWriter(
            Loaded(name, "transformer", average.module.eval(), tokenizer, run.device, "")
        )
        run.remember(step, text=look(writer))

    model.train()
    for step in run.steps():
        if run.due(step):
            remember(step)
        factor = warm_then_fall(step, recipe.steps, 30, 0.6)
        both[0].param_groups[0]["lr"] = recipe.matrix_rate * factor
        both[1].param_groups[0]["lr"] = recipe.other_rate * factor
        tokens, targets = batch(step)
        run.report(loss=train_step(model, both, tokens.to(run.device), targets.to(run.device)))
        average.update_parameters(model)

    remember(recipe.steps)
    save_model(output, name, "transformer", average.module, tokenizer, torch.bfloat16)
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
    """The characters, and the control tokens of the forms that it will learn."""
    return CharacterTokenizer(characters, [PAD, TITLE_END, POEM_END, *map(form_token, POEM_FORMS)])


def poem_batches(
    poems: list[tuple[str, str, str]], tokenizer: CharacterTokenizer, recipe: Recipe
) -> Batch:
    """Whole poems (form, title, text), padded; now and then without a title.

    Raises:
        ValueError: a poem is longer than the context.
    """
    end, pad = tokenizer.ids[POEM_END], tokenizer.ids[PAD]
    titled = [[*poem_ids(tokenizer, *poem), end] for poem in poems]
    plain = [[*poem_ids(tokenizer, form, "", text), end] for form, _, text in poems]
    longest = max(map(len, titled))
    if longest - 1 > recipe.model.context:
        raise ValueError(f"expected poems of at most {recipe.model.context} tokens, got {longest}")

    def batch(step: int) -> tuple[Tensor, Tensor]:
        index = shuffled_batch(len(poems), recipe.batch, recipe.seed, step).tolist()
        untitled = torch.rand(len(index)) < 0.1
        rows = [(plain if bare else titled)[i] for i, bare in zip(index, untitled, strict=True)]
        width = max(map(len, rows))
        tokens = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
        targets = tokens[:, 1:].masked_fill(tokens[:, 1:] == pad, IGNORED)
        return tokens[:, :-1], targets

    return batch


def look_at_play(writer: TextWriter) -> str:
    """What the model makes of a fixed prompt: the time machine's text."""
    prompt = "\n" if "\n" in writer.tokenizer.ids else writer.tokenizer.characters[0]
    return writer.write(prompt, 120, temperature=0.8, seed=0)


def look_at_verse(writer: TextWriter) -> str:
    """A 七绝 without the form's help, always from the same seed."""
    return "".join(writer.stream_poem("七绝", regulated=False, temperature=0.8, seed=0))
