"""The game of the broken models: each fault is there, and its number gives it away."""

import json

import numpy as np
import pytest
import torch

from aigc_demo.explain.duel import Snapshot
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.names import BROKEN
from aigc_demo.samples import sample_text
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import LANGUAGES, Words
from aigc_demo.ui.learn import insides
from aigc_demo.ui.learn.diagnose import CASES, FAULTS, PROMPT, learnt, what_is_wrong
from aigc_demo.weights import find_folder

MODELS, WORDS = Models(TABS), Words()
AWAY = {  # fault -> a bound between the number of the broken model, first, and of the healthy one
    "collapse": 60,  # percent of its digits
    "judge": 10,  # of the discriminator's scores
    "free": 50,  # nats
    "dear": 4,
    "order": 1,
    "peek": 1,
    "parrot": 1,
    "rate": 3,
}


def game(seed: int, picks: str = "") -> dict:
    return what_is_wrong(MODELS, WORDS, seed, picks)["game"]


def test_a_seed_gives_the_same_game_and_every_fault_comes() -> None:
    first, seen = game(3, "46"), set()
    assert json.loads(json.dumps(first)) == game(3, "46")
    assert first["picks"] == "46" and len(first["rounds"]) == CASES
    for seed in range(6):
        places = [one["right"] for one in game(seed)["rounds"]]
        assert len(set(places)) == CASES
        seen |= set(places)
    assert seen == set(range(len(FAULTS)))
    for wrong in (-1, "x", None, 0.5, 2**60):
        with pytest.raises(check.UserError):
            what_is_wrong(MODELS, WORDS, wrong, "")


def test_the_game_and_the_training_step_by_step_do_not_mix_up_their_models() -> None:
    for first in (True, False):
        models = Models(TABS)
        for asked in (first, not first):
            if asked:
                assert isinstance(models.snapshot, Snapshot)
            else:
                assert "rounds" in what_is_wrong(models, WORDS, 19, "")["game"]


def test_a_broken_model_stands_beside_a_healthy_one_with_the_same_seed() -> None:
    for one in game(3)["rounds"]:
        fault = FAULTS[one["right"]]
        assert one["right"] in one["offers"] and len(one["offers"]) == 4
        mine, healthy = one["sides"]
        assert bool(mine["text"]) == bool(healthy["text"]) != bool(mine["picture"])
        if mine["text"]:
            assert mine["text"].startswith(PROMPT) and healthy["text"].startswith(PROMPT)
        for side, name in ((mine, fault.broken), (healthy, fault.healthy)):
            rows = json.loads((find_folder(name) / "history.json").read_text())["curves"]
            for key, curve in side["curves"].items():
                assert [rows[0]["step"], round(rows[0][key], 3)] == curve[0]
        assert mine != healthy


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_number_gives_the_fault_away(fault) -> None:
    mine, healthy = (fault.number(MODELS, name) for name in (fault.broken, fault.healthy))
    bound = AWAY[fault.name]
    if fault.name in ("dear", "order"):  # too little of it
        assert mine < bound < healthy
    else:
        assert healthy < bound < mine
    for language in LANGUAGES:
        told = WORDS.table[language][f"game.{fault.name}_told"]
        assert "{{mine}}" in told and "{{healthy}}" in told


def last_logits(name: str, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return MODELS.writer(name).model(torch.tensor([ids]))[0, -1]


def test_the_model_without_positions_reads_a_bag_of_characters() -> None:
    ids = MODELS.writer("broken-order").tokenizer.encode(sample_text("unseen.txt")[:100])
    mixed = [*np.random.default_rng(0).permutation(ids[:-1]).tolist(), ids[-1]]
    bag, order = (
        (last_logits(name, ids), last_logits(name, mixed))
        for name in ("broken-order", "broken-parrot")
    )
    assert torch.allclose(*bag, atol=1e-4) and not torch.allclose(*order, atol=1)


def test_the_parrot_says_its_page_and_the_one_that_peeked_has_nothing_to_copy() -> None:
    page = sample_text("shakespeare.txt")
    said = MODELS.writer("broken-parrot").write(
        "First Citizen:\nBefore", 60, temperature=0.5, seed=1
    )
    assert said in page
    assert learnt(MODELS, "broken-peek") < 0.1
    written = MODELS.writer("broken-peek").write(PROMPT, 100, temperature=0.8, seed=1)
    assert not any(word in written.split() for word in ("the", "and", "my", "to", "of"))


def test_each_card_names_its_fault() -> None:
    for name in BROKEN:
        card = " ".join((find_folder(name) / "README.md").read_text(encoding="utf-8").split())
        assert "one fault in its recipe" in card and "away" in card
        assert f"train {name} --preset cpu" in card


def test_each_model_comes_with_a_look_inside() -> None:
    seen = {}
    for seed in range(6):
        for one in game(seed)["rounds"]:
            for side in one["sides"]:
                assert side["inside"].startswith("data:image/png;base64,")
                assert WORDS.both(f"game.inside_{side['kind']}")
                seen[side["inside"]] = side["kind"]
    assert sorted(seen.values()) == ["gan"] * 4 + ["text"] * 5 + ["vae"] * 3  # no two alike


def test_what_a_look_inside_shows_is_what_the_model_does() -> None:
    writer = MODELS.writer("shakespeare")
    maps = insides.attention(writer)
    layers = len(writer.loaded.model.blocks)
    assert maps.shape == (insides.READ, layers * (insides.READ + 1) - 1)
    first = maps[:, : insides.READ]
    assert not first.triu(1).any()  # the future
    assert first[0, 0] == pytest.approx(1)  # the first character sees nothing but itself

    bars = insides.scores(DigitSampler.load("broken-judge"))
    above, below = bars[: insides.HEIGHT], bars[insides.HEIGHT + 1 :]
    place = torch.arange(insides.CELLS).float()
    middle = [(part.sum(0) * place).sum() / part.sum() for part in (above, below)]
    assert middle[0] - middle[1] > insides.CELLS / 2  # far ahead: real digits right, made ones left

    means = torch.tensor([[0.0, 0.0], [99.0, -99.0], [-4.0, 4.0]])
    plane = insides.codes(means)
    last = insides.CELLS - 1
    places = {tuple(place) for place in plane.nonzero().tolist()}
    assert places == {(last - insides.CELLS // 2, insides.CELLS // 2), (last, last), (0, 0)}
