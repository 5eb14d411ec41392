"""Inside the VAE: every quantity shown, against an independent computation."""

import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

from aigc_demo.explain import source
from aigc_demo.explain import vae as inside
from aigc_demo.names import BETAS
from aigc_demo.samples import sample_digits
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import ENCODED, Models
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.vae import formulas as vae_formulas
from aigc_demo.ui.vae import inside as vae_inside

WORDS, MODELS = Words(), Models(TABS)
NAMES = ("vae-2d", "vae")


@pytest.fixture(scope="module")
def digit():
    return sample_digits("test")[0][3]


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_of_a_digit_by_torch_distributions(name, digit):
    walker = MODELS.vae(name)
    found = inside.bound(walker, digit, range(5, 15))
    binary = (digit > 0.5).float()
    assert torch.equal(found.image, binary)
    mean, deviation = walker.encode(binary[None])
    torch.testing.assert_close(found.mean, mean[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.deviation, deviation[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.noise, walker.noise(range(5, 15)))
    torch.testing.assert_close(found.z, found.mean + found.deviation * found.noise)
    decoded = walker.decode(found.z)
    torch.testing.assert_close(found.decoded, decoded, atol=1e-4, rtol=1e-3)
    pixels = Bernoulli(decoded.double().clamp(1e-12, 1 - 1e-12)).log_prob(binary.double())
    np.testing.assert_allclose(found.pixels, pixels[0], atol=5e-3)
    np.testing.assert_allclose(found.log_likelihood, pixels.sum((1, 2)), rtol=1e-3)
    posterior = Normal(found.mean, found.deviation)
    log_q = posterior.log_prob(found.z).sum(1)
    if name == "vae-2d":
        torch.testing.assert_close(
            found.kl, kl_divergence(posterior, Normal(0.0, 1.0)), atol=1e-4, rtol=1e-4
        )
        log_p = Normal(0.0, 1.0).log_prob(found.z).sum(1)
        assert found.divergence == pytest.approx(found.kl.sum().item())
    else:
        with torch.no_grad():
            log_p = walker.prior.log_density(found.z.clone())
        assert found.kl is None
        assert found.divergence == pytest.approx((log_q - log_p).mean().item(), abs=1e-3)
    torch.testing.assert_close(found.ratio, log_p - log_q, atol=1e-3, rtol=1e-3)
    assert found.elbo == pytest.approx(
        found.log_likelihood.mean().item() - found.divergence, abs=1e-3
    )
    weights = (found.log_likelihood + found.ratio).double().numpy()
    by_hand = weights.max() + math.log(np.exp(weights - weights.max()).mean())
    assert found.importance == pytest.approx(by_hand, abs=1e-3)


def test_more_samples_make_the_weighted_estimate_no_looser_than_the_bound(digit):
    found = inside.bound(MODELS.vae("vae-2d"), digit, range(200))
    assert found.importance >= (found.log_likelihood + found.ratio).mean().item()


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_are_those_that_a_hook_sees(name, digit):
    import copy

    walker = MODELS.vae(name)
    noise = walker.noise([4])[0]
    twin = copy.deepcopy(walker.loaded.model)
    seen = {}
    for place, module in twin.named_modules():
        module.register_forward_hook(lambda m, i, o, place=place: seen.__setitem__(place, o))
    with torch.inference_mode():
        mean, log_var = twin.encoder((digit > 0.5).float()[None, None])
        z = mean + (0.5 * log_var).exp() * noise
        twin.decoder(z)
    parts = {part.name: part for part in inside.layers(walker, digit, noise)}
    torch.testing.assert_close(parts["mean"].maps.flatten(), mean[0])
    torch.testing.assert_close(parts["z"].maps.flatten(), z[0])
    checked = 0
    for place, part in parts.items():
        layer = re.fullmatch(r"(encoder|decoder)(\d+)", place)
        if layer:
            expected = seen[f"{layer[1]}.layers.{layer[2]}"][0]
            torch.testing.assert_close(part.maps.flatten(), expected.flatten())
            checked += 1
    assert checked >= 6
    torch.testing.assert_close(parts["paint"].maps[0], walker.decode(z)[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_dimension_carries_and_a_row_along_it(name):
    walker = MODELS.vae(name)
    mean, deviation = walker.encode(sample_digits("test")[0][:ENCODED])
    carries = inside.carried(mean, deviation)
    expected = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).mean(0)
    torch.testing.assert_close(carries, expected, atol=1e-4, rtol=1e-4)
    places = torch.tensor([-1.0, 2.0])
    row = inside.traverse(walker, mean[0], 1, places)
    for place, picture in zip(places, row, strict=True):
        moved = mean[0].clone()
        moved[1] = place
        torch.testing.assert_close(picture, walker.decode(moved[None])[0])


def test_rate_and_distortion_by_torch_distributions():
    walker, images = MODELS.vae("vae-beta-1"), sample_digits("test")[0][:40]
    found = inside.tradeoff(walker, images)
    binary = (images > 0.5).float()
    mean, deviation = walker.encode(binary)
    kl = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1).mean()
    assert found.rate == pytest.approx(kl.item(), rel=1e-4)
    decoded = walker.decode(mean + deviation * walker.noise(range(40))).double()
    pixels = Bernoulli(decoded.clamp(1e-12, 1 - 1e-12)).log_prob(binary.double())
    assert found.distortion == pytest.approx(-pixels.sum((1, 2)).mean().item(), rel=1e-3)


def test_the_beta_question_is_answered_by_the_models_themselves():
    maps, pictures = vae_inside.see_betas(MODELS, WORDS, "#3", 5)
    none, one, much = maps["models"]
    assert (none["beta"], one["beta"], much["beta"]) == (0, 1, 10)
    assert none["rate"] > 10 * one["rate"] > 10 * much["rate"] > 0
    assert none["distortion"] < one["distortion"] < much["distortion"]
    assert none["reach"] > 3 * one["reach"]  # its codes lie far from the prior
    for name, model in zip(BETAS, maps["models"], strict=True):
        expected = inside.tradeoff(MODELS.vae(name), sample_digits("test")[0][:ENCODED])
        assert model["rate"] == pytest.approx(expected.rate, abs=0.06)
        labels = sample_digits("test")[1]
        assert [label for *_, label in model["points"]] == labels[: len(model["points"])].tolist()
    assert [len(group["items"]) for group in pictures["groups"]] == [1, 9, 9, 9]


def test_sharpness_falls_when_a_picture_is_blurred():
    images = sample_digits("test")[0][:50]
    kernel = torch.full((1, 1, 3, 3), 1 / 9)
    soft = torch.nn.functional.conv2d(images[:, None], kernel, padding=1)[:, 0]
    assert (inside.sharpness(soft) < inside.sharpness(images)).all()
    one = torch.zeros(1, 28, 28)
    one[0, 10, 10] = 1  # four edges, each a step of 1, over an area of 1
    assert inside.sharpness(one).item() == pytest.approx(4)


def test_the_kl_of_a_dimension_by_hand_and_as_it_is_shown(digit):
    found = inside.bound(MODELS.vae("vae-2d"), digit, range(100))
    mean, deviation = found.mean[1].item(), found.deviation[1].item()
    *_, kl = inside.kl_by_hand(mean, deviation)
    assert kl == pytest.approx(found.kl[1].item(), abs=1e-4)
    text = vae_formulas.divergence_by_hand(found, 1)
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d{3}", text)]
    expected = [mean, deviation, mean**2, deviation**2, 2 * math.log(deviation), kl]
    assert numbers == pytest.approx(expected, abs=6e-4)
    shown = vae_formulas.elbo(found)
    terms = [float(number) for number in re.findall(r"-?\d+\.\d{3}", shown)]
    assert terms == pytest.approx([found.log_likelihood.mean().item(), found.divergence], abs=6e-4)
    totals = [float(number) for number in re.findall(r"(-?\d+\.\d\d)\\ ", shown)]
    assert totals == pytest.approx([found.elbo, found.importance], abs=6e-3)


@pytest.mark.parametrize("name", NAMES)
def test_every_part_has_its_line_of_code_and_a_formula(name, digit):
    walker = MODELS.vae(name)
    found = inside.layers(walker, digit, walker.noise([0])[0])
    for place, part in enumerate(found):
        path, definition, marks = vae_formulas.place_in_code(part)
        assert source.read(path, definition).marked(marks), part.name
        text = vae_formulas.part(found, place)
        assert text.count("{") == text.count("}")


@pytest.mark.parametrize("name", NAMES)
def test_the_views_show_what_was_computed(name):
    plane, pictures = vae_inside.see_posterior(MODELS, WORDS, name, "#3", 9)
    found = inside.bound(MODELS.vae(name), sample_digits("test")[0][3], range(9, 15))
    axes = inside.carried(*MODELS.encoded(name)).topk(2).indices.sort().values
    assert plane["mean"] == pytest.approx(found.mean[axes].tolist())
    assert plane["deviation"] == pytest.approx(found.deviation[axes].tolist())
    assert [len(group["items"]) for group in pictures["groups"]] == [1, 1, 1, 6]
    *_, shares, _, _ = vae_inside.see_bound(MODELS, WORDS, name, "#3", 9)
    if name == "vae-2d":
        assert sum(bar["value"] for bar in shares["bars"]) == pytest.approx(found.divergence)
    else:
        assert shares["bars"] == []
    row, carries, rank = vae_inside.see_dimension(MODELS, WORDS, name, "#3", 9, 1)
    assert rank["maximum"] == MODELS.vae(name).latent_size
    if name == "vae":  # a learned prior: no dimension has a KL term of its own
        assert carries["bars"][0]["value"] == MODELS.encoded(name)[0].var(0).max().item()
        assert "nats" not in row["texts"]["en"] + carries["texts"]["en"]
    values = [bar["value"] for bar in carries["bars"]]
    assert values == sorted(values, reverse=True)
    assert f"{values[0]:.2f}" in row["texts"]["en"]
    flow, formula, lines = vae_inside.look(MODELS, WORDS, name, "#3", 9, 2)
    assert vae_inside.look_at_part(MODELS, WORDS, name, "#3", 9, 2) == (formula, lines)
    assert "value" not in flow


@torch.inference_mode()
def test_the_formulas_of_the_layers_are_what_they_compute(digit):
    walker = MODELS.vae("vae")
    found = inside.layers(walker, digit, walker.noise([0])[0])
    encoder, decoder = walker.encoder.layers, walker.decoder.layers

    def residual(a, block):
        inner = F.conv2d(F.silu(a), block.first.weight, block.first.bias, padding=1)
        inner = F.conv2d(F.silu(inner), block.second.weight, block.second.bias, padding=1)
        return F.silu(a + inner)

    x = (digit > 0.5).float()[None, None]
    first = residual(
        F.conv2d(2 * x - 1, encoder[0].weight, encoder[0].bias, stride=2, padding=1), encoder[1]
    )
    torch.testing.assert_close(found[1].maps, first[0])
    text = vae_formulas.part(found, 1)
    assert "W * (2" in text and "- 1) + b" in text and "a + W_2 *" in text

    places = {part.name: place for place, part in enumerate(found)}
    z = found[places["z"]].maps.flatten()
    decoded = [place for name, place in places.items() if name.startswith("decoder")]
    dense = F.silu(F.linear(z, decoder[0].weight, decoder[0].bias))
    torch.testing.assert_close(found[decoded[0]].maps.flatten(), dense)
    assert "W " in vae_formulas.part(found, decoded[0])
    seven = F.linear(dense, decoder[2].weight, decoder[2].bias).view(1, -1, 7, 7)
    seven = residual(seven, decoder[4])
    torch.testing.assert_close(found[decoded[1]].maps, seven[0])
    assert "a &= W h + b" in vae_formulas.part(found, decoded[1])
    fourteen = F.conv_transpose2d(seven, decoder[6].weight, decoder[6].bias, stride=2, padding=1)
    fourteen = residual(fourteen, decoder[7])
    torch.testing.assert_close(found[decoded[2]].maps, fourteen[0], atol=1e-5, rtol=1e-4)
    last = F.conv2d(fourteen, decoder[9].weight, decoder[9].bias, padding=1)
    last = F.silu(F.pixel_shuffle(last, 2))
    torch.testing.assert_close(found[decoded[3]].maps, last[0], atol=1e-5, rtol=1e-4)
    assert "shuffle" in vae_formulas.part(found, decoded[3])


def test_blur_is_judged_on_the_same_digit_of_all_three():
    shown = vae_inside.see_blur(MODELS, WORDS, "vae-2d", "3", 0)
    assert [group["title"]["en"].split(",")[0] for group in shown["groups"]] == [
        "By hand",
        "GAN",
        "VAE",
    ]
    assert [len(group["items"]) for group in shown["groups"]] == [8, 8, 8]
    sharp = [float(group["title"]["en"].split()[-1]) for group in shown["groups"]]
    assert sharp[2] < min(sharp[:2])


BAD = [
    (vae_inside.see_posterior, ("nothing", "#0", 0)),
    (vae_inside.see_posterior, ("vae", "#15", 0)),
    (vae_inside.see_posterior, ("vae", "#-1", 0)),
    (vae_inside.see_posterior, ("vae", "#²", 0)),
    (vae_inside.see_posterior, ("vae", None, 0)),
    (vae_inside.see_bound, ("vae", "#0", -1)),
    (vae_inside.look, ("vae", "%", 0, 0)),
    (vae_inside.look_at_part, ("vae", "#0", 0, 99)),
    (vae_inside.see_dimension, ("vae", "#0", 0, 0)),
    (vae_inside.see_dimension, ("vae", "#0", 0, float("nan"))),
    (vae_inside.see_blur, ("vae", "x", 0)),
    (vae_inside.see_betas, ("#99", 0)),
]


@pytest.mark.parametrize(("handler", "values"), BAD, ids=lambda v: getattr(v, "__name__", ""))
def test_a_wrong_input_is_one_complaint(handler, values):
    with pytest.raises(UserError):
        handler(MODELS, WORDS, *values)
