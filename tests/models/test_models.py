"""The networks and their formulas, against torch.distributions, naive loops and hand."""

import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from aigc_demo.models.gan import (
    GAN,
    Discriminator,
    GANConfig,
    Generator,
    discriminator_loss,
    generator_loss,
    spherical_path,
)
from aigc_demo.models.gan_mlp import MLPGAN, MLPGANConfig, minimax_value
from aigc_demo.models.judge import Judge, JudgeConfig
from aigc_demo.models.transformer import (
    Cache,
    SharedDropout,
    Transformer,
    TransformerConfig,
    next_token_distribution,
    rotate,
    shift,
)
from aigc_demo.models.vae import (
    VAE,
    Encoder,
    Prior,
    VAEConfig,
    importance_bound,
    log_likelihood,
    log_posterior,
    reparameterize,
)

SMALL_GAN = GANConfig(latent_size=6, channels=4, discriminator_channels=4)
SMALL_TEXT = TransformerConfig(vocabulary_size=11, context=12, layers=2, heads=2, width=16)


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


@pytest.fixture
def transformer():
    model = Transformer(SMALL_TEXT).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)  # blocks start as the identity
    return model


# VAE


def test_log_likelihood_of_black_and_white_pixels_agrees_with_torch_distributions():
    logits = 3 * torch.randn(5, 4, 1, 28, 28)
    image = torch.rand(4, 1, 28, 28).round()
    expected = Bernoulli(logits=logits).log_prob(image.expand_as(logits)).sum((2, 3, 4))
    torch.testing.assert_close(log_likelihood(logits, image), expected)


def test_log_likelihood_of_grey_pixels_weighs_black_and_white_by_their_shade():
    logits, image = torch.randn(2, 1, 28, 28, dtype=torch.float64), torch.rand(2, 1, 28, 28)
    p = 1 / (1 + (-logits).exp())
    expected = (image * p.log() + (1 - image) * (1 - p).log()).sum((1, 2, 3))
    torch.testing.assert_close(log_likelihood(logits, image.double()), expected)


def test_log_likelihood_stays_finite_for_certain_logits():
    image = torch.ones(1, 1, 28, 28)
    torch.testing.assert_close(log_likelihood(-1e4 * image, image), torch.tensor([-784e4]))


def test_log_likelihood_refuses_an_image_of_another_shape():
    with pytest.raises(ValueError, match="must match"):
        log_likelihood(torch.zeros(2, 1, 28, 28), torch.zeros(2, 28, 28))


def test_log_posterior_agrees_with_torch_distributions():
    mean, log_var = torch.randn(2, 4, 3)
    posterior = Normal(mean, (0.5 * log_var).exp())
    z = posterior.sample((5,))  # (S, B, D)
    expected = posterior.log_prob(z).sum(-1)
    torch.testing.assert_close(log_posterior(z, mean, log_var), expected)


def test_the_plain_prior_is_a_standard_normal():
    prior = Prior(VAEConfig(latent_size=3))
    z = torch.randn(5, 4, 3)
    torch.testing.assert_close(prior.log_density(z), Normal(0.0, 1.0).log_prob(z).sum(-1))
    assert torch.equal(prior.from_noise(z), z)


@pytest.fixture
def flow():
    prior = Prior(VAEConfig(latent_size=4, couplings=3)).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += 0.3 * torch.randn_like(parameter)  # couplings start as the identity
    return prior


def test_the_flow_prior_has_the_density_of_its_samples(flow):
    noise = torch.randn(6, 4, dtype=torch.float64)
    z = flow.from_noise(noise)
    # change of variables, with the Jacobian that autograd finds
    jacobians = [torch.autograd.functional.jacobian(flow.from_noise, row) for row in noise]
    volume = torch.stack([torch.linalg.slogdet(jacobian)[1] for jacobian in jacobians])
    expected = Normal(0.0, 1.0).log_prob(noise).sum(-1) - volume
    torch.testing.assert_close(flow.log_density(z), expected)
    assert not torch.allclose(z, noise)


