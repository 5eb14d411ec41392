"""Digits photographed and drawn, by what the bundled judge reads."""

import io
import os

import numpy as np
import pytest
import torch
from PIL import Image
from synthetic_photos import photograph

from aigc_demo.inference.judge import DigitJudge
from aigc_demo.photo import as_digit, as_mnist, from_photo
from aigc_demo.samples import sample_digits

COUNT = int(os.environ.get("AIGC_PHOTOS", "30"))  # of each kind; 300 for the figures


@pytest.mark.parametrize(
    "kind",
    ("plain", "lined", "squared", "shadow", "pencil", "thin", "portrait", "desk", "chalk"),
)
def test_photographed_digits_are_read(kind: str) -> None:
    images, labels = sample_digits("test")
    seen = torch.stack([from_photo(photograph(images[i], kind, i)) for i in range(COUNT)])
    read = DigitJudge.load().classify(seen).argmax(1)
    assert (read == labels[:COUNT]).float().mean() >= 0.92


@pytest.mark.parametrize(
    ("kind", "sides"),  # a digit's height is 5/7 of a side
    [("plain", (28, 42)), ("thin", (42, 56)), ("lined", (56, 90)), ("desk", (56, 90))],
)
def test_small_digits_in_large_photographs_are_read(kind: str, sides: tuple[int, int]) -> None:
    images, labels = sample_digits("test")
    seen = torch.stack([from_photo(photograph(images[i], kind, i, sides)) for i in range(COUNT)])
    read = DigitJudge.load().classify(seen).argmax(1)
    assert (read == labels[:COUNT]).float().mean() >= 0.92


def test_a_digit_is_found_wherever_it_is() -> None:
    digit = sample_digits("test")[0][0]
    for top in (0, 330, 640):
        page = Image.new("L", (450, 900), 235)
        ink = Image.fromarray((255 - 255 * digit.numpy()).astype(np.uint8)).resize((240, 240))
        page.paste(ink.point(lambda grey: min(grey, 235)), (200, top))
        read = DigitJudge.load().classify(from_photo(page)[None]).argmax(1)
        assert read.item() == sample_digits("test")[1][0]


@pytest.mark.parametrize("mode", ("RGBA", "LA", "P", "I;16", "I", "1", "CMYK"))
def test_every_mode_of_picture_is_the_same_digit(mode: str) -> None:
    digit = sample_digits("test")[0][2]
    small = Image.fromarray((255 * digit.numpy()).astype(np.uint8))
    large = small.resize((140, 140), Image.Resampling.NEAREST)
    expected = from_photo(Image.eval(large, lambda grey: 255 - grey))
    grey = np.asarray(large, np.uint8)
    if mode in ("RGBA", "LA"):  # black ink on nothing
        picture = Image.new(mode, large.size, 0)
        picture.putalpha(large)
    elif mode == "I;16":
        picture = Image.fromarray((255 - grey.astype(np.uint16)) * 257)
    elif mode == "I":
        picture = Image.fromarray((255 - grey.astype(np.int32)) * 257)
    else:
        picture = Image.eval(large, lambda level: 255 - level).convert(mode)
    file = io.BytesIO()
    picture.save(file, "TIFF" if mode in ("CMYK", "I") else "PNG")
    found = from_photo(Image.open(file))
    judge = DigitJudge.load()
    read = [judge.classify(one[None]).argmax().item() for one in (found, expected)]
    assert read[0] == read[1] == sample_digits("test")[1][2]
    if mode not in ("1", "CMYK", "P"):
        torch.testing.assert_close(found, expected, atol=0.05, rtol=0)


def test_white_ink_on_nothing_is_seen_too() -> None:
    digit = sample_digits("test")[0][2]
    large = Image.fromarray((255 * digit.numpy()).astype(np.uint8)).resize((140, 140))
    picture = Image.new("RGBA", large.size, (255, 255, 255, 0))
    picture.putalpha(large)
    assert DigitJudge.load().classify(from_photo(picture)[None]).argmax() == 1


def test_a_small_picture_is_turned_by_its_border() -> None:
    digit = sample_digits("test")[0][5]
    grey = (255 * digit.numpy()).round().astype(np.uint8)
    torch.testing.assert_close(as_digit(255 - grey), as_digit(grey))
    for paper, ink in ((110, 20), (150, 90), (255, 128), (90, 230), (20, 200)):
        seen = as_digit((paper + (ink - paper) * digit.numpy()).round().astype(np.uint8))
        torch.testing.assert_close(seen, digit, atol=0.02, rtol=0)


y, x = np.mgrid[-1:1:28j, -1:1:28j]
LIGHTS = {  # of white paper, 0 to 255
    "slanted": 200 + 30 * x - 25 * y,
    "strong": 150 + 75 * y,
    "lamp": 225 - 30 * ((x + 0.3) ** 2 + (y + 0.3) ** 2),
    "grain": 190 + 20 * x + np.random.default_rng(0).normal(0, 8, (28, 28)),
}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("share", [0.4, 0.8])  # of the light that ink takes
def test_small_pictures_in_uneven_light_are_read(light: str, share: float) -> None:
    images, labels = sample_digits("test")
    pictures = (LIGHTS[light] * (1 - share * images[:60].numpy())).clip(0, 255).astype(np.uint8)
    read = DigitJudge.load().classify(torch.stack(list(map(as_digit, pictures)))).argmax(1)
    assert (read == labels[:60]).float().mean() >= 0.95


@pytest.mark.parametrize("wide", [1, 2, 3])
@pytest.mark.parametrize(("paper", "ink", "frame"), [(255, 0, 0), (255, 0, 100), (20, 240, 255)])
def test_a_small_picture_loses_its_frame(wide: int, paper: int, ink: int, frame: int) -> None:
    digit = sample_digits("test")[0][5]
    picture = (paper + (ink - paper) * digit.numpy()).round().astype(np.uint8)
    framed = np.full_like(picture, frame)
    framed[wide:-wide, wide:-wide] = picture[wide:-wide, wide:-wide]
    torch.testing.assert_close(as_digit(framed), as_digit(picture), atol=0.02, rtol=0)


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_small_blank_picture_is_refused(grey: int) -> None:
    with pytest.raises(ValueError, match="blank"):
        as_digit(np.full((28, 28), grey, np.uint8))


@pytest.mark.parametrize("size", [14, 27, 40])
def test_a_digit_in_a_few_pixels_is_read(size: int) -> None:
    images, labels = sample_digits("test")
    pictures = [Image.fromarray((255 * (1 - image.numpy())).astype(np.uint8)) for image in images]
    found = torch.stack([from_photo(picture.resize((size, size))) for picture in pictures[:100]])
    read = DigitJudge.load().classify(found).argmax(1)
    assert (read == labels[:100]).float().mean() >= 0.95


def test_a_mere_dot_is_no_error() -> None:
    dot = torch.zeros(40, 40)
    dot[3:5, 3:5] = 1
    assert as_mnist(dot).shape == (28, 28) and as_mnist(dot).max() == 1


def test_nothing_is_no_digit() -> None:
    with pytest.raises(ValueError, match="blank"):
        as_mnist(torch.zeros(28, 28))
    noise = np.random.default_rng(0).normal(200, 2, (300, 400)).astype(np.uint8)
    with pytest.raises(ValueError, match="blank"):
        from_photo(noise)
