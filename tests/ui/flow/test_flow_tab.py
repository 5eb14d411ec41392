"""The diffusion tab: its handlers, what it refuses, and formulas against numbers."""

import math
import re

import numpy as np
import pytest
import torch
from PIL import Image
from servers import finished

from aigc_demo.explain import flow as explain
from aigc_demo.explain.figures import card_figures
from aigc_demo.images import data_uri, png, strip, to_bytes
from aigc_demo.samples import sample_digits
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.flow import compare, formulas, inside, requests, tables
from aigc_demo.ui.flow.api import FlowEndpoints
from aigc_demo.ui.flow.requests import sampler_of
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.drawings import drawing_of, gap_of
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.query import BY_NAME
from aigc_demo.ui.page.saved_files import images_of

WORDS, MODELS = Words(), Models(TABS)
IMAGES, _ = sample_digits("test")
DRAWN = drawing_of(to_bytes(IMAGES[4]))
LOWER = torch.arange(28)[:, None].expand(28, 28) >= 14
GAP = drawing_of(to_bytes(LOWER.float()))
ASKED = ("flow", "3", 7, 1.0, 0.5)


def streamed(*values) -> list[dict]:
    async def all_of_them() -> list[dict]:
        return [update async for update in requests.draw(MODELS, WORDS, *values)]

    return finished(all_of_them())


@pytest.mark.parametrize(("steps", "seen"), [(1, 2), (4, 5), (20, 11), (50, 11)])
def test_digits_come_out_of_the_noise_step_by_step(steps: int, seen: int) -> None:
    updates = streamed("flow", ["3", "8"], 4, 11, steps, 1.0)
    assert len(updates) == seen and all(one["count"] == 4 for one in updates)
    digits = sampler_of(MODELS).sample(range(11, 15), [3, 8, 3, 8], steps)
    assert updates[-1]["strip"] == strip(digits)
    assert updates[0]["strip"] != updates[1]["strip"]
    assert str(steps) in updates[-1]["texts"]["en"] and "11" in updates[-1]["texts"]["zh"]
    rows = tables.digits(MODELS, "flow", ["3", "8"], 4, 11, steps, 1.0)
    assert [row[:2] for row in rows[1:]] == [[11, 3], [12, 8], [13, 3], [14, 8]]


def test_the_digits_are_those_that_were_asked_for() -> None:
    labels = [i % 10 for i in range(60)]
    read = MODELS.judge.classify(sampler_of(MODELS).sample(range(60), labels)).argmax(1)
    assert (read == torch.tensor(labels)).sum() >= 57  # the figure itself is in the model's card


def test_a_digit_that_is_clicked_is_the_one_inside() -> None:
    model, digit, seed, guidance, _ = requests.pick(MODELS, WORDS, "flow", ["3", "8"], 11, 1.5, 3)
    assert (model, digit, seed, guidance) == ("flow", "8", 14, 1.5)
    drawn = sampler_of(MODELS).noise([16])[1][0]
    assert requests.pick(MODELS, WORDS, "flow", [], 11, 1.0, 5)[1:3] == (str(drawn), 16)


def test_a_path_and_a_morph_begin_and_end_where_they_should() -> None:
    film, frames = requests.path(MODELS, WORDS, "flow", "5", 3, 6, 1.0)
    assert film["count"] == frames["count"] == 7
    assert film["strip"] == strip(sampler_of(MODELS).path([3], [5], 6)[:, 0])
    made = sampler_of(MODELS).morph((3, 8), (5, 6), 5, 4)
    ends = sampler_of(MODELS).sample([5, 6], [3, 8], 4)
    torch.testing.assert_close(made[[0, -1]], ends, atol=1e-4, rtol=0)
    film, _ = requests.morph(MODELS, WORDS, "flow", "3", "8", 5, 5, 4, 1.0)
    assert film["strip"] == strip(made)
    assert len(tables.path(MODELS, "flow", "5", 3, 6, 1.0)) == 8
    assert len(tables.morph(MODELS, "flow", "3", "8", 5, 5, 4, 1.0)) == 6


def test_variations_leave_more_of_a_drawing_the_later_they_start() -> None:
    apart = []
    for start in (0.0, 0.4, 0.8, 1.0):
        _, made = requests.vary(MODELS, WORDS, "flow", DRAWN, start, "read", 1, 1.0)
        assert made["count"] == requests.VARIATIONS
        apart.append((images_of(made) - IMAGES[4]).abs().mean().item())
    assert apart == sorted(apart, reverse=True) and apart[-1] < 0.01 < apart[2]
    rows = tables.varied(MODELS, "flow", DRAWN, 0.4, "7", 1, 1.0)
    assert [row[1] for row in rows[1:]] == [7] * requests.VARIATIONS