def test_a_flow_wants_halves():
    with pytest.raises(ValueError, match="even latent_size"):
        VAEConfig(latent_size=3, couplings=1)


def test_the_importance_bound_is_the_log_of_the_mean_weight():
    log_p, ratio = torch.randn(2, 5, 4)
    expected = (log_p + ratio).exp().mean(0).log()
    torch.testing.assert_close(importance_bound(log_p, ratio), expected)
    torch.testing.assert_close(importance_bound(log_p[:1], ratio[:1]), (log_p + ratio)[0])


@pytest.mark.parametrize("config", [VAEConfig(hidden=8), VAEConfig(4, 8, channels=4, couplings=2)])
def test_the_parts_of_the_bound_belong_to_the_models_own_samples(config):
    model = VAE(config)
    image = torch.rand(3, 1, 28, 28).round()
    torch.manual_seed(1)
    likelihood, ratio = model(image, samples=2)
    assert likelihood.shape == ratio.shape == (2, 3)

    torch.manual_seed(1)
    noise = torch.randn(3, 2, config.latent_size).transpose(0, 1)
    mean, log_var = model.encoder(image)
    z = mean + (0.5 * log_var).exp() * noise
    expected = torch.stack([log_likelihood(model.decoder(sample), image) for sample in z])
    torch.testing.assert_close(likelihood, expected)
    torch.testing.assert_close(ratio, model.prior.log_density(z) - log_posterior(z, mean, log_var))


def test_the_mean_ratio_of_a_plain_prior_is_the_kl_divergence():
    model = VAE(VAEConfig(hidden=8))
    image = torch.rand(1, 1, 28, 28)
    mean, log_var = model.encoder(image)
    expected = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(1)
    _, ratio = model(image, samples=20_000)
    torch.testing.assert_close(-ratio.mean(0), expected, atol=0.03, rtol=0)


def test_reparameterized_samples_have_the_mean_and_deviation_asked_for():
    mean, log_var = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, math.log(9.0)]])
    z = reparameterize(mean, log_var, torch.randn(40_000, 1, 2))[:, 0]
    torch.testing.assert_close(z.mean(0), mean[0], atol=0.06, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 3.0]), atol=0.06, rtol=0)


def test_gradients_pass_through_the_sample():
    mean = torch.zeros(1, 2, requires_grad=True)
    log_var = torch.zeros(1, 2, requires_grad=True)
    noise = torch.randn(1, 2)
    reparameterize(mean, log_var, noise).sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(1, 2))
    torch.testing.assert_close(log_var.grad, 0.5 * noise)  # d/dv of exp(v/2) e at v = 0


def test_encoder_bounds_the_log_variance():
    encoder = Encoder(VAEConfig(latent_size=2, hidden=8))
    nn.init.constant_(encoder.layers[-1].bias, 1e6)
    _, log_var = encoder(torch.rand(1, 1, 28, 28))
    assert log_var.tolist() == [[15.0, 15.0]]


# GAN


def test_hinge_losses_by_hand():
    real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, 0.0, 3.0])
    # real: 0 + 0.5 + 2 over 3; fake: 0 + 1 + 4 over 3
    assert discriminator_loss(real, fake).item() == pytest.approx(2.5 / 3 + 5 / 3)
    assert generator_loss(fake).item() == pytest.approx(-1 / 3)


def test_generator_paints_pixels_between_0_and_1():
    images = Generator(SMALL_GAN)(5 * torch.randn(3, 6), torch.eye(10)[:3])
    assert images.shape == (3, 1, 28, 28)
    assert 0 <= images.min() < images.max() <= 1


def test_the_class_changes_what_the_generator_paints():
    generator = Generator(SMALL_GAN)
    nn.init.normal_(generator.norm7.shift)
    generator.eval()
    z = torch.randn(1, 6)
    assert not torch.equal(generator(z, torch.eye(10)[:1]), generator(z, torch.eye(10)[1:2]))


