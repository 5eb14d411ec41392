"""The index of a training text, against brute force, and the shipped ones on known passages."""

import json
import random
import time
from difflib import SequenceMatcher

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aigc_demo.data.poems import Poem
from aigc_demo.explain.overlap import FEWEST, Overlaps
from aigc_demo.inference.grams import BITS, gram_hashes, pack, unpack
from aigc_demo.samples import sample_text
from aigc_demo.training.overlap import (
    PLAY,
    VERSE,
    places_of_play,
    verses_with_places,
    write_overlap,
)


def weights_folder(path, text, places, length):
    (path / "config.json").write_text("{}")
    write_overlap(path, text, places, length)
    return Overlaps.load(path)


def test_equal_passages_have_equal_hashes_and_others_seldom():
    hashes = gram_hashes("abcdefgh--abcdefgh", 8)
    assert len(hashes) == 11
    assert hashes[0] == hashes[10]
    assert len(gram_hashes("abc", 8)) == 0
    draw = random.Random(0)
    text = "".join(draw.choices("abcdefghijklmnop ", k=200_000))
    counts = np.bincount(gram_hashes(text, 8), minlength=2**BITS)
    assert len(counts) == 2**BITS
    assert counts.max() < 2 * len(text) / 2**BITS  # spread evenly
    assert counts.min() > len(text) / 2**BITS / 3


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 1001])
def test_packed_hashes_take_three_bytes_for_two_and_come_back(count):
    hashes = np.random.default_rng(0).integers(2**BITS, size=count).astype(np.uint16)
    packed = pack(hashes)
    assert packed.dtype == np.uint8
    assert len(packed) == -(-3 * count // 2)
    assert unpack(packed).tolist() == hashes.tolist()


@pytest.mark.parametrize("length", [PLAY, VERSE])
@pytest.mark.parametrize("seed", range(6))
def test_the_longest_passage_is_that_of_a_plain_search(tmp_path, length, seed):
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    corpus = "".join(draw.choices(letters, k=3_000))
    place = draw.randrange(2_900)
    copied = corpus[place : place + draw.randrange(14, 60)]
    text = "".join(draw.choices(letters, k=20)) + copied + "".join(draw.choices(letters, k=20))
    places = [(start, f"place {start}") for start in range(0, 3_000, 100)]
    index = weights_folder(tmp_path, corpus, places, length)
    found = index.longest(text)[0]
    expected = SequenceMatcher(None, text, corpus, autojunk=False).find_longest_match()
    assert (found.start, found.length, found.offset) == (expected.a, expected.size, expected.b)
    assert found.place == f"place {found.offset // 100 * 100}"


def test_several_passages_come_longest_first_and_apart(tmp_path):
    draw = random.Random(1)
    corpus = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=2_000))
    text = corpus[100:115] + "#" + corpus[500:540] + "#" + corpus[900:920]
    index = weights_folder(tmp_path, corpus, [(0, "all")], PLAY)
    assert [(o.start, o.length) for o in index.longest(text)] == [(16, 40), (57, 20), (0, 15)]
    assert len(index.longest(text, 2)) == 2


def test_passages_that_follow_each_other_in_one_text_alone_are_not_taken_for_one(tmp_path):
    line = "".join(random.Random(2).sample("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN", k=40))
    index = weights_folder(tmp_path, line[:20] + "#" + line[10:], [(0, "all")], PLAY)
    assert [(o.start, o.length, o.offset) for o in index.longest(line)] == [(10, 30, 21)]
    index = weights_folder(tmp_path, line, [(0, "all")], PLAY)
    found = index.longest(line[10:] + "#" + line[:20])
    assert [(o.start, o.length, o.offset) for o in found] == [(0, 30, 10), (31, 20, 0)]


def test_what_is_too_short_or_shared_by_chance_is_not_found(tmp_path):
    corpus = "the quick brown fox jumps over the lazy dog and away"
    index = weights_folder(tmp_path, corpus, [(0, "all")], PLAY)
    shortest = PLAY + FEWEST - 1
    assert index.longest("#" + corpus[4 : 4 + shortest - 1] + "#") == []
    assert index.longest("#" + corpus[4 : 4 + shortest] + "#")[0].length == shortest
    assert index.longest("") == index.longest("abc") == []


def test_places_of_a_play_are_its_speeches_and_no_line_that_ends_like_a_name():
    play = "First Citizen:\nSpeak, speak.\n\nAll:\nHe said:\nNo more.\n\nA:\nAlone.\n"
    assert places_of_play(play) == [
        (0, "First Citizen, line 1"),
        (play.index("\n\nAll"), "All, line 4"),
        (play.index("\n\nA:"), "A, line 8"),
    ]
    assert places_of_play("no names") == [(0, "line 1")]


@pytest.mark.parametrize("before", ["", "\n\n"])
def test_a_passage_that_begins_with_a_speech_is_of_its_speaker(tmp_path, before):
    play = "First Citizen:\nSpeak, speak.\n\nAll:\nNo more talking.\n"
    index = weights_folder(tmp_path, play, places_of_play(play), PLAY)
    assert index.longest(before + "All:\nNo more talk")[0].place == "All, line 4"


def test_places_of_verse_are_poems():
    poems = [
        Poem("五绝", "甲", "一二。", "tang", "李白"),
        Poem("五绝", "", "三四。", "tang", "杜甫"),
    ]
    assert verses_with_places(poems) == ("一二。\n三四。", [(0, "李白《甲》"), (4, "杜甫")])


def test_the_shipped_index_knows_a_passage_of_the_play_and_who_speaks_it():
    text = sample_text("shakespeare.txt")
    start = text.index("Speak, speak.") - 5
    found = Overlaps.load("shakespeare").longest("zq" + text[start : start + 300] + "qz")[0]
    assert (found.start, found.offset) == (2, start)
    assert found.length in (300, 301)
    assert found.place == "All, line 4"


def test_a_long_text_is_looked_up_at_once():
    index = Overlaps.load("poems")
    text = "\n".join(row["text"] for row in json.loads(sample_text("poems.json"))[:40])
    begun = time.process_time()
    assert index.longest(text)[0].length >= 24
    assert time.process_time() - begun < 0.2


def test_the_shipped_index_knows_a_famous_poem():
    found = Overlaps.load("poems").longest("白日依山盡，黃河入海流。欲窮千里目，更上一層樓。")[0]
    assert (found.start, found.length, found.place) == (0, 24, "朱斌《登樓》")


def test_weights_without_an_index_have_none(tiny_folders):
    assert Overlaps.load(tiny_folders["poems"]) is None


DAMAGE = {
    "missing": {"names": None},
    "kind": {"hashes": np.zeros(9, dtype=np.float32)},
    "shape": {"hashes": np.zeros((3, 3), dtype=np.uint8)},
    "packed": {"names": np.zeros(9, dtype=np.uint8)},
    "count": {"starts": np.array([0, 5], dtype=np.int32)},
    "length": {"length": np.array([0], dtype=np.int32)},
}


@pytest.mark.parametrize("damage", [*DAMAGE, "bytes"])
def test_a_damaged_index_is_refused(tmp_path, damage):
    weights_folder(tmp_path, "the quick brown fox jumps", [(0, "all")], PLAY)
    path = tmp_path / "overlap.safetensors"
    changed = {**load_file(path), **DAMAGE.get(damage, {})}
    save_file({name: array for name, array in changed.items() if array is not None}, path)
    if damage == "bytes":
        path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"overlap\.safetensors: expected"):
        Overlaps.load(tmp_path)