@pytest.mark.parametrize("as_digit", ["none", "read", "9"])
def test_a_gap_is_filled_and_the_rest_stays(as_digit: str) -> None:
    _, gap, made = requests.fill(MODELS, WORDS, "flow", DRAWN, GAP, as_digit, 1, 1.0)
    found = images_of(made)
    assert (found[:, :14] - IMAGES[4][:14]).abs().max() < 0.003
    assert (found[0] - found[1]).abs().max() > 0.3  # two seeds, two ways
    assert gap["under"] == strip(IMAGES[4][None])
    told = {"none": "–", "read": r"\d", "9": "9"}[as_digit]
    assert re.search(f"Class told: {told}\\.", made["texts"]["en"])
    assert len(tables.filled(MODELS, "flow", DRAWN, GAP, as_digit, 1, 1.0)) == 16


def test_a_gap_is_what_was_painted_in_a_link_too() -> None:
    codec = BY_NAME["gap"]
    assert torch.equal(gap_of(GAP), LOWER)
    assert len(codec.write(GAP)) < 40 and torch.equal(gap_of(codec.read(codec.write(GAP))), LOWER)
    large = np.zeros((112, 112), np.uint8)
    large[40:60, 8:20] = 160
    by_hand = gap_of(drawing_of(large).removeprefix("raw:"))
    assert by_hand[10:15, 2:5].all() and by_hand.sum() == 15
    for wrong in ("", "AAAA", "~", codec.write(GAP)[:-4]):
        with pytest.raises(ValueError):
            codec.read(wrong)


WRONG = [
    (requests.path, ("flow", "3", 7, 20, 1.0), name, value)
    for name, values in {
        0: ["gan", "own/x", None, 3],
        1: ["x", "10", 3, None],
        2: [-1, 2**53, math.nan, "7"],
        3: [0, 51, 2.5, None],
        4: [-0.1, 6.1, math.inf, "1"],
    }.items()
    for value in values
]
WRONG += [
    (requests.vary, ("flow", DRAWN, 0.5, "read", 1, 1.0), name, value)
    for name, values in {1: ["", "x", 3], 2: [-0.1, 1.1, None], 3: ["x", None, [], "10"]}.items()
    for value in values
]
WRONG += [
    (requests.fill, ("flow", DRAWN, GAP, "none", 1, 1.0), 2, value)
    for value in ("", None, 3, "x", {"a": 1}, drawing_of(np.zeros(784, np.uint8)), "photo:9x9:AA")
]
WRONG += [(requests.morph, ("flow", "3", "8", 5, 5, 4, 1.0), 4, value) for value in (1, 49, None)]


@pytest.mark.parametrize(("handler", "good", "place", "value"), WRONG)
def test_a_wrong_input_is_a_sentence(handler, good, place, value) -> None:
    values = list(good)
    values[place] = value
    with pytest.raises(UserError):
        handler(MODELS, WORDS, *values)


@pytest.mark.parametrize("wanted", [["x"], "3", ["11"], [3], None])
def test_classes_that_are_none_stop_the_stream_before_it_begins(wanted) -> None:
    with pytest.raises(UserError):
        streamed("flow", wanted, 4, 11, 2, 1.0)


