"""The figures of the model cards, against known distances and models whose figures are known."""

import math
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from PIL import Image

from aigc_demo.data.poems import Poem
from aigc_demo.evaluation import evaluate, flow
from aigc_demo.evaluation.distance import density_and_coverage, frechet_distance
from aigc_demo.evaluation.gan import _distances, draw, pupil_accuracy
from aigc_demo.evaluation.nats import nats
from aigc_demo.evaluation.poems import (
    couplets_kept,
    couplets_of,
    perplexity,
    shares,
    title_gain,
    titles_kept,
)
from aigc_demo.evaluation.vae import sampled_bound
from aigc_demo.inference.flow import FlowSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.models.vae import VAE, VAEConfig, log_likelihood
from aigc_demo.prosody import plan_of
from aigc_demo.samples import sample_digits
from aigc_demo.tokenizer import poem_ids
from aigc_demo.training.card import _by_steps
from aigc_demo.training.curves import draw_curves

SPRING = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。"
RIVER = "朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。"


def test_the_frechet_distance_of_gaussians_is_that_of_the_formula():
    torch.manual_seed(0)
    scale = torch.tensor([1.0, 2.0, 0.5])
    first = torch.randn(100_000, 3)
    second = torch.randn(100_000, 3) * scale + torch.tensor([1.0, 0.0, -2.0])
    expected = 1 + 4 + ((scale - 1) ** 2).sum()  # means apart, plus deviations apart
    assert frechet_distance(first, second) == pytest.approx(expected.item(), rel=0.02)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def test_density_and_coverage_agree_with_a_plain_count():
    torch.manual_seed(0)
    real, fake, k = torch.randn(40, 3), torch.randn(30, 3) + 0.3, 3
    inside, covered = 0, 0
    for point in real:
        reach = (real - point).norm(dim=1).sort().values[k]  # place 0 is the point itself
        near = int(((fake - point).norm(dim=1) < reach).sum())
        inside, covered = inside + near, covered + (near > 0)
    density, coverage = density_and_coverage(real, fake, k)
    assert density == pytest.approx(inside / (k * 30))
    assert coverage == pytest.approx(covered / 40)


def test_fakes_in_one_place_cover_little_however_dense():
    torch.manual_seed(0)
    real = torch.randn(500, 2)
    density, coverage = density_and_coverage(real, real[:1] + 0.001 * torch.randn(500, 2))
    assert density > 0.5
    assert coverage < 0.1


def test_samples_follow_seeds_and_take_classes_in_turn(tiny_gan, tiny_mlp):
    images, labels = draw(tiny_gan, 20, first=5)
    assert labels.tolist() == [*range(10)] * 2
    assert torch.equal(images, tiny_gan.sample(range(5, 25), labels.tolist()))
    assert torch.equal(draw(tiny_mlp, 20)[0], tiny_mlp.sample(range(20)))
    images, labels = draw(tiny_gan, 3, labels=torch.tensor([7, 7, 1]))
    assert torch.equal(images, tiny_gan.sample(range(3), [7, 7, 1]))


def test_distances_compare_samples_and_real_digits_of_the_same_classes(tiny_gan, monkeypatch):
    monkeypatch.setattr("aigc_demo.evaluation.gan.COUNT", 300)
    judge, train, test = DigitJudge.load(), sample_digits("train"), sample_digits("test")[0]
    even, _ = draw(tiny_gan, 300)
    figures = _distances(tiny_gan, judge, even, train, test)
    some = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(0))[:300]
    fakes = tiny_gan.sample(range(300), train[1][some].tolist())
    reference = judge.features(test)
    for row, images in (("", fakes), ("real_", train[0][some])):
        expected = frechet_distance(judge.features(images), reference)
        assert figures[f"{row}frechet_distance"] == pytest.approx(expected, rel=1e-6)
    ratio = figures["frechet_distance"] / figures["real_frechet_distance"]
    assert figures["frechet_distance_to_real"] == pytest.approx(ratio)
    assert ratio > 10  # an untrained generator is far from real digits
    expected = frechet_distance(judge.features(even), reference)
    assert figures["frechet_distance_of_even_classes"] == pytest.approx(expected, rel=1e-6)


def test_a_pupil_learns_from_digits_and_not_from_noise(monkeypatch):
    monkeypatch.setattr("aigc_demo.evaluation.gan.PUPIL_STEPS", 60)
    digits, test = sample_digits("train"), sample_digits("test")
    assert pupil_accuracy(*digits, *test) > 0.85
    assert pupil_accuracy(torch.rand(1000, 28, 28), digits[1], *test) < 0.3


def test_the_sampled_bound_reaches_the_likelihood_of_a_decoder_that_ignores_z():
    torch.manual_seed(0)
    model = VAE(VAEConfig(hidden=8)).eval()
    with torch.no_grad():
        model.decoder.layers[0].weight.zero_()
        image = torch.rand(3, 1, 28, 28).round()
        expected = log_likelihood(model.decoder(torch.zeros(3, 2)), image)  # for every z alike
        found = sampled_bound(model, image, 3_000)
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0)


def test_perplexity_counts_every_nat_but_only_the_characters(tiny_poet):
    class Known:
        form, title, text = "五绝", "春曉", SPRING

    plan = plan_of(SPRING.replace("。", "，").strip("，").split("，"))
    ids = poem_ids(tiny_poet.tokenizer, "五绝", "春曉", plan, SPRING)
    surprise = nats(tiny_poet, torch.tensor([ids]))[0]
    opening = len(poem_ids(tiny_poet.tokenizer, "五绝", "春曉"))
    expected = math.exp(surprise[opening - 1 :].sum().item() / 20)
    assert perplexity(tiny_poet, [Known(), Known()]) == pytest.approx(expected, rel=1e-4)


