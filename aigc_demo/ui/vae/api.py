"""The endpoints of the VAE tab."""

from typing import Any

from gradio.data_classes import FileData

from aigc_demo.images import animation, grid, png
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import VAES
from aigc_demo.ui.catalog.tab import Endpoints
from aigc_demo.ui.kit import check
from aigc_demo.ui.page.api_files import file_of, picture_of
from aigc_demo.ui.page.page import PICTURES


class VAEEndpoints(Endpoints):
    """vae_encode, vae_decode, vae_walk."""

    queue = PICTURES

    def vae_encode(self, model: str, picture: str) -> tuple[dict[str, list[float]], FileData]:
        """Encode a digit.

        Args:
            model: vae-2d, vae or owner/repo@revision.
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.

        Returns:
            The posterior's mean and standard deviation, and the reconstruction as a 28x28 PNG.
        """
        walker = self._walker(model)
        mean, deviation = walker.encode(picture_of(picture)[None])
        rebuilt = walker.decode(mean)[0]
        numbers = {"mean": mean[0].tolist(), "standard_deviation": deviation[0].tolist()}
        return numbers, file_of(png(rebuilt), "png")

    def vae_decode(self, model: str = "vae-2d", z: list[float] = [0.0, 0.0]) -> FileData:  # noqa: B006
        """Decode a latent point.

        Args:
            model: vae-2d, vae or owner/repo@revision.
            z: as many numbers as the model has dimensions (vae-2d: 2, vae: 32), -1000 to 1000.

        Returns:
            The digit as a 28x28 PNG.
        """
        walker = self._walker(model)
        return file_of(png(walker.decode([_point(walker, z)])[0]), "png")

    def vae_walk(
        self,
        model: str = "vae-2d",
        start: list[float] = [-1.0, 0.0],  # noqa: B006
        end: list[float] = [1.0, 0.0],  # noqa: B006
        steps: int = 24,
    ) -> tuple[FileData, FileData]:
        """Walk straight from one latent point to another.

        Args:
            model: vae-2d, vae or owner/repo@revision.
            start: a latent point, as many numbers as the model has dimensions.
            end: another one.
            steps: 2 to 64.

        Returns:
            All steps side by side as a PNG, and an animated WebP.
        """
        walker = self._walker(model)
        steps = check.whole(steps, "steps", 2, 64)
        frames = walker.walk(_point(walker, start), _point(walker, end), steps)
        return file_of(png(grid(frames, columns=steps)), "png"), file_of(animation(frames), "webp")

    def _walker(self, model: Any) -> LatentWalker:
        return self._models.vae(self._models.known(self._others.bring(model, "vae"), VAES))


def _point(walker: LatentWalker, values: Any) -> list[float]:
    """A latent point of the model's size."""
    if not isinstance(values, list) or len(values) != walker.latent_size:
        raise check.UserError("error.latent", size=walker.latent_size)
    return [check.real(value, "point", -1_000, 1_000) for value in values]
