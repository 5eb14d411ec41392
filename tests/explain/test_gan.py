"""The inside views: every quantity they show, against an independent computation."""

import copy
import inspect
import re
from functools import partial

import numpy as np
import pytest
import torch

from aigc_demo.explain import gan as inside
from aigc_demo.explain import source
from aigc_demo.explain.figures import card_figures
from aigc_demo.explain.neighbours import TrainingIndex
from aigc_demo.images import MEASURES, slant, thickness, width
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.models import gan as gan_models
from aigc_demo.samples import sample_digits
from aigc_demo.training.directions import find_directions, write_directions
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.gan import formulas
from aigc_demo.ui.gan import inside as gan_inside
from aigc_demo.ui.gan import requests as gan_tab
from aigc_demo.ui.gan import then_and_now as gan_then
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.page.inside_views import shape_of
from aigc_demo.weights import BUNDLED, read_directions

WORDS, MODELS = Words(), Models(TABS)


@pytest.fixture(scope="module")
def sampler():
    return DigitSampler.load("gan", "cpu")


@pytest.fixture(scope="module")
def old():
    return DigitSampler.load("gan-mlp", "cpu")


def hooked(sampler, z, label):
    """The outputs of every convolution, linear layer and activation of a copy, by PyTorch hooks."""
    seen = {}
    twin = copy.deepcopy(torch.nn.ModuleList([sampler.generator, sampler.discriminator]))
    for name, module in twin.named_modules():
        module.register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, o))
    with torch.inference_mode():
        if label is None:
            twin[1](twin[0](z[None]))
        else:
            twin[1](twin[0](z[None], torch.eye(10)[[label]]), torch.tensor([label]))
    return seen


def test_the_layers_of_gan_are_those_that_a_hook_sees(sampler):
    z = sampler.noise([7], [3])[0][0]
    seen = hooked(sampler, z, 3)
    parts = {part.name: part for part in inside.layers(sampler, z, 3)}
    for part, layer in (("project", "norm7"), ("grow14", "norm14"), ("grow28", "norm28")):
        torch.testing.assert_close(parts[part].maps, seen[f"0.{layer}"][0].relu())
    torch.testing.assert_close(parts["paint"].maps, seen["0.paint"][0].sigmoid())
    for i in range(5):
        torch.testing.assert_close(parts[f"look{i}"].maps, seen[f"1.look.{2 * i + 1}"][0])
    torch.testing.assert_close(
        parts["seen"].maps.flatten(), seen["1.look.9"][0].sum((1, 2)), rtol=1e-4, atol=1e-4
    )
    assert [part.player for part in parts.values()] == (
        ["noise"] + ["generator"] * 4 + ["discriminator"] * 7
    )
    torch.testing.assert_close(parts["z"].maps.flatten(), z)


def test_the_layers_of_gan_mlp_are_those_that_a_hook_sees(old):
    z = old.noise([7])[0][0]
    seen = hooked(old, z, None)
    parts = inside.layers(old, z, None)
    expected = [z, *(seen[f"0.layers.{i}"] for i in (1, 3, 5)), (seen["0.layers.7"] + 1) / 2]
    expected += [seen["1.layers.2"], seen["1.layers.4"], seen["1.layers.5"]]
    for part, values in zip(parts, expected, strict=True):
        torch.testing.assert_close(part.maps.flatten(), values.flatten())


@pytest.mark.parametrize(("name", "label"), [("gan", 3), ("gan-mlp", None)])
def test_the_last_stages_are_the_digit_drawn_and_its_score(name, label):
    sampler = MODELS.gan(name)
    labels = None if label is None else [label]
    parts = {p.name: p for p in inside.layers(sampler, sampler.noise([7], labels)[0][0], label)}
    image = sampler.sample([7], labels)
    torch.testing.assert_close(parts["paint"].maps, image, atol=1e-5, rtol=0)
    score = sampler.realness(image, labels)
    torch.testing.assert_close(parts["score"].maps.flatten(), score, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "label"), [("gan", 3), ("gan-mlp", None)])
def test_the_terms_of_a_score_add_up_to_it_by_hand(name, label):
    sampler = MODELS.gan(name)
    labels = None if label is None else [label]
    found = inside.layers(sampler, sampler.noise([7], labels)[0][0], label)
    terms = inside.score_terms(sampler, found, label)
    player = sampler.discriminator
    last = player.layers[-1] if label is None else player.score
    seen = found[-2].maps.flatten().double().numpy()
    weight, bias = (p.detach().double().numpy() for p in (last.weight[0], last.bias))
    assert terms.matter == pytest.approx(float(weight @ seen), rel=1e-4, abs=1e-4)
    assert terms.bias == pytest.approx(float(bias[0]))
    if label is not None:
        claim = player.class_score.weight[label].detach().double().numpy()
        assert terms.claim == pytest.approx(float(claim @ seen), rel=1e-4, abs=1e-4)
    assert terms.score == pytest.approx(found[-1].maps.item(), rel=1e-4, abs=1e-4)
    text = formulas.part(sampler, found, len(found) - 1, label, 1.0)
    shown = [float(number) for number in re.findall(r"-?\d+\.\d{3}", text)]
    expected = [terms.matter, terms.bias] + ([terms.claim] if label is not None else [])
    expected.append(terms.score)
    if label is None:
        expected.append(1 / (1 + np.exp(-terms.score)))
    assert shown == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("name", ["gan", "gan-mlp"])
