"""The endpoints of the diffusion tab."""

from typing import Any

import torch
from gradio.data_classes import FileData

from aigc_demo.images import animation, grid, png
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.ui.catalog.tab import Endpoints
from aigc_demo.ui.flow.requests import class_told, completions, sampler_of, settings_of, variations
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.api_files import file_of, picture_of
from aigc_demo.ui.page.classes import known_classes, labels_of
from aigc_demo.ui.page.page import PICTURES


class FlowEndpoints(Endpoints):
    """flow_sample, flow_path, flow_redraw, flow_fill."""

    queue = PICTURES

    def flow_sample(
        self,
        model: str = "flow",
        labels: str = "mixed",
        count: int = 16,
        seed: int = 0,
        steps: int = 20,
        guidance: float = 1.0,
    ) -> FileData:
        """Draw digits by following the flow from noise.

        Args:
            model: flow or owner/repo@revision.
            labels: "mixed", or digits, repeated up to the count: "2026" or a list, [2, 0, 2, 6].
            count: 1 to 64.
            seed: a whole number from 0; digit i has seed + i.
            steps: 1 to 50 of Euler's method.
            guidance: 0 to 6; 1 takes the class as it was learnt, 0 forgets it, more stresses it.

        Returns:
            A grid of digits, 8 a row, as a PNG.
        """
        sampler, chosen = self._sampler(model), settings_of(steps, guidance)
        count, seed = check.whole(count, "count", 1, 64), check.seed(seed)
        wanted = None
        if labels != "mixed":
            digits = known_classes(sampler, labels_of(labels))
            wanted = [digits[i % len(digits)] for i in range(count)]
        images = sampler.sample(range(seed, seed + count), wanted, *chosen)
        return file_of(png(grid(images, columns=8), scale=4), "png")

    def flow_path(
        self,
        model: str = "flow",
        label: int = 3,
        seed: int = 0,
        steps: int = 20,
        guidance: float = 1.0,
    ) -> FileData:
        """The way of one digit from noise.

        Args:
            model: flow or owner/repo@revision.
            label: the digit, 0 to 9.
            seed: a whole number from 0.
            steps: 1 to 50 of Euler's method.
            guidance: 0 to 6; 1 takes the class as it was learnt, 0 forgets it, more stresses it.

        Returns:
            An animated WebP, there and back, of steps + 1 pictures each way.
        """
        sampler, chosen = self._sampler(model), settings_of(steps, guidance)
        wanted = known_classes(sampler, [check.whole(label, "digits", 0, 99)])
        frames = sampler.path([check.seed(seed)], wanted, *chosen)[:, 0]
        return file_of(animation(frames), "webp")

    def flow_redraw(
        self,
        picture: str,
        model: str = "flow",
        start: float = 0.5,
        label: str = "read",
        seed: int = 0,
        guidance: float = 1.0,
    ) -> FileData:
        """Variations of a digit: noised back to a time, and led forward again.

        Args:
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.
            model: flow or owner/repo@revision.
            start: 0 to 1; at 0 nothing of the picture is left, at 1 all of it.
            label: the class that is told: "0" to "9", "read" for what the judge reads, or "none".
            seed: a whole number from 0.
            guidance: 0 to 6; 1 takes the class as it was learnt, 0 forgets it, more stresses it.

        Returns:
            A grid of 15 digits, 5 a row, as a PNG.
        """
        sampler, image = self._sampler(model), picture_of(picture)
        start, seed = check.real(start, "start", 0, 1), check.seed(seed)
        told, strength = class_told(self._models, sampler, image, label, guidance)
        made = variations(sampler, image, start, told, seed, strength)
        return file_of(png(grid(made, columns=5), scale=4), "png")

    def flow_fill(
        self,
        picture: str,
        keep: list[list[int]],
        model: str = "flow",
        label: str = "none",
        seed: int = 0,
        guidance: float = 1.0,
    ) -> FileData:
        """Complete a digit of which a part is missing.

        Args:
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.
            keep: 28 rows of 28 numbers, 1 where the picture is kept, 0 where it is drawn anew.
            model: flow or owner/repo@revision.
            label: the class that is told: "0" to "9", "read" for what the judge reads, or "none".
            seed: a whole number from 0.
            guidance: 0 to 6; 1 takes the class as it was learnt, 0 forgets it, more stresses it.

        Returns:
            A grid of 15 digits, 5 a row, as a PNG.
        """
        sampler, image, kept = self._sampler(model), picture_of(picture), _kept(keep)
        told, strength = class_told(self._models, sampler, image * kept, label, guidance)
        seed = check.seed(seed)
        made = completions(sampler, image, kept.bool(), told, seed, strength)
        return file_of(png(grid(made, columns=5), scale=4), "png")

    def _sampler(self, model: Any) -> FlowSampler:
        return sampler_of(self._models, self._others.bring(model, "flow"))


def _kept(rows: Any) -> torch.Tensor:
    """The mask of the pixels to keep, (28, 28) of 0 and 1, from a client's rows."""
    square = isinstance(rows, list) and len(rows) == 28
    if not square or any(not isinstance(row, list) or len(row) != 28 for row in rows):
        raise check.UserError("error.keep")
    if any(isinstance(cell, bool) or cell not in (0, 1) for row in rows for cell in row):
        raise check.UserError("error.keep")
    return torch.tensor(rows, dtype=torch.float32)
