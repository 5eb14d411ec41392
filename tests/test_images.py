"""Tensor <-> pixels <-> files, against numpy and PIL."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageOps, ImageSequence

from aigc_demo.images import (
    animation,
    check_images,
    data_uri,
    enlarge,
    grid,
    png,
    stickers,
    strip,
    to_bytes,
)
from aigc_demo.photo import as_digit, from_photo


@pytest.fixture
def images():
    return torch.rand(5, 28, 28, generator=torch.Generator().manual_seed(0))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


# Checking


def test_good_images_come_back_as_they_are(images):
    assert torch.equal(check_images(images), images)
    assert torch.equal(check_images(images.double()), images)
    assert torch.equal(check_images(images.numpy()), images)
    assert check_images(torch.tensor([0.0, 1.0]).view(2, 1, 1).expand(2, 28, 28)).shape[0] == 2


BAD = {
    "none at all": torch.zeros(0, 28, 28),
    "one without a batch": torch.zeros(28, 28),
    "a channel": torch.zeros(1, 1, 28, 28),
    "another size": torch.zeros(1, 28, 27),
    "bytes": torch.zeros(1, 28, 28, dtype=torch.uint8),
    "complex": torch.zeros(1, 28, 28, dtype=torch.complex64),
    "below 0": torch.full((1, 28, 28), -0.01),
    "above 1": torch.full((1, 28, 28), 1.01),
    "NaN": torch.full((1, 28, 28), torch.nan),
    "infinity": torch.full((1, 28, 28), torch.inf),
    "a list": [[0.0] * 28] * 28,
    "nothing": None,
    "an array of words": np.full((1, 28, 28), "ink"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_image_is_refused(what):
    with pytest.raises(ValueError, match="expected"):
        check_images(BAD[what])


# Pixels


def test_shades_are_rounded_to_the_nearest_byte():
    assert to_bytes(torch.tensor([0.0, 0.4 / 255, 0.6 / 255, 0.5, 1.0])).tolist() == [
        0,
        0,
        1,
        128,
        255,
    ]


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 9])
def test_grid_places_images_row_by_row(images, columns):
    picture = grid(images, columns)
    width = min(columns, 5)
    expected = np.zeros((-(-5 // width) * 28, width * 28), np.float32)
    for index, image in enumerate(images.numpy()):
        top, left = index // width * 28, index % width * 28
        expected[top : top + 28, left : left + 28] = image
    np.testing.assert_array_equal(picture.numpy(), expected)


def test_enlarged_pixels_are_squares_with_hard_edges(images):
    expected = np.kron(images.numpy(), np.ones((3, 3), np.float32))
    np.testing.assert_array_equal(enlarge(images, 3).numpy(), expected)


def test_a_png_opens_in_pil_with_the_same_pixels(images):
    picture = opened(png(images[0]))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (28, 28))
    np.testing.assert_array_equal(np.asarray(picture), np.rint(images[0].numpy() * 255))


def test_whole_bytes_survive_a_png_and_back():
    image = torch.arange(784).view(28, 28) % 256 / 255
    image[[0, -1]] = image[:, [0, -1]] = 0  # a black border: bright ink on black
    assert torch.equal(as_digit(opened(png(image))), image)


def test_a_data_uri_holds_the_file():
    head, _, body = data_uri(b"\x00abc", "webp").partition(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(body) == b"\x00abc"


def test_a_strip_shows_all_images_side_by_side(images):
    picture = opened(base64.b64decode(strip(images).partition(",")[2]))
    np.testing.assert_array_equal(np.asarray(picture), to_bytes(torch.cat(list(images), 1)))


# Animations


@pytest.mark.parametrize("count, frames", [(5, 8), (2, 2), (3, 4)])
def test_an_animation_goes_there_and_back_without_loss(images, count, frames):
    movie = opened(animation(images[:count], milliseconds=50, scale=2))
    assert movie.format == "WEBP"
    assert movie.is_animated
    assert movie.n_frames == frames
    assert movie.info["loop"] == 0  # endless
    shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(movie)]
    order = [*range(count), *range(count - 2, 0, -1)]
    for found, index in zip(shown, order, strict=True):
        np.testing.assert_array_equal(found, to_bytes(enlarge(images[index], 2)))


def test_an_animation_lasts_as_long_as_asked(images):
    movie = opened(animation(images, milliseconds=50, scale=1))
    movie.seek(1)
    movie.load()
    assert movie.info["duration"] == 50


# Photographs

SEVEN = [(250, 200), (430, 200), (310, 560)]


def photo(size=(700, 900), paper=215, ink=40, noise=8) -> Image.Image:
    """A seven on unevenly lit, speckled paper, off centre."""
    drawn = Image.new("L", size, paper)
    ImageDraw.Draw(drawn).line(SEVEN, fill=ink, width=45, joint="curve")
    pixels = np.asarray(drawn, np.float32) + np.linspace(-8, 8, size[0])
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def box_of(digit: torch.Tensor) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the ink, ends included."""
    rows, columns = torch.where(digit > 0.3)
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_a_photo_becomes_a_bright_digit_on_dark_as_large_as_in_mnist():
    digit = from_photo(photo())
    assert digit.shape == (28, 28)
    assert digit.dtype == torch.float32
    assert digit.min() == 0
    assert 0.9 < digit.max() <= 1
    top, bottom, left, right = box_of(digit)
    assert max(bottom - top, right - left) + 1 in (19, 20)
    assert digit[[0, -1]].sum() == digit[:, [0, -1]].sum() == 0