def test_discriminator_scores_each_image_alone_and_heeds_its_label():
    discriminator = Discriminator(SMALL_GAN).eval()
    images, labels = torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 2, 3])
    scores = discriminator(images, labels)
    alone = torch.cat([discriminator(images[i : i + 1], labels[i : i + 1]) for i in range(4)])
    assert scores.shape == (4,)
    torch.testing.assert_close(scores, alone)
    assert not torch.isclose(scores, discriminator(images, labels.flip(0))).any()


def test_the_bundled_generator_has_at_most_two_million_parameters():
    assert sum(p.numel() for p in GAN(GANConfig()).generator.parameters()) <= 2_000_000


def test_spherical_path_turns_evenly_from_one_end_to_the_other():
    start, end = nn.functional.normalize(torch.randn(2, 8), dim=1) * 3
    path = spherical_path(start, end, 6)
    torch.testing.assert_close(path[0], start)
    torch.testing.assert_close(path[-1], end)
    torch.testing.assert_close(path.norm(dim=1), torch.full((6,), 3.0))
    turns = torch.arccos((path[1:] * path[:-1]).sum(1) / 9)
    whole = torch.arccos((start @ end) / 9)
    torch.testing.assert_close(turns, (whole / 5).expand(5), atol=1e-4, rtol=0)


@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_spherical_path_is_straight_where_there_is_no_single_arc(factor):
    start = torch.tensor([1.0, 2.0, 2.0])
    path = spherical_path(start, factor * start, 3)
    torch.testing.assert_close(path, torch.stack([start, (1 + factor) / 2 * start, factor * start]))


# Judge


def test_judge_gives_ten_scores_from_its_features():
    judge = Judge(JudgeConfig(channels=2)).eval()
    images = torch.rand(3, 1, 28, 28)
    features = judge.features(images)
    assert features.shape == (3, 8)
    expected = features @ judge.head.weight.T + judge.head.bias
    torch.testing.assert_close(judge(images), expected)


# Transformer


def test_logits_before_a_changed_token_stay_the_same_and_those_at_it_change(transformer):
    tokens = torch.randint(11, (1, 12))
    logits = transformer(tokens)
    for place in range(12):
        other = tokens.clone()
        other[0, place] = (tokens[0, place] + 1) % 11
        changed = transformer(other)
        torch.testing.assert_close(changed[:, :place], logits[:, :place])
        assert not torch.isclose(changed[:, place:], logits[:, place:]).all(2).any()


@pytest.mark.parametrize("pieces", [[12], [1] * 12, [5, *[1] * 7], [3, 4, 5], [1, 11]])
def test_cached_decoding_equals_uncached(transformer, pieces):
    tokens = torch.randint(11, (2, 12))
    cache = Cache(SMALL_TEXT, 2, torch.device("cpu"))

    parts = [transformer(part, cache) for part in tokens.split(pieces, dim=1)]

    torch.testing.assert_close(torch.cat(parts, 1), transformer(tokens))
    assert cache.length == 12


@pytest.mark.parametrize("cached", [0, 12])
def test_more_tokens_than_the_context_holds_are_refused(transformer, cached):
    cache = Cache(SMALL_TEXT, 1, torch.device("cpu"))
    if cached:
        transformer(torch.zeros(1, cached, dtype=torch.long), cache)
    with pytest.raises(ValueError, match="at most 12 tokens, got 13"):
        transformer(torch.zeros(1, 13 - cached, dtype=torch.long), cache)


def test_attention_is_the_softmax_of_scaled_products_over_the_past(transformer):
    attention, x = transformer.blocks[0].attention, torch.randn(1, 5, 16)
    q, k, v = attention.qkv(x)[0].split(16, dim=1)  # (T, C) each
    q, k, v = (part.view(5, 2, 8).transpose(0, 1) for part in (q, k, v))  # (H, T, C/H)
    q, k = (part / (part.square().mean(-1, keepdim=True) + 1e-7).sqrt() for part in (q, k))
    q, k = rotate(q[None], 0)[0], rotate(k[None], 0)[0]
    mixed = torch.zeros(5, 2, 8)
    for head in range(2):
        for t in range(5):
            weight = (k[head, : t + 1] @ q[head, t] / math.sqrt(8)).softmax(0)
            mixed[t, head] = weight @ v[head, : t + 1]

    expected = attention.out(mixed.view(1, 5, 16))
    torch.testing.assert_close(attention(x), expected, atol=1e-4, rtol=1e-4)


