"""Invented or copied? The training digits that are nearest to a picture."""

from dataclasses import dataclass

import torch
from torch import Tensor

from aigc_demo.images import check_images
from aigc_demo.samples import sample_index


@dataclass(frozen=True)
class Neighbours:
    """The k nearest training digits of each of B pictures, nearest first."""

    places: Tensor  # (B, k), their places among the 60,000 training digits
    labels: Tensor  # (B, k)
    distances: Tensor  # (B, k), Euclidean, on the index's principal components
    pictures: Tensor  # (B, k, 28, 28), as the index keeps them


class TrainingIndex:
    """All 60,000 training digits, each by its coordinates on 64 principal components.

    Distances are Euclidean in these coordinates, where a pixel's grey goes from 0 to 1.
    """

    def __init__(self) -> None:
        kept = sample_index()
        self.mean, self.axes = kept["mean"], kept["axes"].float()
        self.places = kept["codes"].float() * kept["scale"]  # (60000, 64)
        self.labels = kept["labels"].long()
        self.real = kept["real"]  # sorted: nearest distance of real digits that are not in it

    def coordinates(self, images: Tensor) -> Tensor:
        """(B, 28, 28) -> (B, 64)."""
        return (images.flatten(1) - self.mean) @ self.axes

    def nearest(self, images: Tensor, count: int = 5) -> Neighbours:
        """The nearest training digits of each image (B, 28, 28).

        Raises:
            ValueError: not such images.
        """
        apart = torch.cdist(self.coordinates(check_images(images)), self.places)
        distances, places = apart.topk(count, largest=False)
        pictures = self.places[places] @ self.axes.T + self.mean
        pictures = pictures.clamp(0, 1).unflatten(-1, (28, 28))
        return Neighbours(places, self.labels[places], distances, pictures)

    def share_of_real_nearer(self, distance: float) -> float:
        """The share of real, unseen digits that have a training digit nearer than this."""
        return torch.searchsorted(self.real, distance).item() / len(self.real)

    @property
    def typical(self) -> float:
        """The median distance of a real, unseen digit to its nearest training digit."""
        return self.real.median().item()