def test_a_photographed_digit_is_centred_by_its_mass():
    digit = from_photo(photo())
    place = torch.arange(28.0)
    row = (digit.sum(1) * place).sum() / digit.sum()
    column = (digit.sum(0) * place).sum() / digit.sum()
    assert abs(row - 13.5) <= 0.75
    assert abs(column - 13.5) <= 0.75


def test_a_photographed_digit_keeps_its_shape():
    clean = Image.new("L", (700, 900), 0)
    ImageDraw.Draw(clean).line(SEVEN, fill=255, width=45, joint="curve")
    cut = clean.crop(clean.getbbox())
    digit = from_photo(photo())
    top, bottom, left, right = box_of(digit)
    size = (right - left + 1, bottom - top + 1)
    assert size[0] / size[1] == pytest.approx(cut.width / cut.height, abs=0.08)
    expected = np.asarray(cut.resize(size, Image.Resampling.BOX)).ravel()
    found = digit[top : bottom + 1, left : right + 1].numpy().ravel()
    assert np.corrcoef(found, expected)[0, 1] > 0.95


def test_light_ink_on_dark_paper_gives_the_same_digit():
    picture = photo()
    inverted = from_photo(ImageOps.invert(picture))
    torch.testing.assert_close(inverted, from_photo(picture), atol=0.01, rtol=0)


def test_pictures_and_arrays_in_grey_and_colour_give_the_same_digit():
    picture = photo()
    expected = from_photo(picture)
    for same in (np.asarray(picture), picture.convert("RGB"), np.asarray(picture.convert("RGB"))):
        torch.testing.assert_close(from_photo(same), expected)


def test_transparent_parts_of_a_sketch_count_as_paper():
    sketch = Image.new("RGBA", (280, 280), (0, 0, 0, 0))
    ImageDraw.Draw(sketch).line([(140, 40), (140, 240)], fill=(0, 0, 0, 255), width=24)
    paper = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(paper).line([(140, 40), (140, 240)], fill=0, width=24)
    torch.testing.assert_close(from_photo(sketch), from_photo(paper))


def test_a_photo_is_turned_as_its_camera_noted():
    picture, file = photo(), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    picture.transpose(Image.Transpose.ROTATE_90).save(file, "PNG", exif=exif)
    torch.testing.assert_close(from_photo(opened(file.getvalue())), from_photo(picture))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_picture_is_refused(shade):
    with pytest.raises(ValueError, match="blank"):
        from_photo(Image.new("RGB", (300, 200), (shade,) * 3))


def test_a_28x28_picture_is_taken_as_it_is_and_a_larger_one_is_prepared():
    small = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    small[[0, -1]] = 0  # a dark border
    small[:, [0, -1]] = 0
    np.testing.assert_array_equal(as_digit(small).numpy(), small.astype(np.float32) / 255)
    assert torch.equal(as_digit(photo()), from_photo(photo()))


def test_stickers_are_ink_on_a_white_edge_with_nothing_around() -> None:
    digit = torch.zeros(2, 28, 28)
    digit[0, 10:18, 12:16] = 1
    with Image.open(io.BytesIO(stickers(digit, 2))) as image:
        grey, clear = np.asarray(image).transpose(2, 0, 1)
    side = 34 * 6
    assert grey.shape == (side, 2 * side)
    middle = (3 + 14) * 6
    assert (grey[middle, middle], clear[middle, middle]) == (0, 255)  # ink
    beside = (3 + 12) * 6 - 10
    assert (grey[middle, beside], clear[middle, beside]) == (255, 255)  # edge
    assert clear[5, 5] == 0 and clear[:, side:].max() == 0  # the second is blank
