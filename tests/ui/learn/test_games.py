"""The games: what a seed gives, and that what is told of the models is true."""

import base64
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from aigc_demo.explain.transformer import surprise
from aigc_demo.inference.ngram import NGram
from aigc_demo.samples import sample_digits, sample_text
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.learn.games import (
    ARTISTS,
    CONTEXT,
    GUESSES,
    ORDER,
    ROUNDS,
    next_characters,
    read_bets,
    read_picks,
    real_or_made,
    who_drew_it,
)

MODELS, WORDS = Models(TABS), Words()
HANDLERS = (real_or_made, who_drew_it, next_characters)


def game(handler, seed, played=""):
    return handler(MODELS, WORDS, seed, played)["game"]


def digits(strip: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(strip.partition(",")[2]))) as picture:
        return np.array(picture.convert("L")).reshape(28, -1, 28).swapaxes(0, 1)


TEST_DIGITS = {(255 * image).round().byte().numpy().tobytes() for image in sample_digits("test")[0]}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_seed_gives_the_same_game_and_another_another(handler):
    first = game(handler, 3)
    assert game(handler, 3, first.get("picks", "")) == first
    assert game(handler, 4) != first
    for wrong in (-1, "x", None, 0.5, 2**60, True):
        with pytest.raises(check.UserError):
            handler(MODELS, WORDS, wrong, "")


def test_in_each_pair_the_real_one_is_a_test_digit_and_the_scores_are_the_discriminators():
    for seed in range(3):
        found = game(real_or_made, seed, "01")
        pictures = digits(found["strip"])
        assert len(found["rounds"]) == ROUNDS and found["picks"] == "01"
        for one in found["rounds"]:
            pair = [pictures[k] for k in one["shown"]]
            assert [p.tobytes() in TEST_DIGITS for p in pair].index(True) == one["right"]
            read = MODELS.judge.classify(torch.tensor(np.stack(pair)) / 255).argmax(1).tolist()
            scores = MODELS.gan().realness(torch.tensor(np.stack(pair)) / 255, read).tolist()
            if read[0] == read[1]:  # as nearly always: of one class
                assert scores == pytest.approx(one["scores"], abs=0.05)  # 8-bit pictures
            assert one["rival"] == int(one["scores"][1] > one["scores"][0]) or math.isclose(
                *one["scores"], abs_tol=0.01
            )


def test_the_discriminator_is_a_rival_that_can_be_beaten():
    rounds = [one for seed in range(20) for one in game(real_or_made, seed)["rounds"]]
    right = sum(one["rival"] == one["right"] for one in rounds) / len(rounds)
    assert 0.6 < right < 0.95


def test_every_artist_comes_and_only_the_persons_digits_are_test_digits():
    seen = set()
    for seed in range(3):
        found = game(who_drew_it, seed)
        pictures = digits(found["strip"])
        for one in found["rounds"]:
            real = pictures[one["shown"][0]].tobytes() in TEST_DIGITS
            assert real == (ARTISTS[one["right"]] == "real")
            seen.add(ARTISTS[one["right"]])
    assert seen == set(ARTISTS)


def test_what_each_model_lost_is_its_surprise_at_what_came():
    found = game(next_characters, 5)
    text = found["before"] + found["come"]
    assert text in sample_text("unseen.txt")
    assert (len(found["before"]), len(found["come"])) == (CONTEXT, GUESSES)
    writer = MODELS.writer("shakespeare")
    nats = surprise(writer, writer.tokenizer.encode(text))[-GUESSES:]
    mine = [one["transformer"]["bits"] for one in found["rounds"]]
    assert mine == pytest.approx((nats / math.log(2)).tolist(), abs=0.02)
    learnt, unseen = sample_text("shakespeare.txt"), sample_text("unseen.txt")
    counted = NGram(learnt, ORDER, "".join(sorted({*learnt, *unseen})))
    theirs = [one["ngram"]["bits"] for one in found["rounds"]]
    expected = counted.nats(text)[-GUESSES:] / math.log(2)
    assert theirs == pytest.approx(expected.tolist(), abs=0.02)
    for one in found["rounds"]:
        for model in one.values():
            assert len(model["best"]) == 3 and sum(share for _, share in model["best"]) <= 101


@pytest.mark.parametrize("text", ["2", "00000000000", "x", "-1", "１"])
def test_choices_of_a_link_are_checked(text):
    assert read_picks(2)("0110") == "0110" and read_picks(4)("3") == "3"
    with pytest.raises(ValueError, match="choices"):
        read_picks(2)(text)


@pytest.mark.parametrize("text", ["101", "1017", "1013" * 13, "abcd", "１013"])
def test_bets_of_a_link_are_checked(text):
    assert read_bets("1013" * 12) == "1013" * 12
    with pytest.raises(ValueError, match="bets"):
        read_bets(text)
