"""GPT-2: the decoder-only Transformer as it was in 2019, for checkpoints that others trained.

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3. Beside
models/transformer.py: a learned vector for every position instead of rotations, LayerNorm (Ba et
al. 2016, arXiv:1607.06450) instead of RMSNorm, biases everywhere, GELU (Hendrycks & Gimpel 2016,
arXiv:1606.08415) instead of a squared ReLU, one matrix both to read and to write tokens (Press &
Wolf 2017, arXiv:1608.05859), neither token shift nor a cap on logits. It is not trained here: there
is no dropout.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.models.transformer import Cache


@dataclass(frozen=True)
class GPT2Config:
    vocabulary_size: int = 50_257  # V
    context: int = 1_024  # the most tokens it attends to
    layers: int = 12
    heads: int = 12
    width: int = 768  # C
    hidden: int = 3_072  # neurons of a feed-forward layer, usually 4C
    epsilon: float = 1e-5  # LayerNorm's, added to the variance

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"expected width in {self.heads} equal heads, got {self.width}")


class Embedding(nn.Module):
    """A vector for each token plus one for each position. The head reads with `weight` too."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.vocabulary_size, config.width))
        self.position = nn.Parameter(torch.empty(config.context, config.width))
        nn.init.normal_(self.weight, std=0.02)
        nn.init.normal_(self.position, std=0.01)

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        """Ids (B, T) at positions from start -> (B, T, C)."""
        return self.weight[tokens] + self.position[start : start + tokens.shape[1]]


class Attention(nn.Module):
    """Causal multi-head self-attention: softmax(Q K^T / sqrt(d_k)) V.

    Vaswani et al. 2017, arXiv:1706.03762, eq. 1. Positions are in what it reads.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """x: (B, T, C), the tokens after those in the cache -> (B, T, C)."""
        q, k, v = self.project(x)
        if cache is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            start, end = cache.length, cache.length + x.shape[1]
            cache.keys[layer][:, :, start:end] = k
            cache.values[layer][:, :, start:end] = v
            k, v = cache.keys[layer][:, :, :end], cache.values[layer][:, :, :end]
            seen = torch.ones(x.shape[1], end, dtype=torch.bool, device=x.device)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen.tril(start))
        return self.out(y.transpose(1, 2).flatten(2))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of tokens (B, T, C); (B, H, T, C/H) each."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v


class FeedForward(nn.Module):
    """Two linear layers around a GELU, usually four times as wide inside."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.widen = nn.Linear(config.width, config.hidden)
        self.narrow = nn.Linear(config.hidden, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.narrow(self.fire(x))

    def fire(self, x: Tensor) -> Tensor:
        """Activations of the hidden neurons. (B, T, C) -> (B, T, hidden), from about -0.17.

        x P(X <= x) of a standard normal X, by its approximation with tanh (section 2 there).
        """
        return F.gelu(self.widen(x), approximate="tanh")


class Block(nn.Module):
    """Attention, then feed-forward, each reads a norm and is added to the residual stream."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width, config.epsilon)
        self.attention = Attention(config)
        self.feed_forward_norm = nn.LayerNorm(config.width, config.epsilon)
        self.feed_forward = FeedForward(config)

    def attention_input(self, x: Tensor) -> Tensor:
        """The input of attention: the residual stream, normalized. (B, T, C) -> same shape."""
        return self.attention_norm(x)

    def feed_forward_input(self, x: Tensor) -> Tensor:
        """The input of feed-forward: the residual stream, normalized. (B, T, C) -> same shape."""
        return self.feed_forward_norm(x)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attention(self.attention_input(x), cache, layer)
        return x + self.feed_forward(self.feed_forward_input(x))


class GPT2(nn.Module):
    """Tokens to the logits of the next token at every position."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, config.epsilon)

    @property
    def head(self) -> Embedding:
        """The matrix of the logits is that of the tokens."""
        return self.embedding

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens: (B, T) ids -> logits (B, T, V); with a cache, T new tokens after its own.

        Raises:
            ValueError: more tokens than the context holds.
        """
        return self.read_out(self.stream(tokens, cache))

    def stream(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """The residual stream (B, T, C) after the last block; arguments and errors as above."""
        start = cache.length if cache else 0
        length = start + tokens.shape[1]
        if length > self.config.context:
            raise ValueError(f"expected at most {self.config.context} tokens, got {length}")
        x = self.embedding(tokens, start)
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache:
            cache.length = length
        return x

    def read_out(self, x: Tensor) -> Tensor:
        """Logits (..., V) of the residual stream (..., C): norm and head."""
        return F.linear(self.norm(x), self.head.weight)
