"""The corpora, on small files made here, and the download, from a server on this machine."""

import gzip
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
from servers import ROOT

from aigc_demo.data import poems as corpus
from aigc_demo.data.files import checked, data_folder, download, sha256
from aigc_demo.data.mnist import RAW, read_mnist
from aigc_demo.data.poems import Poem, clean_title, common_characters, fit_to, listed_files
from aigc_demo.data.shakespeare import read_shakespeare, split_text
from aigc_demo.data.vision import torchvision
from aigc_demo.prosody import form_of, lines_of, punctuate
from aigc_demo.samples import sample_digits, sample_text

# Files and downloads


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server(tmp_path):
    """A web server: the folder that it shows, and its address."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(Silent, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_download_with_the_right_digest_is_kept(server, tmp_path):
    folder, address = server
    (folder / "text.txt").write_bytes(b"spring" * 5)
    path = tmp_path / "new" / "place" / "text.txt"

    assert download(f"{address}/text.txt", path, digest(b"spring" * 5)) == path

    assert path.read_bytes() == b"spring" * 5
    assert [file.name for file in path.parent.iterdir()] == ["text.txt"]


def test_a_download_with_another_digest_is_not_kept(server, tmp_path):
    folder, address = server
    (folder / "text.txt").write_bytes(b"changed")
    path = tmp_path / "kept" / "text.txt"
    with pytest.raises(ValueError, match="expected SHA-256"):
        download(f"{address}/text.txt", path, digest(b"known"))
    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_there_already_is_not_fetched_again(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"known")
    nowhere = (tmp_path / "nowhere").as_uri()
    assert download(nowhere, path, digest(b"known")) == path


def test_a_damaged_file_is_fetched_again(tmp_path):
    source, path = tmp_path / "source.txt", tmp_path / "text.txt"
    source.write_bytes(b"known")
    path.write_bytes(b"damaged")
    download(source.as_uri(), path, digest(b"known"))
    assert path.read_bytes() == b"known"


def test_a_failed_download_leaves_what_was_there(server, tmp_path):
    folder, address = server
    path = tmp_path / "kept" / "text.txt"
    path.parent.mkdir()
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="404"):
        download(f"{address}/missing.txt", path, digest(b"known"))
    assert path.read_bytes() == b"old"
    assert [file.name for file in path.parent.iterdir()] == ["text.txt"]


def test_a_checked_file_has_the_digest_or_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    with pytest.raises(ValueError, match="python -m aigc_demo data"):
        checked(path, digest(b"known"))
    path.write_bytes(b"known")
    assert sha256(path) == digest(b"known")
    assert checked(path, digest(b"known")) == path
    with pytest.raises(ValueError, match=r"text\.txt: expected SHA-256"):
        checked(path, digest(b"other"))


def test_the_data_folder_is_the_named_one_else_that_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AIGC_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    (tmp_path / "own").mkdir()
    assert data_folder(tmp_path / "own") == tmp_path / "own"
    with pytest.raises(ValueError, match="no-such"):
        data_folder(tmp_path / "no-such")
    monkeypatch.delenv("AIGC_DATA")
    assert data_folder().is_relative_to(Path.home())


# MNIST


def write_idx(path: Path, magic: int, sizes: list[int], data: bytes) -> str:
    """A gzipped IDX file, as LeCun laid it out; its MD5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = b"".join(number.to_bytes(4, "big") for number in (magic, *sizes))
    path.write_bytes(gzip.compress(header + data))
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def tiny_mnist(tmp_path):
    """Three test images, labels 7, 0 and 9: folder, pixels, and the MD5 of both files."""
    pixels = torch.randint(256, (3, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    images, labels = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
    sums = {
        images: write_idx(tmp_path / RAW / images, 2051, [3, 28, 28], bytes(pixels.flatten())),
        labels: write_idx(tmp_path / RAW / labels, 2049, [3], bytes([7, 0, 9])),
    }
    return tmp_path, pixels, sums


def test_mnist_files_are_read_pixel_by_pixel(tiny_mnist, monkeypatch):
    folder, pixels, sums = tiny_mnist
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", list(sums.items()))

    images, labels = read_mnist(folder, train=False)

    assert images.dtype == torch.float32
    assert torch.equal(images, pixels.float() / 255)
    assert labels.tolist() == [7, 0, 9]


def test_mnist_files_that_are_not_the_known_ones_are_refused(tiny_mnist):
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte\.gz: expected MD5 [0-9a-f]{32}"):
        read_mnist(tiny_mnist[0], train=False)


def test_missing_mnist_files_are_named(tiny_mnist):
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz; get it with"):
        read_mnist(tiny_mnist[0], train=True)


# Shakespeare


def test_another_text_than_tiny_shakespeare_is_refused(tmp_path):
    with pytest.raises(ValueError, match="get it with"):
        read_shakespeare(tmp_path)
    (tmp_path / "tinyshakespeare").mkdir()
    (tmp_path / "tinyshakespeare" / "input.txt").write_text("To be, or not to be")
    with pytest.raises(ValueError, match="expected SHA-256 86c4e6aa"):
        read_shakespeare(tmp_path)


def test_the_last_tenth_of_a_text_is_kept_for_scoring():
    assert split_text("abcdefghijklmnopqrst") == ("abcdefghijklmnopqr", "st")


# Poems

SPRING = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。"
ANSWER = "松下問童子，言師采藥去。只在此山中，雲深不知處。"
RIVER = "朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。"


def test_whether_a_poem_is_held_out_depends_on_its_text_alone():
    for row in json.loads(sample_text("poems.json"))[::40]:
        number = int(hashlib.sha256(row["text"].encode()).hexdigest()[:16], 16)
        for title, dynasty, form in (("", "tang", "五绝"), ("春曉", "song", "七绝")):
            assert Poem(form, title, row["text"], dynasty).held_out == (number % 20 == 0)


def test_about_one_poem_in_twenty_is_held_out():
    poems = [Poem(**row) for row in json.loads(sample_text("poems.json"))]
    assert 20 <= sum(poem.held_out for poem in poems) <= 60  # of 800; 40 are expected


def test_common_characters_are_those_of_the_texts_that_occur_often_enough():
    poems = [Poem("", "丙丙丙", "甲甲乙", ""), Poem("", "", "甲乙丁", "")]
    assert common_characters(poems, 3) == "甲"
    assert common_characters(poems, 2) == "乙甲"  # by code point
    assert common_characters(poems, 1) == "丁乙甲"


def test_poems_with_other_characters_are_left_out_and_titles_that_do_not_fit_emptied():
    poems = [
        Poem("五绝", "甲", "甲乙", "tang"),
        Poem("五绝", "丙", "乙甲", "song"),
        Poem("五绝", "甲" * 17, "乙", "song"),
        Poem("五绝", "甲", "甲丙", "song"),
    ]
    assert fit_to(poems, "甲乙") == [
        Poem("五绝", "甲", "甲乙", "tang"),
        Poem("五绝", "", "乙甲", "song"),
        Poem("五绝", "", "乙", "song"),
    ]


@pytest.mark.parametrize(
    "written, clean",
    [
        ("春曉", "春曉"),
        ("秋興八首 其一", "秋興"),
        ("雜詩 其十二", "雜詩"),
        ("送人（一作送友）", "送人"),
        ("登樓(二)", "登樓"),
        ("句・其三", "句"),
        ("A 題 1", "題"),
    ],
)
def test_titles_lose_remarks_and_numbers(written, clean):
    assert clean_title(written) == clean


@pytest.fixture
def tiny_corpus(tmp_path, monkeypatch):
    """Two files in the corpus's own layout, and a list with their digests."""
    rows = {
        "poet.tang.0.json": [
            {"title": "春曉", "paragraphs": [SPRING[:12], SPRING[12:]]},
            {"title": "下江陵", "paragraphs": [RIVER]},
            {"title": "殘句", "paragraphs": ["春眠不覺曉，處處聞啼鳥。"]},
            {"title": "缺字", "paragraphs": [SPRING.replace("春", "□")]},
        ],
        "poet.song.0.json": [
            {"title": "尋隱者不遇 其一", "paragraphs": [ANSWER.replace("，", "？", 1)]},
            {"title": "又見", "paragraphs": [SPRING]},
        ],
    }
    folder = tmp_path / "chinese-poetry"
    folder.mkdir()
    lines = []
    for name, content in rows.items():
        data = json.dumps(content, ensure_ascii=False).encode()
        (folder / name).write_bytes(data)
        lines.append(f"{digest(data)}  {name}\n")
    (tmp_path / "list.sha256").write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(corpus, "LIST", tmp_path / "list.sha256")
    return tmp_path


def test_distinct_poems_of_the_forms_are_read_in_their_order(tiny_corpus):
    assert corpus.read_poems(tiny_corpus, ("五绝", "七绝")) == [
        Poem("五绝", "春曉", SPRING, "tang"),
        Poem("七绝", "下江陵", RIVER, "tang"),
        Poem("五绝", "尋隱者不遇", ANSWER, "song"),  # its question mark became a comma
    ]
    assert [poem.title for poem in corpus.read_poems(tiny_corpus, ("七绝",))] == ["下江陵"]


def test_a_file_that_does_not_name_its_dynasty_is_of_the_tang(tiny_corpus):
    # 唐诗三百首.json and 唐诗补录.json, Tang by their names, lie among the others
    data = json.dumps([{"title": "尋隱者不遇", "paragraphs": [ANSWER]}]).encode()
    (tiny_corpus / "chinese-poetry" / "唐诗三百首.json").write_bytes(data)
    corpus.LIST.write_text(f"{digest(data)}  唐诗三百首.json\n", encoding="utf-8")
    assert [poem.dynasty for poem in corpus.read_poems(tiny_corpus, ("五绝",))] == ["tang"]


def test_a_changed_file_of_poems_is_refused(tiny_corpus):
    path = tiny_corpus / "chinese-poetry" / "poet.song.0.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ValueError, match=r"poet\.song\.0\.json: expected SHA-256"):
        corpus.read_poems(tiny_corpus, ("五绝",))


def test_every_file_of_the_corpus_is_listed_once_with_its_digest():
    files = listed_files()
    assert len(files) > 300
    assert len({path for path, _ in files}) == len(files)
    assert all(len(found) == 64 and int(found, 16) for _, found in files)


# What is bundled


def test_bundled_poems_have_their_form_and_marks_and_are_distinct():
    rows = json.loads(sample_text("poems.json"))
    assert {row["form"] for row in rows} == {"五绝", "七绝", "五律", "七律"}
    for row in rows:
        assert form_of(row["text"]) == row["form"]
        assert punctuate(lines_of(row["text"])) == row["text"]
    assert len({row["text"] for row in rows}) == len(rows)


def test_bundled_digits_are_distinct_and_no_test_digit_is_a_training_digit():
    images = torch.cat([sample_digits("train")[0], sample_digits("test")[0]])
    assert len(images.flatten(1).unique(dim=0)) == 2000


# torchvision

USE_TORCHVISION = """
from aigc_demo.data.vision import torchvision
import torch
from torchvision import datasets, utils
from torchvision.transforms import v2

image = torch.arange(12.0).view(1, 3, 4)
assert torch.equal(v2.functional.horizontal_flip(image), image.flip(-1))
turn = v2.Compose([v2.ToDtype(torch.float64), v2.RandomRotation((90, 90), expand=True)])
assert torch.equal(turn(image), image.double().rot90(1, (1, 2)))
grid = utils.make_grid(torch.arange(4.0).view(4, 1, 1, 1), nrow=2, padding=0)
assert grid[0].tolist() == [[0, 1], [2, 3]]
assert len(datasets.MNIST.resources) == 4
assert torchvision.datasets.MNIST is datasets.MNIST
print("works")
"""


def test_torchvision_works_once_imported_from_data_vision():
    done = subprocess.run(
        [sys.executable, "-c", USE_TORCHVISION],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("works\n", 0), done.stderr
