"""What a visitor's training learns from: drawings, pasted text, zips of pictures, and bad ones."""

import base64
import errno
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from gradio.utils import get_upload_folder
from PIL import Image

from aigc_demo.data.own import read_pictures
from aigc_demo.images import png
from aigc_demo.samples import sample_digits
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.train import data

DIGITS = sample_digits("test")[0][:40]
PICTURES = {f"{k}.png": png(image) for k, image in enumerate(sample_digits("test")[0][:80])}


def in_base64(image: torch.Tensor) -> str:
    return base64.b64encode((255 * image).byte().numpy().tobytes()).decode()


def refused(key: str, act: Callable, *values: object) -> None:
    """The act is refused with this sentence, which has its values in both languages."""
    with pytest.raises(UserError) as error:
        act(*values)
    assert error.value.key == key
    for language in ("zh", "en"):
        assert Words().say(language, key, **error.value.values)


def test_each_drawing_is_there_sixteen_times_and_the_first_as_it_is(tmp_path: Path) -> None:
    data.write_drawings([in_base64(image) for image in DIGITS], tmp_path / "data")
    images, labels, names = read_pictures(tmp_path / "data")
    assert len(images) == 16 * 40 and names == [""] and not labels.any()
    assert torch.equal(images[:40], DIGITS)
    moved = images[40:].view(15, 40, 28, 28)
    ink = DIGITS.sum((1, 2))
    assert ((moved.sum((2, 3)) - ink).abs() < 0.35 * ink).all()  # nothing is pushed out
    assert ((moved - DIGITS).abs().amax((2, 3)) > 0.1).all()  # and none stays where it was
    away = (moved.mean(0) - DIGITS).abs().mean()
    assert away < 0.1  # on the whole they stay in the middle


@pytest.mark.parametrize("value", [None, [], "a" * 30, [in_base64(DIGITS[0])] * 151])
def test_too_few_and_too_many_drawings_are_refused(tmp_path: Path, value: object) -> None:
    refused("train.few_drawings", data.write_drawings, value, tmp_path / "data")


@pytest.mark.parametrize("bad", [None, 7, "", "!", "AAAA", "A" * 1048, ["x"], {"path": "/etc"}])
def test_what_is_no_drawing_is_refused(tmp_path: Path, bad: object) -> None:
    drawings = [*[in_base64(image) for image in DIGITS], bad]
    with pytest.raises(UserError) as error:
        data.write_drawings(drawings, tmp_path / "data")
    assert error.value.key in ("error.drawing", "error.empty_drawing")
    assert not (tmp_path / "data").exists()


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    text = "春眠不觉晓，处处闻啼鸟。\n" * 200
    data.write_text(text + "\ud83d", tmp_path / "data.txt")
    assert (tmp_path / "data.txt").read_text("utf-8") == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (None, "train.short_text"),
        (["a"] * 3000, "train.short_text"),
        ("To be. " * 200, "train.short_text"),
        ("To be or not. " * 5_000, "train.short_text"),
        ("a" * 3_000, "train.same_text"),
        ("ab\n" * 1_000, "train.same_text"),
    ],
)
def test_a_text_of_no_use_is_refused(tmp_path: Path, text: object, key: str) -> None:
    refused(key, data.write_text, text, tmp_path / "data.txt")


def uploaded(content: bytes) -> str:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pictures.zip"
    path.write_bytes(content)
    return str(path)