def test_rotation_is_multiplication_by_a_complex_phase():
    x = torch.randn(1, 2, 5, 6)
    position = torch.arange(3, 8)[:, None]
    phase = torch.exp(1j * position * 10_000.0 ** (-torch.arange(3) / 3))
    turned = torch.complex(x[..., :3], x[..., 3:]) * phase
    expected = torch.cat([turned.real, turned.imag], -1)
    torch.testing.assert_close(rotate(x, 3), expected, atol=1e-5, rtol=1e-5)


def test_rotated_products_depend_on_the_distance_alone():
    q, k = torch.randn(2, 1, 1, 1, 8)
    near = (rotate(q, 5) * rotate(k, 2)).sum()
    far = (rotate(q, 105) * rotate(k, 102)).sum()
    other = (rotate(q, 5) * rotate(k, 3)).sum()
    torch.testing.assert_close(near, far, atol=1e-4, rtol=1e-4)
    assert not torch.isclose(near, other, atol=1e-3)


def test_capped_logits_stay_inside_the_cap_and_keep_their_order(transformer):
    tokens = torch.randint(11, (1, 12))
    with torch.no_grad():
        transformer.head.weight *= 100
    capped = transformer(tokens)
    bare = Transformer(TransformerConfig(**{**vars(SMALL_TEXT), "logit_cap": 0.0})).eval()
    bare.load_state_dict(transformer.state_dict())
    free = bare(tokens)
    assert free.abs().max() > 15 >= capped.abs().max()
    torch.testing.assert_close(capped, 15 * torch.tanh(free / 15))


def test_a_new_transformer_takes_every_token_for_equally_likely():
    probabilities = Transformer(SMALL_TEXT).eval()(torch.randint(11, (2, 7))).softmax(-1)
    torch.testing.assert_close(probabilities, torch.full((2, 7, 11), 1 / 11))


def test_a_shift_takes_channels_from_the_token_before():
    x = torch.arange(24.0).view(2, 3, 4)
    shifted = shift(x, 1)
    assert torch.equal(shifted[:, 1:, :1], x[:, :-1, :1])
    assert torch.equal(shifted[:, 0, :1], torch.zeros(2, 1))  # nothing comes before the first
    assert torch.equal(shifted[..., 1:], x[..., 1:])
    assert shift(x, 0) is x


def test_token_shift_is_a_share():
    with pytest.raises(ValueError, match="token_shift"):
        TransformerConfig(token_shift=1.5)


def test_dropout_drops_the_same_channels_at_every_position_of_a_text():
    x = SharedDropout(0.5).train()(torch.ones(4, 6, 32))
    assert (x == x[:, :1]).all()
    assert not (x[0] == x[1]).all()
    assert set(x.unique().tolist()) == {0.0, 2.0}  # what stays is scaled up


def test_dropout_does_nothing_in_use():
    x = torch.randn(2, 3, 4)
    assert torch.equal(SharedDropout(0.5).eval()(x), x)


# The next token


def naive_distribution(logits, temperature, top_k, top_p):
    """The same in plain Python: sort, walk down, stop."""
    if temperature == 0:
        best = logits.index(max(logits))
        return [float(index == best) for index in range(len(logits))]
    weight = [math.exp(logit / temperature) for logit in logits]
    if top_k is not None:
        last = sorted(weight, reverse=True)[: top_k or None][-1]
        weight = [w if w >= last else 0.0 for w in weight]
    p = [w / sum(weight) for w in weight]
    if top_p is not None:
        reached, kept = 0.0, set()
        for index in sorted(range(len(p)), key=lambda i: -p[i]):
            if reached >= top_p:
                break
            kept.add(index)
            reached += p[index]
        p = [q if index in kept else 0.0 for index, q in enumerate(p)]
    return [q / sum(p) for q in p]


