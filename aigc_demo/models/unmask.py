"""Masked text diffusion: a text is covered up token by token, and a model uncovers it.

The trunk is the Transformer's, without its causal mask: a covered place sees what stands on both
sides. The model is not told how much is covered; it sees that.

Sahoo et al. 2024, arXiv:2406.07524; that time need not be told, and that its bound is a mean over
all orders of uncovering: Ou et al. 2024, arXiv:2406.03736.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aigc_demo.models.batch import uniform
from aigc_demo.models.transformer import Cache, Transformer, TransformerConfig

MASKED = 0  # the id of the token that covers a place


@dataclass(frozen=True)
class UnmaskConfig(TransformerConfig):
    vocabulary_size: int = 66  # V, the covering token among them
    width: int = 256  # C
    heads: int = 4
    dropout: float = 0.1


class Unmask(Transformer):
    """Tokens, some of them covered, to the logits of what each place holds."""

    def __init__(self, config: UnmaskConfig) -> None:
        super().__init__(config, causal=False)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens: (B, T) ids -> logits (B, T, V); a place never holds the covering token.

        There is nothing to cache: what is uncovered changes all that was computed.

        Raises:
            ValueError: more tokens than the context holds, or a cache.
        """
        if cache is not None:
            raise ValueError("expected no cache of a model that sees both ways, got one")
        logits = super().forward(tokens)
        return logits.index_fill(2, torch.tensor([MASKED], device=tokens.device), -torch.inf)


def counts(rows: int, length: int) -> Tensor:
    """How many places of each text to cover: 1..length, evenly spread over the batch. (rows,)."""
    spread = (torch.arange(rows) + torch.rand(())) / rows
    return 1 + (spread * length).long()


def cover(tokens: Tensor, count: Tensor) -> Tensor:
    """The text with so many places covered, any as likely as any other.

    Draws from torch's default generator.

    tokens: (B, T) ids; count: (B,) from 0 to T -> like tokens.
    """
    order = uniform(*tokens.shape, device=tokens.device).argsort(1).argsort(1)
    return tokens.masked_fill(order < count[:, None], MASKED)


def unmask_loss(logits: Tensor, tokens: Tensor, covered: Tensor) -> Tensor:
    """The bound in nats a token of each text: its mean surprise at the places that are covered.

    Averaged over counts 1..T of covered places, all as likely, this is no less than the negative
    log-likelihood of the text by T, filled one place at a time in random order (Ou et al. 2024,
    arXiv:2406.03736; Sahoo et al. 2024, arXiv:2406.07524, has it with the weight 1/t).

    logits: (B, T, V); tokens, covered: (B, T), at least one place of each covered -> (B,).
    """
    hidden = covered == MASKED
    surprise = F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")
    return (surprise * hidden).sum(1) / hidden.sum(1)
