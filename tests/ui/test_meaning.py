"""What a loss value means: the "?" beside each says what it is by chance, at best, and now."""

import math
import re
from typing import Any

import pytest
import torch
from servers import finished

from aigc_demo.explain import flow as inside_flow
from aigc_demo.explain import gan as inside_gan
from aigc_demo.explain import transformer as inside_text
from aigc_demo.explain import vae as inside_vae
from aigc_demo.explain.figures import card_figures
from aigc_demo.samples import sample_digits, sample_text
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.flow.inside import see_loss
from aigc_demo.ui.flow.requests import sampler_of
from aigc_demo.ui.gan.inside import judge
from aigc_demo.ui.gan.one_step import train_both
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.transformer.ablation import see_off
from aigc_demo.ui.transformer.candidates import see_next
from aigc_demo.ui.transformer.ngram import write_both
from aigc_demo.ui.transformer.whole_text import see_surprise
from aigc_demo.ui.vae.inside import see_betas, see_bound

MODELS, WORDS = Models(TABS), Words()
TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?"


def told(update: dict[str, Any]) -> list[float]:
    """The numbers of a meaning, the same in both languages."""
    texts = update["meaning"]
    zh, en = (re.findall(r"−?\d[\d,]*\.\d+", texts[language]) for language in ("zh", "en"))
    assert sorted(zh) == sorted(en) and en, texts
    return [float(number.replace("−", "-").replace(",", "")) for number in en]


def test_the_hinge_loss_of_an_undecided_discriminator_is_two_and_the_numbers_are_those_shown():
    update = judge(MODELS, WORDS, "gan", "3", 7, 0.8)[0]
    verdict = inside_gan.judge_batch(MODELS.gan(), range(7, 15), [3] * 8, 0.8)
    d = (1 - verdict.real_scores).clamp(0).mean() + (1 + verdict.fake_scores).clamp(0).mean()
    assert told(update) == pytest.approx([d.item(), -verdict.fake_scores.mean().item()], abs=2e-3)
    undecided = torch.zeros(5)
    assert (1 - undecided).clamp(0).mean() + (1 + undecided).clamp(0).mean() == 2
    assert "cannot tell real from fake at all, its loss is 2." in update["meaning"]["en"]


def test_the_minimax_value_of_a_coin_is_told():
    update = judge(MODELS, WORDS, "gan-mlp", "3", 7, 0.8)[0]
    chance, d, undecided, g = told(update)
    assert chance == pytest.approx(2 * math.log(2), abs=1e-3)
    assert undecided == pytest.approx(math.log(1 - 0.5), abs=1e-3)
    verdict = inside_gan.judge_batch(MODELS.gan("gan-mlp"), range(7, 15), [3] * 8, 0.8)
    assert d == pytest.approx(verdict.discriminator_loss, abs=2e-3)
    fooled = torch.log(1 - torch.sigmoid(verdict.fake_scores)).mean().item()
    assert g == pytest.approx(fooled, abs=2e-3)


def test_a_training_step_tells_both_losses():
    duel, update, _ = train_both(MODELS, WORDS, None)
    losses = [step["loss"][1] for step in update["shown"]["steps"]]
    assert [f"{number:.3f}" for number in told(update)] == [one.replace("−", "-") for one in losses]
    assert duel.clicks == "b"


def test_the_bound_of_coin_tosses_the_card_and_this_digit():
    update = see_bound(MODELS, WORDS, "vae", "#3", 0)[0]
    chance, card, now = told(update)
    assert chance == pytest.approx(784 * math.log(2), abs=0.05)
    assert card == pytest.approx(float(card_figures("vae")["negative elbo"]), abs=0.05)
    found = inside_vae.bound(MODELS.vae("vae"), sample_digits("test")[0][3], range(100))
    assert now == pytest.approx(-found.elbo, abs=0.06)


def test_each_beta_pays_rate_and_distortion_together():
    update = see_betas(MODELS, WORDS, "#3", 0)[0]
    chance, *sums = told(update)
    assert chance == pytest.approx(543.4)
    assert sums == pytest.approx(
        [one["rate"] + one["distortion"] for one in update["models"]], abs=0.2
    )


def test_the_loss_of_a_text_by_chance_on_unseen_text_and_now():
    writer = MODELS.writer("shakespeare")
    nats = inside_text.surprise(writer, inside_text.read(writer, TEXT).ids)
    update = see_surprise(MODELS, WORDS, "shakespeare", TEXT)[0]
    chance, least, most, card, now = told(update)
    assert (least, most) == (0.4, 0.9)  # Shannon's 0.6 to 1.3 bits
    assert (round(0.6 * math.log(2), 1), round(1.3 * math.log(2), 1)) == (0.4, 0.9)
    assert chance == pytest.approx(math.log(len(writer.tokenizer)), abs=0.01)
    assert card == pytest.approx(float(card_figures("shakespeare")["nats per character"]), abs=0.01)
    assert now == pytest.approx(nats.mean().item(), abs=0.01)
    without = see_off(MODELS, WORDS, "shakespeare", TEXT, 1, 1, "layer", 1)
    shown = [float(one) for one in without["table"]["rows"][0][1:]]
    assert told(without)[-2:] == pytest.approx(shown, abs=0.01)
    verse = see_surprise(MODELS, WORDS, "poems", "《月夜》\n床前明月光，疑是地上霜。")[0]
    assert told(verse)[0] == pytest.approx(
        math.log(len(MODELS.writer("poems").tokenizer)), abs=0.01
    )


def test_the_entropy_of_even_chances_is_told_beside_the_candidates():
    update = see_next(MODELS, WORDS, "shakespeare", TEXT)[0]
    assert told(update) == [pytest.approx(math.log(update["next"]["all"]), abs=0.01)]


def test_the_table_of_counts_is_told_likewise():
    async def first() -> Any:
        async for answer in write_both(MODELS, WORDS, "ROMEO:", 3, 1):
            return answer[2]

    update = finished(first())
    chance, least, most, now = told(update)
    known = {*sample_text("shakespeare.txt"), *sample_text("unseen.txt")}
    assert chance == pytest.approx(math.log(len(known)), abs=0.01) and (least, most) == (0.4, 0.9)
    assert now == pytest.approx(update["bars"][2]["value"], abs=0.01)


def test_a_still_network_pays_the_mean_square_of_the_velocity():
    update = see_loss(MODELS, WORDS, "flow", "3", 7, 1, 0.5)[0]
    found = inside_flow.lesson(sampler_of(MODELS), inside_gan.real_digits([3], 7)[0], 7, 3, 0.5)
    still = (found.target**2).mean().item()
    assert told(update) == pytest.approx([still, found.loss], abs=2e-3)
    assert found.loss < still
