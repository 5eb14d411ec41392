"""Trains a Transformer that sees both ways to uncover a text; its loss is the bound of its score.

Sahoo et al. 2024, arXiv:2406.07524, algorithm 1, with whole counts of covered places.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from aigc_demo.devices import mixed_precision
from aigc_demo.inference.unmask import GapWriter
from aigc_demo.models.batch import part
from aigc_demo.models.unmask import Unmask, UnmaskConfig, counts, cover, unmask_loss
from aigc_demo.tokenizer import CharacterTokenizer
from aigc_demo.training.run import Run
from aigc_demo.training.steps import moving_average, warm_then_fall
from aigc_demo.training.transformer import SMALL, descend, optimizers, set_rates
from aigc_demo.weights import Loaded, save_model


@dataclass(frozen=True)
class Recipe:
    model: UnmaskConfig  # its vocabulary size follows from the text
    steps: int
    batch: int = 16  # texts of a whole context; of shorter ones as many as have its tokens
    short: float = 0.25  # the share of steps with shorter texts, down to an eighth of the context
    matrix_rate: float = 0.02  # of Muon
    other_rate: float = 3e-3  # of AdamW: embedding, head and norms
    weight_decay: float = 0.01
    seed: int = 0
    seconds: float = 0.0  # at most; 0: as long as the steps take
    snapshots: int = 0  # of the weights


RECIPES: dict[str, Recipe] = {
    "smoke": Recipe(UnmaskConfig(context=64, **SMALL), steps=20, batch=8),
    "cpu": Recipe(UnmaskConfig(), steps=6_000),
    "gpu": Recipe(replace(UnmaskConfig(), layers=8), steps=30_000, batch=64),
}


def windows(ids: Tensor, recipe: Recipe) -> Tensor:
    """Random pieces of a text, (B, T), and now and then shorter and more of them. ids: (N,)."""
    halved = int(torch.randint(1, 4, ())) if torch.rand(()) < recipe.short else 0
    length = recipe.model.context >> halved
    start = torch.randint(len(ids) - length + 1, (recipe.batch << halved, 1))
    return ids[start + torch.arange(length)]


def look(writer: GapWriter) -> str:
    """A text from nothing, always from the same seed, for the time machine."""
    *_, end = writer.unmask(min(160, writer.context), steps=32, seed=0)
    return end


def train(
    name: str, output: Path, recipe: Recipe, tokenizer: CharacterTokenizer, data: str, ids: Tensor
) -> None:
    """Trains on the ids (N,) of a text, and writes the weights folder. data: its fingerprint."""
    run = Run(name, output, recipe, data, recipe.batch * recipe.model.context, "token")
    torch.manual_seed(recipe.seed)
    model = Unmask(recipe.model).to(run.device)
    average = moving_average(model, 0.995)
    both = optimizers(model, recipe)
    spread = run.distributed(model)
    run.resume(model=model, average=average, muon=both[0], adamw=both[1])

    def save(folder: Path) -> None:
        save_model(folder, name, "unmask", average.module, tokenizer, torch.bfloat16)

    def remember(step: int) -> None:
        loaded = Loaded(name, "unmask", average.module.eval(), tokenizer, run.device, "")
        run.remember(step, save=save, text=look(GapWriter(loaded)))

    model.train()
    for step in run.steps():
        if run.due(step):
            remember(step)
        set_rates(both, recipe, warm_then_fall(step, run.total, 30, 0.6))
        whole = windows(ids, recipe)
        tokens = part(whole).to(run.device)
        covered = cover(tokens, part(counts(*whole.shape)).to(run.device))
        with mixed_precision(run.device):
            logits = spread(covered)
        loss = unmask_loss(logits, tokens, covered).mean()
        descend(both, loss)
        run.report(loss=loss)
        average.update_parameters(model)

    if not run.first:
        return
    remember(run.total)
    save(output)
    run.write_history()
