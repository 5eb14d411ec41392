"""A user's own pictures and texts, as messy as they come."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.data.own import decoded, natural, read_pictures, read_texts

SIMPLIFIED = (
    "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。早上去学校上课，老师讲了很多故事。\n" * 9
)
TRADITIONAL = (
    "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。早上去學校上課，老師講了很多故事。\n" * 9
)


def draw(path: Path, level: int = 0, mode: str = "L", size: int = 32) -> None:
    """A picture with a square in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new(mode, (size, size), {"L": 255, "RGBA": (0, 0, 0, 0)}[mode])
    ink = (level, level, level, 255) if mode == "RGBA" else level
    picture.paste(ink, (8, 8, 16, 24))
    picture.save(path)


def test_classes_are_the_last_folders_in_natural_order_and_hidden_files_are_left_out(
    tmp_path: Path, capsys
) -> None:
    for name in range(12):
        for number in range(6):
            draw(tmp_path / "train" / str(name) / f"{number}.png", level=10 * name)
    draw(tmp_path / "test" / "3" / "x.png")
    draw(tmp_path / "train" / "3" / ".ipynb_checkpoints" / "0.png")
    (tmp_path / "train" / "3" / "._0.png").write_bytes(b"Mac OS X")
    images, labels, names = read_pictures(tmp_path)
    assert names == [str(name) for name in range(12)]
    assert len(images) == 73 and labels.bincount().tolist() == [6] * 3 + [7] + [6] * 8
    said = capsys.readouterr().err
    assert "2 hidden files left out" in said and "warning: 73 pictures for 12 classes" in said
    assert sorted(["b2", "B10", "a"], key=natural) == ["a", "b2", "B10"]


def test_what_is_transparent_is_paper_and_16_bits_are_scaled(tmp_path: Path) -> None:
    for number in range(64):
        draw(tmp_path / f"{number}.png", mode="RGBA")
    images, _, names = read_pictures(tmp_path)
    assert names == [""] and images[0, 0, 0] == 1 and images[0, 14, 10] < 0.1
    grey = np.full((28, 28), 65535, np.uint16)
    grey[7:14] = 20_000
    for number in range(64):
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
    images, _, _ = read_pictures(tmp_path)
    assert images[0, 0, 0] == 1
    torch.testing.assert_close(images[0, 10, 5], torch.tensor(20_000 / 65535), atol=0.01, rtol=0)


def test_a_set_of_blank_pictures_is_refused(tmp_path: Path) -> None:
    for number in range(64):
        Image.new("L", (32, 32), 200).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match="blank ones only"):
        read_pictures(tmp_path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "gbk"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5"),
        (SIMPLIFIED, "utf-16"),
        (SIMPLIFIED, "utf-16-le"),
        (TRADITIONAL, "utf-16-be"),
        ("To be, or not to be. " * 20, "utf-16-le"),
        (SIMPLIFIED, "utf-8-sig"),
        ("Le café naïf, à côté. " * 20, "cp1252"),
    ],
)
def test_texts_of_the_usual_encodings_are_recognised(
    text: str, encoding: str, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    assert read_texts([path], 10) == text
    said = capsys.readouterr().err
    assert ("read as" in said) == (encoding != "utf-8-sig") and "warning: " in said
    assert read_texts([path], 10, encoding) == text


def test_bytes_that_are_no_text_and_unknown_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(SIMPLIFIED.encode("gbk"))
    with pytest.raises(ValueError, match="expected an encoding that Python knows, got 'klingon'"):
        read_texts([path], 10, "klingon")
    with pytest.raises(ValueError, match="expected text in ascii"):
        read_texts([path], 10, "ascii")
    assert decoded(b"plain") == ("plain", "utf-8")
