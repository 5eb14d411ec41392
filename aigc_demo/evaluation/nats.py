"""The surprise of a Transformer at a text in nats, and what its engine adds to it."""

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from aigc_demo.devices import mixed_precision
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.writing.steps import steps_for


def nats(writer: TextWriter, tokens: Tensor) -> Tensor:
    """(B, T) -> the surprise at each token after the first, in nats, (B, T - 1)."""
    tokens = tokens.to(writer.loaded.device)
    with mixed_precision(tokens.device):
        logits = writer.model(tokens[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none").view(
        len(tokens), -1
    )


@torch.inference_mode()
def added_by_engine(writer: TextWriter, batches: list[Tensor], scored: int | None = None) -> float:
    """Mean nats a token of texts by what writes them, token by token, over those of the model.

    batches: (B, T) ids each; scored: so many last tokens of each text, or all after the first.
    """
    steps = steps_for(writer.model, writer.loaded.device)[0]
    added: list[Tensor] = []
    for batch in tqdm(batches, desc="engine", unit="batch"):
        for part in batch.split(steps.slots):
            for slot in range(len(part)):
                steps.prefill(slot, [])
            rows = [torch.tensor(steps.decode(ids.tolist())) for ids in part[:, :-1].unbind(1)]
            nats_of = torch.stack(rows, 1).log_softmax(2).gather(2, part[:, 1:, None])[..., 0]
            logits = writer.model(part[:, :-1].to(writer.loaded.device)).float().cpu()
            exact = logits.log_softmax(2).gather(2, part[:, 1:, None])[..., 0]
            added.append((exact - nats_of)[:, -(scored or part.shape[1] - 1) :].flatten())
    return torch.cat(added).mean().item()
