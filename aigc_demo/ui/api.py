"""The web API: the named endpoints, for gradio_client and plain HTTP.

What is wrong is answered with one sentence, English unless `lang` says zh. Pictures go in as
uploaded files or as PNG data URIs, 28x28 or a photograph; they come out as files.
"""

import asyncio
import base64
import binascii
import io
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image
from torch import Tensor

from aigc_demo.explain.branches import candidates, next_logits
from aigc_demo.explain.transformer import trace
from aigc_demo.images import animation, as_digit, data_uri, grid, png
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.transformer import set_in_lines
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.names import GANS, VAES
from aigc_demo.samples import sample_digits
from aigc_demo.ui import check
from aigc_demo.ui.endpoints import document, parameters_of, speaking
from aigc_demo.ui.gan import known_classes
from aigc_demo.ui.layout import WRITING
from aigc_demo.ui.models import Models
from aigc_demo.ui.others import Others
from aigc_demo.ui.reading import asked
from aigc_demo.ui.transformer import (
    LONGEST,
    LONGEST_PROMPT,
    begun,
    paced,
    ready,
    settings_of,
    shape_of,
)
from aigc_demo.ui.words import Words

LARGEST_PICTURE = 4_000_000  # pixels
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # Pillow's ways
CANDIDATES = 40  # in the table, at most
# Apart from the page's own: one may wait for the Hub.
PROGRAMS = {"concurrency_id": "programs", "concurrency_limit": 2}
PICTURES = {"concurrency_id": "pictures", "concurrency_limit": 16}