def zipped(files: dict[str, bytes], **options: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", **options) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return content.getvalue()


def test_pictures_of_one_folder_have_no_class(tmp_path: Path) -> None:
    files = {f"mine/{name}": picture for name, picture in PICTURES.items()}
    files |= {"mine/notes.txt": b"x", "__MACOSX/mine/._1.png": b"x", "mine/.DS_Store": b"x"}
    path = uploaded(zipped(files))
    data.unpack_pictures(path, tmp_path / "data")
    images, _, names = read_pictures(tmp_path / "data")
    assert len(images) == 80 and names == [""]


def test_folders_are_classes(tmp_path: Path) -> None:
    names = list(PICTURES)
    files = {f"cats/{name}": PICTURES[name] for name in names[:40]}
    files |= {f"a/dogs/{name}": PICTURES[name] for name in names[40:]}
    data.unpack_pictures(uploaded(zipped(files)), tmp_path / "one")
    assert read_pictures(tmp_path / "one")[2] == ["cats", "dogs"]


def test_a_name_without_a_flag_is_read_as_an_old_archiver_wrote_it() -> None:
    entry = zipfile.ZipInfo("狗/1.png".encode("gb18030").decode("cp437"))
    assert data._name(entry) == "狗/1.png"
    entry = zipfile.ZipInfo("狗/1.png".encode().decode("cp437"))
    assert data._name(entry) == "狗/1.png"
    entry = zipfile.ZipInfo("caf\xe9/1.png")
    entry.flag_bits = data.UTF_8
    assert data._name(entry) == "caf\xe9/1.png"


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


def with_link() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, picture in PICTURES.items():
            archive.writestr(name, picture)
        archive.writestr(link("more.png"), "/etc/passwd")
    return content.getvalue()


def that_lies() -> bytes:
    """A zip whose entries say that they are small."""
    zeros = {f"{k}.png": bytes(700_000) for k in range(70)}
    content = zipped(zeros, compression=zipfile.ZIP_DEFLATED)
    return content.replace(struct.pack("<I", 700_000), struct.pack("<I", 100))


def of_gigapixels() -> bytes:
    """A PNG of 60,000 x 60,000 in a few bytes."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk
    return start + struct.pack(">I", zlib.crc32(chunk))


def of_another_kind() -> bytes:
    file = io.BytesIO()
    Image.new("L", (28, 28)).save(file, "ICO")
    return file.getvalue()


def damaged() -> bytes:
    """A zip in whose compressed pictures some bits are wrong."""
    content = bytearray(zipped(PICTURES, compression=zipfile.ZIP_DEFLATED))
    for place in range(100, len(content) // 2, 97):
        content[place] ^= 0xFF
    return bytes(content)


BAD = {
    "no zip": (b"hello" * 99, "train.no_zip"),
    "cut": (zipped(PICTURES)[:-2000], "train.no_zip"),
    "damaged": (damaged(), "train.no_zip"),
    "empty": (zipped({}), "train.few_pictures"),
    "no pictures": (zipped({f"{k}.txt": b"x" for k in range(90)}), "train.few_pictures"),
    "few": (zipped(dict(list(PICTURES.items())[:63])), "train.few_pictures"),
    "many": (zipped({f"{k}": b"" for k in range(10_000)}), "train.many_files"),
    "above": (zipped({**PICTURES, "../../x.png": b"x"}), "train.outside"),
    "absolute": (zipped({**PICTURES, "/tmp/x.png": b"x"}), "train.outside"),
    "drive": (zipped({**PICTURES, "C:\\x.png": b"x"}), "train.outside"),
    "backslash": (zipped({**PICTURES, "..\\x.png": b"x"}), "train.outside"),
    "link": (with_link(), "train.outside"),
    "bomb": (
        zipped({**PICTURES, "x.png": bytes(60_000_000)}, compression=zipfile.ZIP_DEFLATED),
        "train.unfolds",
    ),
    "both": (zipped({**PICTURES, "in/x.png": PICTURES["1.png"]}), "train.mixed_zip"),
    "broken picture": (zipped({**PICTURES, "x.png": b"x" * 99}), "train.bad_picture"),
    "icon": (zipped({**PICTURES, "x.png": of_another_kind()}), "train.bad_picture"),
    "gigapixels": (zipped({**PICTURES, "x.png": of_gigapixels()}), "train.large_picture"),
    "large": (zipped({**PICTURES, "x.bin": bytes(5_100_000)}), "train.large_zip"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_zip_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    content, key = BAD[name]
    path = uploaded(content)
    if name == "gigapixels":
        with pytest.raises(UserError) as error:
            data.unpack_pictures(path, tmp_path / "data")
        assert error.value.key in (key, "train.bad_picture")
    else:
        refused(key, data.unpack_pictures, path, tmp_path / "data")


def test_a_zip_can_be_learnt_from_again_and_a_full_disk_is_not_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = uploaded(zipped(PICTURES))
    for name in ("once", "again"):
        data.unpack_pictures(path, tmp_path / name)
        assert len(list((tmp_path / name).rglob("*.png"))) == len(PICTURES)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        data.unpack_pictures(path, tmp_path / "full")


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        data.unpack_pictures(uploaded(that_lies()), tmp_path / "data")
    assert error.value.key in ("train.unfolds", "train.no_zip", "train.bad_picture")


@pytest.mark.parametrize("value", [None, "", 7, "/etc/passwd", {"path": "x"}, "\x00"])
def test_a_zip_that_was_not_uploaded_is_not_opened(tmp_path: Path, value: object) -> None:
    refused("train.no_zip", data.unpack_pictures, value, tmp_path / "data")
