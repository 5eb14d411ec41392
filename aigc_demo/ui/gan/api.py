"""The endpoints of the GAN tab."""

from typing import Any

from gradio.data_classes import FileData

from aigc_demo.images import animation, grid, png
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import GANS, TRUNCATION
from aigc_demo.ui.catalog.tab import Endpoints
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.api_files import file_of, picture_of
from aigc_demo.ui.page.classes import known_classes, labels_of
from aigc_demo.ui.page.page import PICTURES


class GANEndpoints(Endpoints):
    """gan_sample, gan_morph, gan_realness."""

    queue = PICTURES

    def gan_sample(
        self,
        model: str = "gan",
        labels: str = "mixed",
        count: int = 16,
        seed: int = 0,
        truncation: float = TRUNCATION,
    ) -> FileData:
        """Draw digits.

        Args:
            model: gan, gan-mlp, which knows no classes, or owner/repo@revision.
            labels: "mixed", or digits, repeated up to the count: "2026" or a list, [2, 0, 2, 6].
            count: 1 to 64.
            seed: a whole number from 0; digit i has seed + i.
            truncation: 0 to 1, less is more typical.

        Returns:
            A grid of digits, 8 a row, as a PNG.
        """
        sampler = self._sampler(model)
        count, seed = check.whole(count, "count", 1, 64), check.seed(seed)
        wanted = None
        if labels != "mixed":
            digits = known_classes(sampler, labels_of(labels))
            wanted = [digits[i % len(digits)] for i in range(count)]
        truncation = check.real(truncation, "truncation", 0, 1)
        images = sampler.sample(range(seed, seed + count), wanted, truncation)
        return file_of(png(grid(images, columns=8), scale=4), "png")

    def gan_morph(
        self,
        model: str = "gan",
        first_label: int = 3,
        last_label: int = 8,
        first_seed: int = 0,
        last_seed: int = 1,
        steps: int = 24,
        truncation: float = TRUNCATION,
    ) -> FileData:
        """Turn one digit into another.

        Args:
            model: gan, gan-mlp, for which the labels mean nothing, or owner/repo@revision.
            first_label: the digit to begin with, 0 to 9.
            last_label: the digit to turn it into, 0 to 9.
            first_seed: a whole number from 0, the style of the first digit.
            last_seed: a whole number from 0, the style of the last digit.
            steps: 2 to 64 frames.
            truncation: 0 to 1, less is more typical.

        Returns:
            An animated WebP, there and back.
        """
        sampler = self._sampler(model)
        ends = [check.whole(label, "digits", 0, 99) for label in (first_label, last_label)]
        labels = (ends[0], ends[1]) if sampler.classes else None
        if labels:
            known_classes(sampler, ends)
        seeds = [check.seed(first_seed), check.seed(last_seed)]
        steps = check.whole(steps, "steps", 2, 64)
        truncation = check.real(truncation, "truncation", 0, 1)
        frames = sampler.morph(labels, (seeds[0], seeds[1]), steps, truncation)
        return file_of(animation(frames), "webp")

    def gan_realness(self, picture: str) -> dict[str, Any]:
        """Ask the judge (a classifier) what it reads, and the discriminator how real that looks.

        The discriminator has only ever seen real digits and the generator's: anything else, such as
        a pattern, may score high.

        Args:
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.

        Returns:
            score (higher means taken for real) of the picture as the digit that the judge reads,
            and probabilities of the digits 0 to 9.
        """
        image = picture_of(picture)[None]
        read = self._models.judge.classify(image)[0]
        score = self._models.gan().realness(image, [int(read.argmax())]).item()
        return {"score": score, "probabilities": read.tolist()}

    def _sampler(self, model: Any) -> DigitSampler:
        return self._models.gan(self._models.known(self._others.bring(model, "gan"), GANS))
