"""A look inside a model as one grey picture, for the game of the broken ones."""

import torch
from torch import Tensor

from aigc_demo.explain.transformer import trace
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.samples import sample_digits, sample_text

READ = 48  # characters of a text
SCORED = 200  # digits, real ones and made ones
WIDEST = 8.0  # scores are drawn from minus this to this; what lies beyond, at the edge
FURTHEST = 4.0  # standard deviations from the middle of the plane to its edge, likewise
CELLS, HEIGHT = 48, 24  # of a picture across; of bars


def attention(writer: TextWriter) -> Tensor:
    """What each character of a text looks at, row by row: the maps of all layers beside each other,
    averaged over heads, their root to be seen, (READ, layers x READ).
    """
    ids = writer.tokenizer.encode(sample_text("unseen.txt")[:READ])
    maps = trace(writer, ids).weights.mean(1).sqrt()  # (L, T, T)
    edge = torch.full((len(maps), maps.shape[1], 1), 0.5)
    return torch.cat([maps, edge], 2).transpose(0, 1).flatten(1)[:, :-1]


def scores(sampler: DigitSampler) -> Tensor:
    """Two bar charts of the discriminator's scores: of real digits above, of made ones below."""
    real = sampler.realness(sample_digits("test")[0][:SCORED])
    made = sampler.realness(sampler.sample(range(SCORED)))
    return torch.cat([_bars(real), torch.full((1, CELLS), 0.5), _bars(made).flip(0)])


def _bars(values: Tensor) -> Tensor:
    """How often values fall into each cell, as bars that stand on the lower edge."""
    counts = torch.histc(values.float().clamp(-WIDEST, WIDEST), CELLS, -WIDEST, WIDEST)
    tall = (counts / counts.max() * HEIGHT).round()
    return (torch.arange(HEIGHT, 0, -1)[:, None] <= tall[None]).float()


def codes(means: Tensor) -> Tensor:
    """Where an encoder puts digits on the plane of the first two coordinates: brighter for more.

    means: (N, D).
    """
    cells = ((means[:, :2] / FURTHEST + 1) / 2 * CELLS).long().clamp(0, CELLS - 1)
    plane = torch.zeros(CELLS, CELLS)
    plane.index_put_((CELLS - 1 - cells[:, 1], cells[:, 0]), torch.ones(len(cells)), True)
    return (plane / 3).clamp(max=1)