def test_the_loss_of_a_batch_and_its_terms_by_hand(name):
    sampler = MODELS.gan(name)
    verdict = inside.judge_batch(sampler, range(20, 28), [4] * 8, 0.8)
    asked = [4] * 8 if sampler.classes else None
    torch.testing.assert_close(verdict.fakes, sampler.sample(range(20, 28), asked, 0.8))
    images, labels = sample_digits("test")
    fours = images[labels == 4]
    assert all(any(torch.equal(real, four) for four in fours) for real in verdict.reals)
    real = sampler.realness(verdict.reals, asked).double().numpy()
    fake = sampler.realness(verdict.fakes, asked).double().numpy()
    if sampler.classes:
        real_terms, fake_terms = np.maximum(0, 1 - real), np.maximum(0, 1 + fake)
        loss, own = real_terms.mean() + fake_terms.mean(), -fake.mean()
    else:
        real_terms = np.log(1 / (1 + np.exp(-real)))
        fake_terms = np.log(1 - 1 / (1 + np.exp(-fake)))
        loss, own = -(real_terms.mean() + fake_terms.mean()), fake_terms.mean()
    np.testing.assert_allclose(verdict.real_terms, real_terms, atol=1e-5)
    np.testing.assert_allclose(verdict.fake_terms, fake_terms, atol=1e-5)
    assert verdict.discriminator_loss == pytest.approx(loss, abs=1e-5)
    assert verdict.generator_loss == pytest.approx(own, abs=1e-5)
    rows = formulas.sums(sampler, verdict).split("\n")
    for i, row in enumerate(rows[2:10]):
        shown = [float(cell) for cell in row.strip("| ").split(" | ")]
        assert shown == pytest.approx(
            [i + 1, real[i], real_terms[i], fake[i], fake_terms[i]], abs=6e-4
        )
    means = [float(number) for number in re.findall(r"\*\*(-?[\d.]+)\*\*", rows[11])]
    assert means == pytest.approx([real_terms.mean(), fake_terms.mean()], abs=6e-4)
    numbers = re.findall(
        r"approx\s+\(?(-?\d+\.\d{3})\)? \+ \(?(-?\d+\.\d{3})", formulas.loss(sampler, verdict)
    )
    assert [float(n) for n in numbers[0]] == pytest.approx(means, abs=6e-4)


def test_looking_inside_leaves_nothing_behind(sampler):
    before = {k: v.clone() for k, v in sampler.loaded.model.state_dict().items()}
    random = torch.get_rng_state()
    z = sampler.noise([1], [2])[0][0]
    inside.layers(sampler, z, 2)
    inside.judge_batch(sampler, [1, 2], [2, 2], 1.0)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(v, before[k]) for k, v in sampler.loaded.model.state_dict().items())
    hooks = [m._forward_hooks or m._forward_pre_hooks for m in sampler.loaded.model.modules()]
    assert not any(hooks)
    assert not sampler.loaded.model.training


# Directions


def bar(columns: int, lean: float = 0.0) -> torch.Tensor:
    """A bar 20 pixels high, so many wide, sheared by `lean`."""
    image = torch.zeros(28, 28)
    for row in range(4, 24):
        middle = 14 + lean * (13.5 - row)
        for column in range(28):
            image[row, column] = max(0.0, min(1.0, columns / 2 + 0.5 - abs(column + 0.5 - middle)))
    return image


def test_slant_width_and_thickness_of_bars():
    thin, thick = torch.stack([bar(2)]), torch.stack([bar(6)])
    assert slant(thin).item() == pytest.approx(0, abs=1e-4)
    for lean in (-0.3, 0.2, 0.5):
        assert slant(bar(2, lean)[None]).item() == pytest.approx(lean, abs=0.02)
        assert width(bar(6, lean)[None]).item() == pytest.approx(width(thick).item(), abs=0.1)
    # A uniform bar w wide has a standard deviation of w / sqrt(12).
    assert width(thick).item() == pytest.approx(6 / 12**0.5, abs=0.1)
    assert thickness(thin).item() < thickness(bar(4)[None]).item() < thickness(thick).item()
    # Twice the area over the outline: 2 * 6 * 20 / (2 * 20 + 2 * 6), softened corners aside.
    assert thickness(thick).item() == pytest.approx(2 * 120 / 52, rel=0.1)


