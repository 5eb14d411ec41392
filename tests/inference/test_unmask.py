"""Masked diffusion: its bound by hand, and texts that are filled gap by gap."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from aigc_demo.inference.unmask import GapWriter
from aigc_demo.models.transformer import shift_both_ways
from aigc_demo.models.unmask import MASKED, Unmask, UnmaskConfig, counts, cover, unmask_loss
from aigc_demo.tokenizer import UnknownCharacters
from aigc_demo.training.unmask import RECIPES, windows


@pytest.fixture(scope="module")
def gaps(tiny_folders) -> GapWriter:
    return GapWriter.load(tiny_folders["unmask"], "cpu")


def test_as_many_places_are_covered_as_asked_and_each_as_often() -> None:
    torch.manual_seed(0)
    tokens = torch.arange(1, 9).expand(4_000, 8)
    count = torch.arange(4_000) % 9
    covered = cover(tokens, count)
    hidden = covered == MASKED
    assert hidden.sum(1).equal(count)
    assert covered[~hidden].equal(tokens[~hidden])
    assert hidden.float().mean(0).tolist() == pytest.approx([0.5] * 8, abs=0.03)


def test_the_loss_is_the_mean_surprise_at_covered_places() -> None:
    tokens = torch.tensor([[1, 2, 3], [3, 3, 3]])
    covered = torch.tensor([[0, 2, 0], [3, 0, 3]])
    logits = torch.log(torch.tensor([1e-9, 0.5, 0.25, 0.25])).expand(2, 3, 4)
    found = unmask_loss(logits, tokens, covered)
    assert found.tolist() == pytest.approx([(math.log(2) + math.log(4)) / 2, math.log(4)])


def test_what_knows_nothing_is_bounded_by_blind_guessing() -> None:
    model = Unmask(UnmaskConfig(12, context=8, layers=1, width=16)).eval()  # its head begins as 0
    tokens = torch.randint(1, 12, (5, 8))
    covered = cover(tokens, torch.tensor([1, 2, 4, 7, 8]))
    logits = model(covered)
    assert logits[..., MASKED].eq(-torch.inf).all()
    assert unmask_loss(logits, tokens, covered).tolist() == pytest.approx([math.log(11)] * 5)


def test_a_place_sees_both_sides_and_takes_channels_from_both_neighbours(gaps) -> None:
    tokens = torch.randint(1, len(gaps.tokenizer), (1, 12))
    other = tokens.clone()
    other[0, 6] = tokens[0, 6] % (len(gaps.tokenizer) - 1) + 1
    changed = (gaps.loaded.model(tokens) != gaps.loaded.model(other))[0].any(1)
    assert changed[:6].any() and changed[7:].any()
    x = torch.arange(12.0).view(1, 3, 4)
    assert shift_both_ways(x, 2).tolist() == [[[0, 5, 2, 3], [0, 9, 6, 7], [4, 0, 10, 11]]]


@pytest.mark.parametrize("order", ["certain", "random"])
@pytest.mark.parametrize("steps", [1, 3, 16, 200])
def test_each_gap_is_filled_once_and_nothing_else_changes(gaps, steps, order) -> None:
    text = "ab ______ c_\n__d"
    moments = list(gaps.moments(text, steps, seed=3, order=order))
    count = text.count("_")
    assert len(moments) == min(steps, count) + 1
    assert gaps.shown(moments[0].ids) == text
    for step, (before, now) in enumerate(zip(moments, moments[1:], strict=False), 1):
        for old, new, at in zip(before.ids, now.ids, now.filled, strict=True):
            assert new == old if at != step else (old == MASKED and new != MASKED)
    last = moments[-1]
    share = count / min(steps, count)
    sizes = [last.filled.count(step) for step in range(1, min(steps, count) + 1)]
    assert all(math.floor(share) <= size <= math.ceil(share) for size in sizes)
    assert all(0 < sure <= 1 for sure in last.sure)
    assert gaps.fill(text, steps, seed=3, order=order) == gaps.shown(last.ids)


def test_the_surest_come_first_and_the_likeliest_at_temperature_0(gaps) -> None:
    moments = list(gaps.moments("a____________b", 4, 0, seed=1))
    first = torch.tensor(gaps.logits(torch.tensor(moments[0].ids).numpy())).softmax(1)
    chosen = [place for place, step in enumerate(moments[1].filled) if step == 1]
    likeliest = first.max(1)
    assert [moments[1].ids[place] for place in chosen] == likeliest.indices[chosen].tolist()
    others = [place for place, step in enumerate(moments[1].filled) if step == -1]
    assert likeliest.values[chosen].min() >= likeliest.values[others].max()
    for order in ("certain", "random"):  # at most one path, whatever the seed
        texts = {gaps.fill("a_b", 1, 0, seed=seed, order=order) for seed in range(5)}
        assert len(texts) == 1


def test_the_same_seed_gives_the_same_text_among_many(gaps) -> None:
    asked = [(f"{'_' * (1 + seed % 14)} b", seed) for seed in range(40)]
    alone = [gaps.fill(text, 5, 1.2, seed=seed) for text, seed in asked]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: gaps.fill(one[0], 5, 1.2, seed=one[1]), asked))
    assert together == alone
    assert len({gaps.fill("_" * 12, 5, 1.2, seed=seed) for seed in range(6)}) > 1
    *_, whole = gaps.unmask(9, 4, seed=2)
    assert len(gaps.unmask(9, 4, seed=2)) == 4 and len(whole) == 9 and "_" not in whole


@pytest.mark.parametrize(
    "values, said",
    [
        (("no gap",), "expected a text with a gap, _"),
        (("",), "from|of 1 to 16"),
        (("_" * 17,), "of 1 to 16 characters, got 17"),
        ((7,), "expected a text, got int"),
        (("_", 0), "steps from 1 to 256"),
        (("_", 1.5), "steps as a whole number"),
        (("_", 4, float("nan")), "temperature from 0 to 5"),
        (("_", 4, 1, -1), "seed from 0"),
        (("_", 4, 1, 1, "left"), "order as one of certain, random"),
    ],
)
def test_wrong_input_is_told_at_once(gaps, values, said) -> None:
    with pytest.raises(ValueError, match=said):
        gaps.moments(*values)


def test_unknown_characters_are_named_and_likenesses_read(gaps) -> None:
    with pytest.raises(UnknownCharacters, match="€"):
        gaps.moments("a_€")
    assert gaps.fill("é_", 1, seed=0).startswith("e")
    with pytest.raises(ValueError, match="length from 1 to 16, got 17"):
        gaps.unmask(17)


def test_weights_with_other_controls_are_refused(tiny_folders, tmp_path) -> None:
    source = tiny_folders["unmask"]
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    config["controls"] = ["<pad>"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match="expected the control <covered> alone"):
        GapWriter.load(tmp_path)


def test_batches_are_pieces_of_the_text_with_all_counts_covered() -> None:
    torch.manual_seed(0)
    recipe = RECIPES["smoke"]
    ids = torch.arange(1, 5_001)
    seen = set()
    for _ in range(60):
        rows = windows(ids, recipe)
        assert rows.numel() == recipe.batch * recipe.model.context
        assert (rows[:, 1:] - rows[:, :-1]).eq(1).all()
        seen.add(rows.shape[1])
    assert seen == {64, 32, 16, 8}
    spread = counts(16, 64)
    assert spread.min() >= 1 and spread.max() <= 64 and spread.diff().eq(4).all()