class Endpoints:
    """One method an endpoint; docstring and type hints are its documentation on the page.

    There a parameter has one line. `lang` is added to each, see endpoints.py.
    """

    def __init__(self, models: Models, others: Others) -> None:
        self._models, self._others = models, others

    def gan_sample(
        self,
        model: str = "gan",
        labels: str = "mixed",
        count: int = 16,
        seed: int = 0,
        truncation: float = 1.0,
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
            digits = known_classes(sampler, _labels(labels))
            wanted = [digits[i % len(digits)] for i in range(count)]
        truncation = check.real(truncation, "truncation", 0, 1)
        images = sampler.sample(range(seed, seed + count), wanted, truncation)
        return _file(png(grid(images, columns=8), scale=4), "png")

    def gan_morph(
        self,
        model: str = "gan",
        first_label: int = 3,
        last_label: int = 8,
        first_seed: int = 0,
        last_seed: int = 1,
        steps: int = 24,
    ) -> FileData:
        """Turn one digit into another.

        Args:
            model: gan, gan-mlp, for which the labels mean nothing, or owner/repo@revision.
            first_label: the digit to begin with, 0 to 9.
            last_label: the digit to turn it into, 0 to 9.
            first_seed: a whole number from 0, the style of the first digit.
            last_seed: a whole number from 0, the style of the last digit.
            steps: 2 to 64 frames.

        Returns:
            An animated WebP, there and back.
        """
        sampler = self._sampler(model)
        ends = [check.whole(label, "digits", 0, 9) for label in (first_label, last_label)]
        labels = (ends[0], ends[1]) if sampler.classes else None
        if labels:
            known_classes(sampler, ends)
        seeds = [check.seed(first_seed), check.seed(last_seed)]
        steps = check.whole(steps, "steps", 2, 64)
        frames = sampler.morph(labels, (seeds[0], seeds[1]), steps)
        return _file(animation(frames), "webp")

    def gan_realness(self, picture: str) -> dict[str, Any]:
        """Ask the discriminator how real a digit looks, and the judge what it reads.

        Args:
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.

        Returns:
            score (higher means taken for real) and probabilities of the digits 0 to 9.
        """
        image = _picture(picture)[None]
        probabilities = self._models.judge.classify(image)[0].tolist()
        return {
            "score": self._models.gan().realness(image).item(),
            "probabilities": probabilities,
        }

    def vae_encode(self, model: str, picture: str) -> tuple[dict[str, list[float]], FileData]:
        """Encode a digit.

        Args:
            model: vae-2d, vae or owner/repo@revision.
            picture: an uploaded file or a PNG data URI; 28x28, bright on black, or a photograph.

        Returns:
            The posterior's mean and standard deviation, and the reconstruction as a 28x28 PNG.
        """
        walker = self._walker(model)
        mean, deviation = walker.encode(_picture(picture)[None])
        rebuilt = walker.decode(mean)[0]
        numbers = {"mean": mean[0].tolist(), "standard_deviation": deviation[0].tolist()}
        return numbers, _file(png(rebuilt), "png")

    def vae_decode(self, model: str = "vae-2d", z: list[float] = [0.0, 0.0]) -> FileData:  # noqa: B006
        """Decode a latent point.

        Args:
            model: vae-2d, vae or owner/repo@revision.
            z: as many numbers as the model has dimensions (vae-2d: 2, vae: 32), -1000 to 1000.

        Returns:
            The digit as a 28x28 PNG.
        """
        walker = self._walker(model)
        return _file(png(walker.decode([_point(walker, z)])[0]), "png")

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
        return _file(png(grid(frames, columns=steps)), "png"), _file(animation(frames), "webp")

    async def text_write(
        self,
        model: str = "shakespeare",
        prompt: str = "ROMEO:",
        length: int = 200,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        penalty: float = 1.0,
        seed: int = 0,
    ) -> AsyncIterator[str]:
        """Continue a text.

        Args:
            model: shakespeare or owner/repo@revision.
            prompt: 1 to 2,000 characters that the model knows.
            length: 1 to 1,000 new characters.
            temperature: 0 to 2.
            top_k: 0 (off) to 200.
            top_p: 0.05 to 1 (off).
            penalty: 1 (off) to 5, on repeated characters.
            seed: a whole number from 0.

        Returns:
            The continuation, growing.
        """
        model = self._models.known(
            await asyncio.to_thread(self._others.bring, model, "transformer"), ("shakespeare",)
        )
        prompt = check.text(prompt, "prompt", LONGEST_PROMPT)
        if not prompt:
            raise check.Complaint("error.empty_prompt")
        writing = (await ready(self._models, model)).begin(
            prompt,
            check.whole(length, "length", 1, LONGEST),
            **settings_of(temperature, top_k, top_p, penalty, seed),
        )
        async for text in paced(writing):
            yield text

    async def poem_write(
        self,
        form: str = "七绝",
        title: str = "",
        first_line: str = "",
        acrostic: str = "",
        regulated: bool = True,
        temperature: float = 0.8,
        seed: int = 0,
    ) -> AsyncIterator[str]:
        """Write a Chinese poem.

        Args:
            form: 五绝, 七绝, 五律 or 七律.
            title: up to 16 characters.
            first_line: up to one line of characters.
            acrostic: up to one character a line, for the beginnings of the lines.
            regulated: hold the poem to the rules of line, tone and rhyme (格律).
            temperature: 0 to 2.
            seed: a whole number from 0.

        Returns:
            The poem in traditional characters, a line of verse a line, growing.
        """
        poem = self._models.writer("poems").begin_poem(
            *begun(form, title, first_line, acrostic, regulated),
            temperature=check.real(temperature, "temperature", 0, 2),
            seed=check.seed(seed),
        )
        async for text in paced(poem):
            yield set_in_lines(text)

    def text_candidates(
        self,
        model: str = "shakespeare",
        text: str = "ROMEO:",
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> list[dict[str, Any]]:
        """List what may come after a text.

        Args:
            model: shakespeare, poems or owner/repo@revision.
            text: 1 to 2,000 characters; for poems a poem or the beginning of one.
            temperature: 0 to 2.
            top_k: 0 (off) to 200.
            top_p: 0.05 to 1 (off).

        Returns:
            The likeliest tokens, at most 40, with their ids and probabilities.
        """
        writer, reading, _ = asked(self._models, self._others.bring(model, "transformer"), text)
        found = candidates(
            next_logits(writer, reading.ids),
            CANDIDATES,
            **shape_of(temperature, top_k, top_p),
        )
        name = writer.tokenizer.name_of
        return [{"token": name(i), "id": i, "probability": share} for i, share in found]

    def text_attention(
        self, model: str = "shakespeare", text: str = "ROMEO:", layer: int = 1, head: int = 1
    ) -> dict[str, Any]:
        """Show where one head of one layer looks.

        Args:
            model: shakespeare, poems or owner/repo@revision.
            text: as for text_candidates; at most its last 256 tokens are looked at.
            layer: 1 to as many as the model has.
            head: 1 to as many as a layer has.

        Returns:
            tokens, and weights: a row a token, a column for each token it looks at, sum 1.
        """
        writer, reading, _ = asked(self._models, self._others.bring(model, "transformer"), text)
        config = writer.model.config
        row = check.whole(layer, "layer", 1, config.layers) - 1
        column = check.whole(head, "head", 1, config.heads) - 1
        weights = trace(writer, reading.ids).weights[row, column]
        tokens = [writer.tokenizer.name_of(token) for token in reading.ids]
        return {"tokens": tokens, "weights": [[round(w, 6) for w in r] for r in weights.tolist()]}

    def _walker(self, model: Any) -> LatentWalker:
        return self._models.vae(self._models.known(self._others.bring(model, "vae"), VAES))

    def _sampler(self, model: Any) -> DigitSampler:
        return self._models.gan(self._models.known(self._others.bring(model, "gan"), GANS))


NAMES = tuple(name for name in vars(Endpoints) if not name.startswith("_"))


def add_endpoints(demo: gr.Blocks, models: Models, others: Others, words: Words) -> None:
    """Adds every endpoint to the page being built."""
    endpoints = Endpoints(models, others)
    examples = {"model": "vae-2d", "picture": data_uri(png(sample_digits("test")[0][0]))}
    for name in NAMES:
        looks = PROGRAMS if name.startswith("text") else PICTURES
        group = WRITING if name in ("text_write", "poem_write") else looks
        endpoint = speaking(words, getattr(endpoints, name))
        document(demo, endpoint, examples, api_name=name, **group)


def parameters() -> dict[str, dict[str, Any]]:
    """Endpoint -> its parameters with their defaults, None where there is none."""
    return {name: parameters_of(getattr(Endpoints, name)) for name in NAMES}


def _point(walker: LatentWalker, values: Any) -> list[float]:
    """A latent point of the model's size."""
    if not isinstance(values, list) or len(values) != walker.latent_size:
        raise check.Complaint("error.latent", size=walker.latent_size)
    return [check.real(value, "point", -1_000, 1_000) for value in values]


def _labels(labels: Any) -> list[int]:
    """Digits given as text or as a list."""
    if isinstance(labels, list) and 0 < len(labels) <= 64:
        return [check.whole(label, "digits", 0, 9) for label in labels]
    return check.digits(labels, 64)


def _file(data: bytes, kind: str) -> FileData:
    """A file in Gradio's cache, which build() has it empty by itself."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, suffix=f".{kind}", delete=False) as file:
        file.write(data)
    return FileData(path=file.name, mime_type=f"image/{kind}")


def _picture(value: Any) -> Tensor:
    """An uploaded file or a data URI as a digit (28, 28)."""
    source: Path | io.BytesIO
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        source = Path(value["path"]).resolve()
        if not source.is_relative_to(Path(get_upload_folder()).resolve()):
            raise check.Complaint("error.picture")
    elif isinstance(value, str) and value.startswith("data:image/png;base64,"):
        try:
            source = io.BytesIO(base64.b64decode(value.partition(",")[2], validate=True))
        except binascii.Error:
            raise check.Complaint("error.picture") from None
    else:
        raise check.Complaint("error.picture")
    try:
        with Image.open(source) as image:
            if image.width * image.height > LARGEST_PICTURE:
                raise OSError
            image.load()
    except UNREADABLE:
        raise check.Complaint("error.picture") from None
    try:
        return as_digit(image)
    except ValueError:
        raise check.Complaint("error.blank_photo") from None
