"""A user's own pictures and texts, as messy as they come."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.data.encodings import decoded
from aigc_demo.data.own import natural, read_pictures, read_texts

SIMPLIFIED = (
    "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。早上去学校上课，老师讲了很多故事。\n" * 9
)
TRADITIONAL = (
    "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。早上去學校上課，老師講了很多故事。\n" * 9
)
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 9
KOREAN = "나는 고양이로소이다. 이름은 아직 없다. 어디서 태어났는지 모르겠다.\n" * 9
ENGLISH = "It is a truth universally acknowledged, that a single man must be in want.\n" * 3


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
            draw(tmp_path / "train" / str(name) / f"{number}.png", level=20 * name + number)
    draw(tmp_path / "test" / "3" / "x.png")
    draw(tmp_path / "train" / "3" / ".ipynb_checkpoints" / "0.png")
    (tmp_path / "train" / "3" / "._0.png").write_bytes(b"Mac OS X")
    images, labels, names = read_pictures(tmp_path)
    assert names == [str(name) for name in range(12)]
    assert len(images) == 73 and labels.bincount().tolist() == [6] * 3 + [7] + [6] * 8
    said = capsys.readouterr().err
    assert (
        "2 hidden files left out" in said
        and "warning: 72 different pictures for 12 classes" in said
    )
    assert sorted(["b2", "B10", "a"], key=natural) == ["a", "b2", "B10"]


def test_what_is_transparent_is_paper_and_16_bits_are_scaled(tmp_path: Path) -> None:
    for number in range(64):
        draw(tmp_path / f"{number}.png", mode="RGBA", level=number % 2)
    images, _, names = read_pictures(tmp_path)
    assert names == [""] and images[0, 0, 0] == 1 and images[0, 14, 10] < 0.1
    grey = np.full((28, 28), 65535, np.uint16)
    grey[7:14] = 20_000
    for number in range(64):
        grey[27] = 300 * number
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
    images, _, _ = read_pictures(tmp_path)
    assert images[0, 0, 0] == 1
    torch.testing.assert_close(images[0, 10, 5], torch.tensor(20_000 / 65535), atol=0.01, rtol=0)


def test_a_set_of_blank_pictures_is_refused(tmp_path: Path) -> None:
    for number in range(64):
        Image.new("L", (32, 32), 200).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match="blank ones only"):
        read_pictures(tmp_path)


def test_a_picture_that_is_there_again_and_again_is_no_set(tmp_path: Path, capsys) -> None:
    for number in range(70):
        draw(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match="expected different pictures, got one 70 times"):
        read_pictures(tmp_path)
    draw(tmp_path / "7.png", level=90)
    read_pictures(tmp_path)
    assert "warning: 2 different pictures for 1 class;" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("colour", "ink", "paper"),
    [
        ((255, 230, 60), 0.855, 1.0),  # a bright sprite
        ((225, 225, 225), 0.88, 1.0),
        ((20, 60, 20), 0.18, 1.0),
        ((255, 255, 255), 1.0, 0.0),  # which nobody would see on white
    ],
)
def test_sprites_stand_on_white(
    tmp_path: Path, colour: tuple[int, int, int], ink: float, paper: float
) -> None:
    for number in range(64):
        sprite = Image.new("RGBA", (28, 28))
        sprite.paste((*colour, 255), (4 + number % 9, 4, 14 + number % 9, 24))
        sprite.save(tmp_path / f"{number}.png")
    image = read_pictures(tmp_path)[0][0]
    assert image[14, 9].item() == pytest.approx(ink, abs=0.02)
    assert image[1, 1].item() == paper


@pytest.mark.parametrize(
    ("mode", "white"),
    [("F", 1.0), ("F", 1.02), ("F", 255.0), ("I;16", 4095), ("I;16", 1023), ("I", 65535)],
)
def test_pictures_of_any_depth_are_scaled(tmp_path: Path, mode: str, white: float) -> None:
    kind = {"F": np.float32, "I;16": np.uint16, "I": np.int32}[mode]
    for number in range(64):
        values = np.full((28, 28), white)
        values[7:21, 7 + number % 9] = 0
        values[14, 14] = white / 2
        Image.fromarray(values.astype(kind)).save(tmp_path / f"{number}.tiff")
    image = read_pictures(tmp_path)[0][0]
    assert image[0, 0] == 1 and image[10, 7] == 0
    assert image[14, 14].item() == pytest.approx(0.5, abs=0.02)


def test_pictures_of_other_formats_are_named_and_no_class_is_lost(tmp_path: Path, capsys) -> None:
    for number in range(70):
        draw(tmp_path / "cat" / f"{number}.png", level=number)
    (tmp_path / "cat" / "x.avif").write_bytes(b"")
    assert read_pictures(tmp_path)[2] == ["cat"]
    assert "1 pictures left out (.avif)" in capsys.readouterr().err
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "1.HEIC").write_bytes(b"")
    with pytest.raises(ValueError, match="got none in dog"):
        read_pictures(tmp_path)


def test_names_of_classes_are_read_as_they_are_meant(tmp_path: Path) -> None:
    for place, name in enumerate(
        ("狼".encode("gbk"), "狗".encode(), "e\u0301".encode(), "é".encode(), b"caf\xe9")
    ):
        draw(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)) / "1.png", level=place)
    for number in range(70):
        draw(tmp_path / "z" / f"{number}.png", level=number)
    images, labels, names = read_pictures(tmp_path)
    assert sorted(names) == sorted(["狼", "狗", "é", "café", "z"]) and len(images) == 75


def test_classes_may_be_links_to_folders(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for number in range(40):
            draw(tmp_path / "all" / name / f"{number}.png", level=3 * number)
        (tmp_path / "chosen").mkdir(exist_ok=True)
        (tmp_path / "chosen" / name).symlink_to(tmp_path / "all" / name)
    (tmp_path / "chosen" / "dog" / "around").symlink_to(tmp_path / "chosen")
    images, labels, names = read_pictures(tmp_path / "chosen")
    assert names == ["cat", "dog"] and labels.bincount().tolist() == [40, 40]


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
        (SIMPLIFIED.replace("\n", ""), "utf-16-le"),
        (SIMPLIFIED, "utf-32"),
        (SIMPLIFIED, "utf-32-le"),
        (TRADITIONAL, "utf-32-be"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "shift_jis"),
        (KOREAN, "euc_kr"),
        (f"{ENGLISH}{SIMPLIFIED[:60]}\n{ENGLISH}", "gbk"),
        (f"{ENGLISH}他说“好”。\n" * 30, "gbk"),
        (f"{ENGLISH}{TRADITIONAL[:60]}\n{ENGLISH}", "big5"),
        ("Chapter 1 apple n. 苹果\nbanana n. 香蕉\n" * 100, "gbk"),
        ("He said “hello” to me, “you”. " * 501, "euc_kr"),
        (f"{ENGLISH}“quote”\n" * 5, "big5"),
        ("It’s mine, isn’t it? “Yes” " * 500, "gbk"),
        (f"{ENGLISH}你好\n" * 5, "gbk"),
        ("那年冬天，祖母死了，父親的差使也交卸了。" * 30 + "屋子裏。", "cp950"),
        ("吾輩は猫である。①㈱Ⅲ～" * 30, "cp932"),
        ("모든 국민은 법 앞에 평등하다. 펲 똠방각하 " * 30, "cp949"),
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡。\n" * 30, "gbk"),
        ("Широка страна моя родная, много в ней лесов, полей и рек. " * 30, "koi8_r"),
    ],
)
def test_texts_of_the_usual_encodings_are_recognised(
    text: str, encoding: str, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    assert read_texts([path], 10) == text, decoded(path.read_bytes())[1]
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
    with pytest.raises(ValueError, match="bytes of no known encoding"):
        decoded(bytes(range(256)) * 4)


@pytest.mark.parametrize("place", [0, 100, 101, -1])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "big5"])
@pytest.mark.parametrize("named", [False, True])
def test_a_damaged_byte_is_left_out_and_said(place: int, encoding: str, named: bool) -> None:
    whole = TRADITIONAL if encoding == "big5" else SIMPLIFIED
    damaged = bytearray(whole.encode(encoding))
    damaged[place] = 0xFF
    text, said = decoded(bytes(damaged), encoding if named else "")
    assert "damaged places are left out" in said and abs(len(text) - len(whole)) < 3
    assert text.splitlines()[4:8] == whole.splitlines()[4:8]  # a line break is where it ends
    cut = whole.encode(encoding)[:-2]
    assert decoded(cut, encoding if named else "")[0].startswith(whole[:-2])


@pytest.mark.parametrize("encoding", ["", "utf-8", "utf-16-le"])
def test_a_mark_of_byte_order_is_no_text(encoding: str) -> None:
    data = f"\ufeff{SIMPLIFIED}".encode(encoding or "utf-8")
    assert decoded(data, encoding)[0] == SIMPLIFIED
    assert decoded(b"a\0" + SIMPLIFIED.encode())[0] == f"a{SIMPLIFIED}"
