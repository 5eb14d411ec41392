"""The Transformer's inside views on a GPT-2 that was fetched: each shows it, or says why not."""

import math

import pytest
import torch
from checkpoints.gpt2_of_transformers import PROMPT, SIZE, saved, theirs  # noqa: F401  # its fixtures
from fake_hub import files_of
from servers import finished
from ui.catalog.fetching import fetched

from aigc_demo.cli import main
from aigc_demo.explain.branches import next_logits
from aigc_demo.models.transformer import next_token_distribution
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit import check
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.transformer import ablation as text_parts
from aigc_demo.ui.transformer import candidates as text_next
from aigc_demo.ui.transformer import inside as text_inside
from aigc_demo.ui.transformer import requests as transformer
from aigc_demo.ui.transformer import selection as reading
from aigc_demo.ui.transformer import whole_text as text_whole

WORDS = Words()


@pytest.fixture
def gpt2(hub, saved):
    """The page's models, and the name of the GPT-2 among them."""
    page_models = Models(TABS)
    commit = hub.put("openai-community/gpt2", files_of(saved))
    name = fetched(page_models, "openai-community/gpt2", "transformer")
    assert name == f"openai-community/gpt2@{commit}"
    return page_models, name


def test_it_goes_on_with_a_text(gpt2):
    page_models, name = gpt2

    async def last():
        values = (name, PROMPT, 12, 0.8, 0, 0.95, 1, 3)
        return [text async for text in transformer.continue_text(page_models, WORDS, *values)][-1]

    writer = page_models.writer(name)
    expected = writer.write(PROMPT, 12, temperature=0.8, top_p=0.95, seed=3)
    assert finished(last()) == PROMPT + expected
    assert page_models.hash(name) == writer.loaded.digest


def test_step_attention_and_lens_show_its_own_numbers_formulas_and_code(gpt2):
    page_models, name = gpt2
    tokens = reading.show_tokens(page_models, WORDS, name, PROMPT)["tokens"]
    assert len(tokens) == len(page_models.writer(name).tokenizer.encode(PROMPT))
    _, formula, _, lines = text_inside.see_step(page_models, WORDS, name, PROMPT, 5, 2, 3)
    assert "P_{5}" in formula and r"\operatorname{LN}" in formula and "R_t" not in formula
    assert lines["code"]["path"] == "models/gpt2.py" and lines["code"]["marked"]
    shown = text_inside.see_attention(page_models, WORDS, name, PROMPT, 5, 2, 3)["attention"]
    assert (shown["layers"], shown["heads"]) == (3, 4)
    assert len(shown["habits"]) == 3
    rows, formula, lines = text_inside.see_lens(page_models, WORDS, name, PROMPT, 5)
    assert len(rows["table"]["rows"]) == 4 and "LN" in formula
    assert lines["code"]["path"] == "models/gpt2.py" and lines["code"]["marked"]


def test_neurons_surprise_parts_switched_off_and_the_other_views(gpt2):
    page_models, name = gpt2
    word = " the"
    rows, formula, near, lines = text_parts.see_neurons(
        page_models, WORDS, name, PROMPT, 5, 1, word
    )
    assert len(rows["table"]["rows"]) == text_parts.NEURONS and "GELU" in formula
    assert near["table"]["rows"] and "the" in near["texts"]["en"]
    assert lines["code"]["path"] == "models/gpt2.py" and lines["code"]["marked"]
    shown = text_parts.see_off(page_models, WORDS, name, PROMPT, 1, 1, "layer", 1)
    assert all("▸" in cell["text"] for cell in shown["table"]["rows"][1][1:])
    shaded, formula, _ = text_whole.see_surprise(page_models, WORDS, name, PROMPT)
    assert len(shaded["tokens"]) > 5 and "PPL" in formula
    marked, _ = text_whole.see_origin(page_models, WORDS, name, PROMPT)
    assert marked["texts"] == WORDS.both("through.no_index")
    none, *_ = text_whole.see_verse(page_models, WORDS, name, PROMPT)
    assert none["texts"] == WORDS.both("through.only_verse")


def test_a_large_model_goes_on_shortly(gpt2, monkeypatch):
    page_models, name = gpt2
    text = text_parts.see_off(page_models, WORDS, name, "To be", 1, 1, "head", 1)
    monkeypatch.setattr(text_parts, "LARGE", 1)
    short = text_parts.see_off(page_models, WORDS, name, "To be", 1, 1, "head", 1)
    long, few = (shown["table"]["rows"][1][1]["text"] for shown in (text, short))
    assert long.startswith(few.rstrip("�")) and len(few) < len(long)


@pytest.mark.parametrize("sent", [60, 8_000])
def test_what_comes_next_is_sent_in_part_and_the_rest_in_sums(gpt2, monkeypatch, sent):
    page_models, name = gpt2
    monkeypatch.setattr(text_next, "LOGITS_SENT", sent)
    shown, tree, _ = text_next.see_next(page_models, WORDS, name, PROMPT)
    known, writer = shown["next"], page_models.writer(name)
    logits = next_logits(writer, writer.tokenizer.encode(PROMPT))
    assert len(known["logits"]) == min(sent, SIZE) and known["all"] == SIZE
    assert known["controls"] == [writer.tokenizer.is_control(token) for token in known["ids"]]
    assert len(tree["tree"]) > 3
    if sent >= SIZE:
        assert known["rest"] is None
        return
    for step in (1, 10, 20, 40):
        temperature = step / 20
        p = next_token_distribution(logits, temperature, None, None).sort(descending=True).values
        weights = [math.exp((v - known["logits"][0]) / temperature) for v in known["logits"]]
        left = sum(weights) + known["rest"]["mass"][step]
        found = torch.tensor(weights) / left
        torch.testing.assert_close(found, p[:sent], atol=1e-5, rtol=1e-3)
        entropy = -sum(q * math.log(q) for q in found.tolist() if q)
        mass, moment = known["rest"]["mass"][step], known["rest"]["moment"][step]
        entropy += (mass * math.log(left) - moment) / left
        assert entropy == pytest.approx(-(p * p.log()).nansum().item(), abs=1e-3)


def test_a_forced_token_is_a_piece_of_the_text(gpt2):
    page_models, name = gpt2
    tokenizer = page_models.writer(name).tokenizer
    chosen = tokenizer.encode(" the")
    assert text_next.force(page_models, WORDS, name, PROMPT, chosen) == PROMPT + " the"
    control = next(token for token in range(SIZE) if tokenizer.is_control(token))
    half = tokenizer.encode("夜")[:1]
    for wrong in ([control], half):
        with pytest.raises(check.UserError) as caught:
            text_next.force(page_models, WORDS, name, PROMPT, wrong)
        assert caught.value.key == "error.no_token"


def test_evaluate_refuses_it_in_a_sentence(saved, capsys):
    assert main(["evaluate", str(saved)]) != 0
    assert "GPT-2 checkpoint" in capsys.readouterr().err