def test_the_gain_of_a_title_is_against_that_of_another_poem(tiny_poet):
    turned = SPRING[12:] + SPRING[:12]
    poems = [Poem("五绝", "春曉", SPRING, "tang"), Poem("五绝", "夜雨", turned, "tang")]
    swapped = [
        replace(one, title=other.title) for one, other in zip(poems, poems[::-1], strict=True)
    ]
    own, other = (math.log(perplexity(tiny_poet, some)) * 20 for some in (poems, swapped))
    assert abs(other - own) > 0.01
    assert title_gain(tiny_poet, poems) == pytest.approx(other - own, rel=1e-4)
    assert title_gain(tiny_poet, [replace(poems[0], title="")]) == 0


def test_titles_are_kept_where_a_character_of_them_stands():
    text = "黃河遠上白雲間，一片孤城萬仞山。羌笛何須怨楊柳，春風不度玉門關。"

    class Poet:
        forms = ("七绝",)

        def poem(self, form, title, seed, guidance, **settings):
            return title if guidance > 1 and seed % 2 == 0 else text

    names = [a + b for a in "東南西北" for b in "夏秋冬夜雪"]  # none of which stands there
    poems = [Poem("七绝", name, f"{text[:-2]}{name[0]}。", "tang") for name in names]
    poems = [replace(one, text=one.text.replace("城", other)) for one in poems for other in names]
    shares = titles_kept(Poet(), poems, 4)
    assert shares == {"title_in_tang": 1.0, "title_unguided": 0.0, "title_guided": 0.5}
    assert titles_kept(Poet(), [], 4) == {}


def test_second_lines_are_scored_beside_the_fourth_lines_of_poems():
    class Held(Poem):
        held_out = True

    class Poet:
        def couplet(self, first, seed, **settings):
            return ("黃河入海流", "白日入海流", first, "流")[seed]

    text = "春眠不覺曉，處處聞啼鳥。白日依山盡，黃河入海流。" + SPRING
    poems = [Held("五律", "", text, "tang")] * 5 + [Held("五律", "", text, "song")]
    found = couplets_kept(Poet(), poems, 4)
    kept = {"couplet_tones": 0.25, "couplet_fresh": 0.5}
    assert found == {"couplet_tang_tones": 1.0, "couplet_tang_fresh": 1.0, **kept}
    assert couplets_kept(Poet(), [], 4) == {}


def test_shares_of_poems_that_keep_the_rules():
    broken = RIVER.replace("山。", "人。")
    turned = "黃河遠上白雲間，一片孤城萬仞山。羌笛何須怨楊柳，春風不度玉門關。"
    assert shares([RIVER, turned, broken, SPRING], "七绝") == {
        "in_form": 0.75,
        "rhyme": 0.5,
        "regulated": 0.5,
        "unturned": 0.25,
    }


def test_couplets_are_two_lines_whatever_their_marks():
    assert couplets_of(SPRING) == ["春眠不覺曉，處處聞啼鳥。", "夜來風雨聲，花落知多少。"]
    assert couplets_of(SPRING.replace("，", "\n")) == couplets_of(SPRING)
    assert couplets_of("春眠") == []


def test_curves_are_drawn_one_below_the_other():
    rows = [{"step": s, "seconds": s, "loss": 1 / s, "kl": s / 10} for s in range(1, 50)]
    with Image.open(BytesIO(draw_curves(rows))) as sheet:
        assert sheet.size == (720, 2 * 200)
        colours = {colour for _, colour in sheet.convert("RGB").getcolors(100_000)}
    assert {(0xD5, 0x5E, 0x00), (0xCC, 0x79, 0xA7)} <= colours  # loss, latent
    with pytest.raises(ValueError, match="two rows"):
        draw_curves(rows[:1])


@pytest.mark.parametrize("family", ["gan", "gan-mlp"])
def test_every_kind_of_gan_is_scored(tiny_folders, family):
    figures = evaluate(tiny_folders[family])
    assert figures["name"] == f"tiny-{family}"
    assert figures["samples"] == 2_000
    assert ("label_agreement" in figures) == (family == "gan")
    assert 0 <= figures["rarest_digit_share"] <= 0.1


def test_a_flow_is_scored_by_its_steps_and_guidance(tiny_folders, monkeypatch):
    monkeypatch.setattr(flow, "STEPS", (1, 2))
    monkeypatch.setattr(flow, "GUIDANCE", (1, 3))
    monkeypatch.setattr(flow, "EACH", 40)
    monkeypatch.setattr(flow, "data_folder", lambda folder: folder)
    monkeypatch.setattr(
        flow, "read_mnist", lambda _, train: sample_digits("train" if train else "test")
    )
    sampler = FlowSampler.load(tiny_folders["flow"], "cpu")
    found = flow.grid(sampler, None)
    assert {steps: list(row) for steps, row in found.items()} == {"1": ["1", "3"], "2": ["1", "3"]}
    images, labels = draw(flow.Setting(sampler, 2, 3), 40)
    read = DigitJudge.load().classify(images).argmax(1)
    agreement, distance = found["2"]["3"]
    assert agreement == pytest.approx((read == labels).float().mean().item())
    assert torch.equal(images[:3], sampler.sample([0, 1, 2], [0, 1, 2], 2, 3)) and distance > 1
    table = _by_steps(found)
    assert (
        "| steps | w = 1 | w = 3 |" in table and f"| 2 | {100 * found['2']['1'][0]:.1f} %" in table
    )
    assert _by_steps({}) == ""
