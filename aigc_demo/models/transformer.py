"""A decoder-only Transformer over tokens, its key-value cache and its next-token distribution.

Vaswani et al. 2017, arXiv:1706.03762; rotary positions, Su et al. 2021, arXiv:2104.09864;
RMSNorm, Zhang & Sennrich 2019, arXiv:1910.07467; normalised queries and keys, Henry et al. 2020,
arXiv:2010.04245; squared ReLU, So et al. 2021, arXiv:2109.08668; token shift, Peng et al. 2023,
arXiv:2305.13048, section 3.1.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aigc_demo.models.batch import uniform


@dataclass(frozen=True)
class TransformerConfig:
    vocabulary_size: int = 65  # V
    context: int = 256  # the most tokens it attends to
    layers: int = 6
    heads: int = 6
    width: int = 384  # C
    dropout: float = 0.25
    logit_cap: float = 15.0  # logits are squeezed smoothly into (-cap, cap); 0: not at all
    token_shift: float = 0.25  # share of each layer's input channels taken from the token before
    unordered: int = 0  # 1: attention does not know where a token stands

    def __post_init__(self) -> None:
        if self.token_shift > 1:
            raise ValueError(f"expected token_shift from 0 to 1, got {self.token_shift}")
        if self.width % (2 * self.heads):  # rotary positions turn pairs of channels
            raise ValueError(f"expected width in {self.heads} even heads, got {self.width}")


class Cache:
    """Keys and values of the tokens read so far, so that each token is computed once.

    config: of this model, or another one with layers, heads, width and context.
    """

    def __init__(self, config: Any, batch: int, device: torch.device) -> None:
        shape = (batch, config.heads, config.context, config.width // config.heads)
        self.keys = [torch.zeros(shape, device=device) for _ in range(config.layers)]
        self.values = [torch.zeros(shape, device=device) for _ in range(config.layers)]
        # What attention and feed-forward of each layer read of the last token.
        zero = torch.zeros(batch, 1, config.width, device=device)
        self.last = [zero] * (2 * config.layers)
        self.length = 0


def rotate(x: Tensor, start: int) -> Tensor:
    """Turns each pair of channels by an angle that grows with the position (RoPE, eq. 34).

    x: (B, H, T, C/H) at positions start..start+T-1 -> like x.
    """
    position = torch.arange(start, start + x.shape[2], device=x.device)
    return turn(x, *angles(position, x.shape[-1] // 2))


def angles(position: Tensor, half: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angle of each of `half` pairs of channels. (T,) -> (T, half) each."""
    frequency = 10_000.0 ** (-torch.arange(half, device=position.device) / half)
    angle = position[:, None] * frequency
    return angle.cos(), angle.sin()


def turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """x: (..., C/H), its channels in pairs (i, i + half); cosine, sine: (..., half) -> like x."""
    cosine, sine = cosine.to(x.dtype), sine.to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def shift(x: Tensor, channels: int, cache: Cache | None = None, place: int = 0) -> Tensor:
    """The first channels of every token replaced by those of the token before it.

    So each layer sees pairs of neighbours at no cost, and no attention head is spent on that.

    x: (B, T, C), the tokens after those in the cache; place: which input of the model it is.
    """
    if channels == 0:
        return x
    before = torch.zeros_like(x[:, :1]) if cache is None else cache.last[place]
    if cache is not None:
        cache.last[place] = x[:, -1:]
    earlier = torch.cat([before, x[:, :-1]], 1)[..., :channels]
    return torch.cat([earlier, x[..., channels:]], -1)


def shift_both_ways(x: Tensor, channels: int) -> Tensor:
    """Like `shift`, where a token may see all: half from the token before, half from that after."""
    half = channels // 2
    earlier = F.pad(x[:, :-1, :half], (0, 0, 1, 0))
    later = F.pad(x[:, 1:, half:channels], (0, 0, 0, 1))
    return torch.cat([earlier, later, x[..., channels:]], -1)


class SharedDropout(nn.Module):
    """Drops the same channels at every position of a text, others in the next text.

    Gal & Ghahramani 2016, arXiv:1512.05287. One mask a text costs next to nothing to draw.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> same shape."""
        if not self.training or self.share == 0:
            return x
        kept = uniform(len(x), 1, x.shape[2], device=x.device) >= self.share
        return x * (kept / (1 - self.share)).to(x.dtype)