def test_the_endpoints_give_files_and_check() -> None:
    flow = FlowEndpoints(MODELS, HubModels(MODELS))
    digit = data_uri(png(IMAGES[4]))
    assert Image.open(flow.flow_sample(labels="37", count=2, steps=2).path).size == (224, 112)
    assert Image.open(flow.flow_path(steps=3).path).n_frames == 6  # type: ignore[attr-defined]
    assert Image.open(flow.flow_redraw(digit).path).size == (560, 336)
    keep = (~LOWER).int().tolist()
    assert Image.open(flow.flow_fill(digit, keep).path).size == (560, 336)
    for wrong in (None, [], [[1]], [[2] * 28] * 28, [[True] * 28] * 28, [["1"] * 28] * 28):
        with pytest.raises(UserError):
            flow.flow_fill(digit, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("view", sorted(set(inside.VIEWS) - {"training"}))  # test_training_view.py
def test_every_view_answers(view: str) -> None:
    handlers = {"overview": inside.overview, "layers": inside.look, "copied": inside.see_copied}
    handler = handlers.get(view) or getattr(inside, f"see_{view}")
    values = (*ASKED, 4) if view == "layers" else ASKED
    answer = handler(MODELS, WORDS, *values)
    first = answer[0] if isinstance(answer, tuple) else answer
    assert any(first.get(name) for name in ("stations", "strip", "lines", "parts"))


def test_the_three_are_compared_by_what_their_cards_say() -> None:
    shown, figures = compare.which_digit(MODELS, WORDS, 3, 7)
    assert [len(group["items"]) for group in shown["groups"]] == [5] * 6
    drawn = images_of(shown).view(6, 5, 28, 28)
    assert (MODELS.judge.classify(drawn[2]).argmax(1) == 3).all()  # the VAE's are picked
    rows = {row[0]["text"]["en"]: row[1:] for row in figures["table"]["rows"]}
    cards = [card_figures(name) for name in ("gan", "vae", "flow")]
    told = rows[WORDS.table["en"]["which.frechet"]]
    assert told == [card.get("frechet distance to real", "–") for card in cards]
    assert told[1] == "–" and rows[WORDS.table["en"]["which.nats"]][1] == "81.074"
    assert rows[WORDS.table["en"]["which.parameters"]][2] == "497,444"
    assert all(int(cell) > 0 for cell in rows[WORDS.table["en"]["which.time"]])


def test_the_way_is_eulers_and_its_guess_is_the_formula() -> None:
    trajectory = explain.trajectory(sampler_of(MODELS), 7, 3)
    noise, _ = sampler_of(MODELS).noise([7], [3])
    assert torch.equal(trajectory.pictures[0], noise[0])
    velocity = sampler_of(MODELS).velocity(trajectory.pictures[10][None], 0.5, [3])[0]
    torch.testing.assert_close(trajectory.velocities[10], velocity, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        trajectory.guesses[10], trajectory.pictures[10] + velocity / 2, atol=1e-4, rtol=0
    )
    digit = sampler_of(MODELS).sample([7], [3])[0]
    torch.testing.assert_close(explain.visible(trajectory.digit), digit)
    x, share, v, end = numbers(formulas.guess(trajectory, 10))[:4]
    assert x + share * v == pytest.approx(end, abs=2e-3)


def numbers(formula: str) -> list[float]:
    """The numbers after the first "approximately", in their order."""
    return [float(one) for one in re.findall(r"-?\d+\.\d+", formula.partition(r"\approx")[2])]


def test_the_losses_formula_is_its_numbers() -> None:
    found = explain.lesson(sampler_of(MODELS), IMAGES[0], 5, 7, 0.3)
    assert found.loss == pytest.approx(found.errors.mean().item(), rel=1e-5)
    torch.testing.assert_close(found.between, 0.7 * found.noise + 0.3 * found.digit)
    total, a, x0, b, x1, xt, v, y1, y0, error = numbers(formulas.loss(found, 0.3))
    assert total == pytest.approx(found.loss, abs=1e-3) and (y1, y0) == (x1, x0)
    assert a * x0 + b * x1 == pytest.approx(xt, abs=2e-3)
    assert (v - (x1 - x0)) ** 2 == pytest.approx(error, rel=5e-3)


def test_the_formula_of_guidance_is_its_numbers() -> None:
    told, untold = explain.told_and_untold(sampler_of(MODELS), torch.randn(28, 28), 0.5, 3)
    formula = formulas.guidance(told, untold, 2.5)
    b, w, a, again, total = numbers(formula)
    assert b == again and w == 2.5 and b + w * (a - b) == pytest.approx(total, abs=4e-3)


def test_a_straight_way_is_straight_and_a_bent_one_is_not() -> None:
    line = torch.linspace(0, 1, 5)[:, None] * torch.tensor([3.0, 4.0])
    assert explain.straightness(line) == pytest.approx(1)
    bent = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    assert explain.straightness(bent) == pytest.approx(5 / 7)
    side = explain.seen_from_the_side(bent)
    torch.testing.assert_close(side, torch.tensor([[0, 0], [9 / 25, 12 / 25], [1, 0.0]]))


def test_the_layers_end_in_the_velocity() -> None:
    sampler, x = sampler_of(MODELS), torch.randn(28, 28, generator=torch.Generator().manual_seed(1))
    found = explain.layers(sampler, x, 0.5, 3)
    velocity = sampler.velocity(x[None], 0.5, [3])
    torch.testing.assert_close(found[-1].maps, velocity, atol=1e-4, rtol=1e-4)
    for place, part in enumerate(found):
        assert formulas.part(found, place, 0.5).startswith("$$")
        path, name, marks = formulas.place_in_code(part)
        text = explain_source(path, name)
        assert all(any(mark in line for line in text) for mark in marks), part.name


def explain_source(path: str, name: str) -> tuple[str, ...]:
    from aigc_demo.explain import source

    return source.read(path, name).lines


def test_fewer_steps_are_further_from_the_end() -> None:
    exact, few = explain.few_steps(sampler_of(MODELS), 7, 3, 1.0)
    errors = [one.error for one in few if one.solver == "euler"]
    assert errors[0] > errors[2] > errors[-1] and exact.shape == (28, 28)
    assert [one.looks for one in few if one.solver == "heun"] == [1, 3, 7, 19]
