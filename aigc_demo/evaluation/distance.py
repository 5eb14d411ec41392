"""Distances between two sets of pictures, measured on features (N, F)."""

import torch
from torch import Tensor

NEIGHBOURS = 5  # k of density and coverage


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Distance of the two Gaussians that have the features' means and covariances.

    Heusel et al. 2017, arXiv:1706.08500, eq. 6; there on features of Inception, here on any.
    (N, F), (M, F) -> squared units of the features.
    """
    first, second = first.double(), second.double()
    apart = (first.mean(0) - second.mean(0)).square().sum()
    a, b = first.T.cov(), second.T.cov()
    values, vectors = torch.linalg.eigh(a)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    shared = torch.linalg.eigvalsh(root @ b @ root).clamp(min=0).sqrt().sum()
    return (apart + a.trace() + b.trace() - 2 * shared).item()


def density_and_coverage(real: Tensor, fake: Tensor, k: int = NEIGHBOURS) -> tuple[float, float]:
    """Density and coverage of generated samples (Naeem et al. 2020, arXiv:2002.09797, eqs. 8, 9).

    Each real sample has a ball that reaches to its k-th nearest real neighbour. Density: the mean
    number of balls around a fake, over k; about 1 for reals. Coverage: the share of balls that hold
    a fake. (N, F), (M, F).
    """
    reach = torch.cat(
        [torch.cdist(rows, real).kthvalue(k + 1, 1).values for rows in real.split(1_000)]
    )
    inside, covered = 0.0, []
    for rows, radius in zip(real.split(1_000), reach.split(1_000), strict=True):
        near = torch.cdist(rows, fake) < radius[:, None]
        inside += near.sum().item()
        covered.append(near.any(1))
    return inside / (k * len(fake)), torch.cat(covered).float().mean().item()