class Attention(nn.Module):
    """Multi-head self-attention: softmax(Q K^T / sqrt(d_k)) V, eq. 1; causal, if not told else."""

    def __init__(self, config: TransformerConfig, causal: bool = True) -> None:
        super().__init__()
        self.heads, self.unordered = config.heads, config.unordered
        self.causal = causal  # False: every token sees all
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """x: (B, T, C), the tokens after those in the cache, if it is causal -> (B, T, C)."""
        start, length = (cache.length if cache else 0), x.shape[1]
        q, k, v = self.project(x, start)
        if cache is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            cache.keys[layer][:, :, start : start + length] = k
            cache.values[layer][:, :, start : start + length] = v
            k = cache.keys[layer][:, :, : start + length]
            v = cache.values[layer][:, :, : start + length]
            seen = torch.ones(length, start + length, dtype=torch.bool, device=x.device)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen.tril(start))
        return self.out(y.transpose(1, 2).flatten(2))

    def project(self, x: Tensor, start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of tokens (B, T, C) at positions from start; (B, H, T, C/H)."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:])
        if not self.unordered:
            q, k = rotate(q, start), rotate(k, start)
        return q, k, v


class FeedForward(nn.Module):
    """Two linear layers around a squared ReLU, four times as wide inside."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.widen = nn.Linear(config.width, 4 * config.width, bias=False)
        self.narrow = nn.Linear(4 * config.width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.narrow(self.fire(x))

    def fire(self, x: Tensor) -> Tensor:
        """Activations of the hidden neurons. (B, T, C) -> (B, T, 4C), from 0."""
        return F.relu(self.widen(x)).square()


class Block(nn.Module):
    """Attention, then feed-forward, each added to the residual stream."""

    def __init__(self, config: TransformerConfig, causal: bool = True) -> None:
        super().__init__()
        self.causal = causal
        self.attention_norm = nn.RMSNorm(config.width)
        self.attention = Attention(config, causal)
        self.feed_forward_norm = nn.RMSNorm(config.width)
        self.feed_forward = FeedForward(config)
        self.dropout = SharedDropout(config.dropout)
        self.shifted = int(config.width * config.token_shift)

    def attention_input(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """The input of attention: the residual stream, normalized. (B, T, C) -> same shape."""
        return self.shift(self.attention_norm(x), cache, 2 * layer)

    def feed_forward_input(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """The input of feed-forward: the residual stream, normalized. (B, T, C) -> same shape."""
        return self.shift(self.feed_forward_norm(x), cache, 2 * layer + 1)

    def shift(self, x: Tensor, cache: Cache | None, place: int) -> Tensor:
        """Some channels of every token taken from its neighbours, of those that it may see."""
        if self.causal:
            return shift(x, self.shifted, cache, place)
        return shift_both_ways(x, self.shifted)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        seen = self.attention_input(x, cache, layer)
        x = x + self.dropout(self.attention(seen, cache, layer))
        seen = self.feed_forward_input(x, cache, layer)
        return x + self.dropout(self.feed_forward(seen))


class Transformer(nn.Module):
    """Tokens to the logits of the next token at every position."""

    def __init__(self, config: TransformerConfig, causal: bool = True) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.width)
        self.dropout = SharedDropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, causal) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary_size, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.zeros_(self.head.weight)
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("out.weight", "narrow.weight")):
                nn.init.zeros_(parameter)  # every block starts as the identity

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """tokens: (B, T) ids -> logits (B, T, V); with a cache, T new tokens after its own.

        Raises:
            ValueError: more tokens than the context holds.
        """
        length = tokens.shape[1] + (cache.length if cache else 0)
        if length > self.config.context:
            raise ValueError(f"expected at most {self.config.context} tokens, got {length}")
        x = self.dropout(self.embedding(tokens))  # (B, T, C)
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache:
            cache.length = length
        return self.read_out(x)

    def read_out(self, x: Tensor) -> Tensor:
        """Logits (..., V) of the residual stream (..., C): norm, head, and the cap both ways."""
        return capped(self.head(self.norm(x)).float(), self.config.logit_cap)


def capped(logits: Tensor, cap: float) -> Tensor:
    """Squeezed smoothly into (-cap, cap); 0: as they are."""
    return cap * torch.tanh(logits / cap) if cap else logits


def next_token_distribution(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """The probabilities to draw the next token from.

    Temperature divides the logits (0, or as good as 0: always the likeliest). Top-k keeps the k
    likeliest; top-p then keeps the fewest whose probabilities reach p (Holtzman et al. 2020,
    arXiv:1904.09751, section 3.1). What is left is rescaled to sum to 1.

    Args:
        logits: (V,).

    Returns:
        (V,), sums to 1.
    """
    if temperature < 1e-6:
        return F.one_hot(logits.argmax(), logits.shape[0]).to(logits.dtype)
    logits = (logits - logits.max()) / temperature
    if top_k is not None and top_k < logits.shape[0]:
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
    probability = logits.softmax(0)
    if top_p is not None and top_p < 1:
        ordered, index = probability.sort(descending=True, stable=True)
        beyond = ordered.cumsum(0) - ordered >= top_p  # the first that reaches p is kept
        beyond[0] = False
        probability = probability.index_fill(0, index[beyond], 0.0)
    return probability / probability.sum()