@pytest.mark.parametrize("temperature", [0, 0.05, 0.7, 1.0, 5.0])
@pytest.mark.parametrize("top_k", [None, 1, 3, 20, 50])
@pytest.mark.parametrize("top_p", [None, 0.01, 0.5, 0.9, 1.0])
def test_next_token_distribution_agrees_with_a_plain_loop(temperature, top_k, top_p):
    logits = 2 * torch.randn(20, dtype=torch.float64)
    expected = naive_distribution(logits.tolist(), temperature, top_k, top_p)

    found = next_token_distribution(logits, temperature, top_k, top_p)

    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    assert found.sum().item() == pytest.approx(1)


def test_temperature_0_takes_the_first_of_those_that_tie():
    found = next_token_distribution(torch.tensor([0.0, 2.0, 2.0, 1.0]), 0)
    assert found.tolist() == [0, 1, 0, 0]


def test_top_k_keeps_all_that_tie_for_the_last_place():
    found = next_token_distribution(torch.tensor([1.0, 1.0, 0.0, 1.0]), top_k=2)
    torch.testing.assert_close(found, torch.tensor([1.0, 1.0, 0.0, 1.0]) / 3)


def test_top_p_keeps_no_more_of_those_that_tie_than_it_needs():
    found = next_token_distribution(torch.zeros(4), top_p=0.5)
    assert found.tolist() == [0.5, 0.5, 0.0, 0.0]


def test_forbidden_tokens_stay_forbidden():
    logits = torch.tensor([-torch.inf, 1.0, -torch.inf, 0.0])
    for settings in ({}, {"top_k": 3}, {"top_p": 0.99}, {"temperature": 0}, {"temperature": 5}):
        found = next_token_distribution(logits, **settings)
        assert found[0] == found[2] == 0
        assert found.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("temperature", [1e-3, 1e-10, 1e-40, 1e-320])
def test_a_temperature_close_to_0_takes_the_likeliest(temperature):
    found = next_token_distribution(torch.tensor([1.0, 3.0, 2.0]), temperature)
    assert found.tolist() == [0, 1, 0]


@pytest.mark.parametrize("top_p", [1e-3, 1e-10, 1e-50])
def test_a_top_p_close_to_0_takes_the_likeliest(top_p):
    found = next_token_distribution(torch.tensor([1.0, 3.0, 2.0]), top_p=top_p)
    assert found.tolist() == [0, 1, 0]


def test_the_first_gan_has_the_layers_of_the_article():
    gan = MLPGAN(MLPGANConfig())
    sizes = {
        part: [layer.weight.shape for layer in network.layers if isinstance(layer, nn.Linear)]
        for part, network in (("G", gan.generator), ("D", gan.discriminator))
    }
    assert sizes["G"] == [(256, 100), (512, 256), (1024, 512), (784, 1024)]
    assert sizes["D"] == [(512, 784), (256, 512), (1, 256)]
    images = gan.generator(torch.randn(3, 100))
    assert images.shape == (3, 1, 28, 28)
    assert images.min() >= 0 and images.max() <= 1
    assert gan.discriminator(images).shape == (3,)


def test_the_minimax_value_is_that_of_the_formula():
    real, fake = torch.randn(2, 7, dtype=torch.float64)
    d = torch.sigmoid
    expected = d(real).log().mean() + (1 - d(fake)).log().mean()
    torch.testing.assert_close(minimax_value(real, fake), expected)
    even = torch.zeros(4)
    assert minimax_value(even, even).item() == pytest.approx(-2 * math.log(2))  # at equilibrium


CONFIGS = [GANConfig, MLPGANConfig, VAEConfig, JudgeConfig, TransformerConfig]


@pytest.mark.parametrize("config", CONFIGS)
def test_configs_are_frozen(config):
    made = config()
    with pytest.raises(FrozenInstanceError):
        setattr(made, next(iter(vars(made))), 1)