def test_each_direction_of_the_bundled_gan_changes_its_own_property_most(sampler):
    assert set(sampler.directions) == set(MEASURES)
    labels = [i % 10 for i in range(200)]
    z, _ = sampler.noise(range(9_000, 9_200), labels)

    def measured(moved):
        images = sampler.draw(moved, labels)
        return torch.stack([measure(images) for measure in MEASURES.values()])

    spread = measured(z).view(3, 20, 10).std(1).mean(1)  # within a class
    for i, name in enumerate(MEASURES):
        step = sampler.directions[name]
        change = (measured(z + step) - measured(z - step)).mean(1) / 2 / spread
        assert 0.5 < change[i] < 2, "one step is about one standard deviation"
        others = change.abs()[[j for j in range(3) if j != i]]
        assert others.max() < change[i] / 3


def test_directions_are_found_written_and_read_the_same(tiny_folders, tmp_path):
    import shutil

    folder = tmp_path / "gan"
    shutil.copytree(tiny_folders["gan"], folder)
    assert DigitSampler.load(folder).directions == {}
    write_directions(folder)
    found = find_directions(DigitSampler.load(tiny_folders["gan"]))
    loaded = DigitSampler.load(folder).directions
    assert set(loaded) == set(found)
    assert all(torch.equal(loaded[name], found[name]) for name in found)
    with pytest.raises(ValueError, match="expected 5 finite numbers"):
        read_directions(folder, 5)
    (folder / "directions.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="expected a safetensors file"):
        DigitSampler.load(folder)


def test_a_move_adds_the_steps_and_knows_its_names(sampler):
    z = torch.zeros(64)
    moved = inside.moved(sampler, z, {"slant": 2.0, "width": -1.0})
    torch.testing.assert_close(moved, 2 * sampler.directions["slant"] - sampler.directions["width"])
    with pytest.raises(ValueError, match="expected one of the directions"):
        inside.moved(sampler, z, {"colour": 1.0})


# Neighbours


@pytest.fixture(scope="module")
def index():
    return TrainingIndex()


def test_a_training_digit_is_its_own_nearest_neighbour(index):
    images, labels = sample_digits("train")
    found = index.nearest(images[:20], 2)
    assert torch.equal(found.labels[:, 0], labels[:20])
    assert found.distances[:, 0].max() < 0.5 < found.distances[:, 1].min()
    assert (found.pictures[:, 0] - images[:20]).pow(2).mean() < 0.02


def test_neighbours_and_typical_distance_by_brute_force(index):
    images, _ = sample_digits("test")
    places = index.places.double().numpy()
    nearest = []
    for image in images[:5]:
        at = (image.flatten() - index.mean).double().numpy() @ index.axes.double().numpy()
        apart = np.sqrt(((places - at) ** 2).sum(1))
        nearest.append(apart.min())
        found = index.nearest(image[None], 3)
        np.testing.assert_array_equal(found.places[0], np.argsort(apart)[:3])
        np.testing.assert_allclose(found.distances[0], np.sort(apart)[:3], atol=2e-3)
    assert index.typical == pytest.approx(float(np.median(index.real)), rel=0.01)
    for distance in nearest:
        expected = float((index.real.numpy() < distance).mean())
        assert index.share_of_real_nearer(distance) == pytest.approx(expected, abs=0.003)
        assert np.abs(index.real.numpy() - distance).min() < 2e-3, "it is one of the 1,000"


# Source and cards


def test_the_source_shown_is_the_source_that_runs():
    for definition in (gan_models.Generator.stages, gan_models.discriminator_loss):
        text = source.read("models/gan.py", definition.__qualname__)
        lines, first = inspect.getsourcelines(definition)
        assert text.first == first
        assert [line.rstrip("\n") for line in lines] == list(text.lines)
    with pytest.raises(ValueError, match="expected a definition"):
        source.read("models/gan.py", "Generator.nothing")
    with pytest.raises(ValueError, match="expected a file"):
        source.read("models/nothing.py", "Generator")


@pytest.mark.parametrize(("name", "label"), [("gan", 3), ("gan-mlp", None)])
def test_every_part_has_its_line_of_code_and_a_formula(name, label):
    sampler = MODELS.gan(name)
    labels = None if label is None else [label]
    found = inside.layers(sampler, sampler.noise([7], labels)[0][0], label)
    for place, part in enumerate(found):
        path, definition, marks = formulas.place_in_code(sampler, part)
        assert source.read(path, definition).marked(marks), part.name
        text = formulas.part(sampler, found, place, label, 0.8)
        assert text.count("{") == text.count("}")
        assert text.startswith("$$") and text.endswith("$$")


def test_the_figures_of_a_card_are_read_as_they_stand_there():
    figures = card_figures("gan")
    card = (BUNDLED / "gan" / "README.md").read_text(encoding="utf-8")
    assert f"| label agreement | {figures['label agreement']} |" in card
    assert 0.9 < float(figures["label agreement"]) <= 1


# Handlers


def test_the_views_answer_and_say_what_they_show():
    for model in ("gan", "gan-mlp"):
        flow, formula, lines = gan_inside.look(MODELS, WORDS, model, "3", 7, 0.8, 2)
        assert "value" not in flow
        assert flow["parts"][-1]["title"].startswith("D = ")
        assert formula.startswith("$$")
        assert lines["code"]["marked"]
        again = gan_inside.look_at_part(MODELS, WORDS, model, "3", 7, 0.8, 2)
        assert again == (formula, lines)
        scores, *_ = gan_inside.judge(MODELS, WORDS, model, "3", 7, 0.8)
        assert [len(group["items"]) for group in scores["groups"]] == [8, 8]
        near = gan_inside.neighbours(MODELS, WORDS, model, "3", 7, 0.8)
        distances = [float(item["text"]) for item in near["groups"][1]["items"]]
        assert distances == sorted(distances)
        verdict, read = gan_inside.opinion(MODELS, WORDS, model, "")
        assert sum(read.values()) == pytest.approx(1, abs=1e-4)
        assert verdict["groups"][0]["items"][0]["text"] in verdict["texts"]["en"]


def test_the_digit_picked_from_the_field_is_the_one_looked_into(sampler):
    model, label, seed, truncation, _ = gan_tab.pick(MODELS, WORDS, "gan", ["3", "8"], 5, 0.5, 1)
    assert (model, label, seed, truncation) == ("gan", "8", 6, 0.5)
    _, label, seed, _, _ = gan_tab.pick(MODELS, WORDS, "gan", [], 5, 0.5, 4)
    expected = sampler.sample([9], None, 0.5)
    shown = gan_inside._asked(MODELS, "gan", label, seed, 0.5)
    torch.testing.assert_close(shown.sampler.draw(shown.noise()[None], shown.labels), expected)


def test_then_and_now_shows_one_digit_and_the_figures_of_the_cards(old):
    shown, *stacks = gan_then.compare(MODELS, WORDS, "gan", "7", 0, 0.8)
    seeds = inside.seeds_that_read(partial(old.sample, truncation=0.8), MODELS.judge, 7, 0, 8)
    images = old.sample(seeds, truncation=0.8)
    assert DigitJudge.load().classify(images).argmax(1).tolist() == [7] * len(seeds)
    assert [len(group["items"]) for group in shown["groups"]] == [len(seeds), 8]
    assert card_figures("gan")["frechet distance"] in shown["texts"]["en"]
    for stack, first, sampler in zip(stacks, (seeds[0], 0), (old, MODELS.gan()), strict=True):
        drawn = next(one for one in stack["stations"] if one["shape"] == "1 × 28 × 28")
        label = [7] if sampler.classes else None
        z, _ = sampler.noise([first], label)
        made = inside.layers(sampler, z[0], 7 if label else None)
        assert [one["shape"] for one in stack["stations"]] == [shape_of(part) for part in made]
        assert drawn["player"] == "generator" and "go" not in drawn


BAD = [
    (gan_inside.look, ("nothing", "3", 7, 0.8, 0)),
    (gan_inside.look, ("gan", "x", 7, 0.8, 0)),
    (gan_inside.look, ("gan", "3", -1, 0.8, 0)),
    (gan_inside.look, ("gan", "3", 7, float("nan"), 0)),
    (gan_inside.look_at_part, ("gan", "3", 7, 0.8, 99)),
    (gan_inside.look_at_part, ("gan", "3", 7, 0.8, "1")),
    (gan_inside.judge, ("gan", None, 7, 0.8)),
    (gan_inside.opinion, ("gan", "%%%")),
    (gan_inside.opinion, (["gan"], "")),
    (gan_inside.move, ("gan", "3", 7, 0.8, 9, 0, 0)),
    (gan_inside.move, ("gan", "3", 7, 0.8, None, 0, 0)),
    (gan_inside.neighbours, ("gan", "3", 1.5, 0.8)),
    (gan_then.compare, ("gan", "12", 7, 0.8)),
    (gan_tab.pick, ("gan", ["x"], 5, 0.5, 1)),
    (gan_tab.pick, ("gan", [], 5, 0.5, -1)),
]


@pytest.mark.parametrize(("handler", "values"), BAD, ids=lambda v: getattr(v, "__name__", ""))
def test_a_wrong_input_is_one_complaint(handler, values):
    with pytest.raises(UserError):
        handler(MODELS, WORDS, *values)
