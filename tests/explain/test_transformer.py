"""Inside the Transformer: every quantity shown, against an independent computation."""

import copy
import json
import math
import re

import pytest
import torch
import torch.nn.functional as F

from aigc_demo import prosody
from aigc_demo.explain import transformer as inside
from aigc_demo.explain import verse
from aigc_demo.explain.branches import branches, next_logits
from aigc_demo.explain.heads import habits, kinds_of
from aigc_demo.explain.overview import layer_shares
from aigc_demo.inference.writing.steps import steps_for
from aigc_demo.models.transformer import next_token_distribution, rotate
from aigc_demo.prosody import tone_of
from aigc_demo.samples import sample_text
from aigc_demo.tokenizer import UnknownCharacters, poem_ids
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.ui.transformer import ablation as text_parts
from aigc_demo.ui.transformer import candidates as text_next
from aigc_demo.ui.transformer import formulas as text_formulas
from aigc_demo.ui.transformer import inside as text_inside
from aigc_demo.ui.transformer import whole_text as text_whole
from aigc_demo.ui.transformer.overview import see_overview, strips_of
from aigc_demo.ui.transformer.selection import asked

WORDS, MODELS = Words(), Models(TABS)
PLAY = "ROMEO:\nBut soft, what light"
SPRING = "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。"
TOWER = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"
NAMES = ("shakespeare", "poems")
TEXTS = {"shakespeare": PLAY, "poems": SPRING}


@pytest.fixture(params=NAMES)
def case(request):
    writer = MODELS.writer(request.param)
    return writer, inside.read(writer, TEXTS[request.param])


def logits_of(writer, ids):
    with torch.no_grad():
        return writer.model(torch.tensor([ids]))[0]


# How a text is read


def test_a_text_is_read_character_by_character():
    writer = MODELS.writer("shakespeare")
    reading = inside.read(writer, "Ay,\nsir")
    assert reading.names == ["A", "y", ",", "↵", "s", "i", "r"]
    assert writer.tokenizer.decode(reading.ids) == "Ay,\nsir"
    assert reading.first == 1
    long = inside.read(writer, "ab" * 200)
    assert len(long.ids) == writer.context


@pytest.mark.parametrize(
    "text", ["《春曉》\n" + SPRING, "《春晓》春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。"]
)
def test_a_poem_is_read_with_form_title_and_plan_in_either_script(text):
    writer = MODELS.writer("poems")
    reading = inside.read(writer, text)
    assert reading.ids == poem_ids(writer.tokenizer, "五绝", "春曉", ("古體", "無韻"), SPRING)
    assert reading.names[:4] == ["⟨五绝⟩", "春", "曉", "⟨title-end⟩"]
    assert reading.first == 6


@pytest.mark.parametrize(
    ("text", "form"),
    [("春", "五绝"), ("春江潮水連海平", "七绝"), ("白日依山盡，黃河入海流。欲", "五绝")],
)
def test_a_begun_poem_gets_a_plan_that_its_characters_fit(text, form):
    writer = MODELS.writer("poems")
    reading = inside.read(writer, text)
    assert reading.names[0] == f"⟨{form}⟩"
    assert reading.names[reading.first - 2] in {"⟨平起入韻⟩", "⟨平起⟩", "⟨仄起入韻⟩", "⟨仄起⟩"}
    assert reading.names[reading.first - 1].startswith("⟨平")


@pytest.mark.parametrize("text", ["一二三四五六七八九", "春眠不覺，處處聞啼鳥"])
def test_lines_of_no_form_are_refused(text):
    with pytest.raises(ValueError, match="5 or 7"):
        inside.read(MODELS.writer("poems"), text)


# The steps of the forward pass


def test_the_trace_ends_in_the_models_own_logits(case):
    writer, reading = case
    found = inside.trace(writer, reading.ids)
    torch.testing.assert_close(found.logits, logits_of(writer, reading.ids), atol=2e-4, rtol=1e-4)


def test_every_step_is_what_hooks_see(case):
    writer, reading = case
    twin, seen = copy.deepcopy(writer.model), {}
    for place, module in twin.named_modules():
        module.register_forward_hook(
            lambda m, i, o, place=place: seen.__setitem__(place, (i[0], o))
        )
    with torch.no_grad():
        twin(torch.tensor([reading.ids]))
    found = inside.trace(writer, reading.ids)
    config = writer.model.config
    for layer in range(config.layers):
        x, qkv = seen[f"blocks.{layer}.attention.qkv"]
        q, k, v = (
            part.unflatten(-1, (config.heads, -1)).transpose(1, 2) for part in qkv.chunk(3, -1)
        )
        q = rotate(q / q.pow(2).mean(-1, keepdim=True).sqrt(), 0)
        k = rotate(k / k.pow(2).mean(-1, keepdim=True).sqrt(), 0)
        torch.testing.assert_close(found.queries[layer], q[0], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(found.values[layer], v[0])
        scores = torch.einsum("hid,hjd->hij", q[0], k[0]) / math.sqrt(q.shape[-1])
        torch.testing.assert_close(found.scores[layer], scores, atol=1e-3, rtol=1e-3)
        for i in range(len(reading.ids)):
            raised = scores[:, i, : i + 1].exp()
            expected = raised / raised.sum(-1, keepdim=True)
            torch.testing.assert_close(
                found.weights[layer, :, i, : i + 1], expected, atol=1e-4, rtol=1e-3
            )
            assert (found.weights[layer, :, i, i + 1 :] == 0).all()
        fired = F.relu(seen[f"blocks.{layer}.feed_forward.widen"][1][0]) ** 2
        torch.testing.assert_close(found.fired[layer], fired, atol=1e-3, rtol=1e-3)
        after = seen[f"blocks.{layer}"][1][0]
        torch.testing.assert_close(found.stream[layer + 1], after, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.stream[0], seen["embedding"][1][0])


def test_the_lens_reads_the_stream_through_norm_and_head(case):
    writer, reading = case
    found = inside.trace(writer, reading.ids)
    guesses = inside.lens(writer, found, 6)
    model = writer.model
    final = logits_of(writer, reading.ids)[6].argmax()
    assert len(guesses) == model.config.layers + 1
    for layer, guess in enumerate(guesses):
        x = found.stream[layer, 6]
        x = x / (x.pow(2).mean() + torch.finfo(x.dtype).eps).sqrt() * model.norm.weight
        logits = model.head.weight @ x
        cap = model.config.logit_cap
        share = (cap * torch.tanh(logits / cap) if cap else logits).softmax(0)
        assert guess.final == pytest.approx(share[final].item(), abs=1e-4)
        assert guess.tokens[0] == int(share.argmax())
        assert guess.probabilities == pytest.approx(share.topk(5).values.tolist(), abs=1e-4)


def test_surprise_is_that_of_one_long_pass_and_of_half_windows():
    writer = MODELS.writer("shakespeare")
    ids = inside.read(writer, PLAY).ids
    whole = F.cross_entropy(logits_of(writer, ids)[:-1], torch.tensor(ids[1:]), reduction="none")
    torch.testing.assert_close(inside.surprise(writer, ids), whole, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        inside.surprise(writer, ids), -writer.log_probabilities(PLAY), atol=1e-4, rtol=1e-4
    )


def test_surprise_of_a_text_longer_than_the_context(tiny_writer):
    ids = tiny_writer.tokenizer.encode("abcdefgh" * 6 + "abc")  # 51 tokens, a context of 16
    found = inside.surprise(tiny_writer, ids)
    assert len(found) == 50
    for place in (1, 15, 16, 17, 24, 31, 40, 49, 50):
        start = max(0, (place - 1) // 8 - 1) * 8 if place > 16 else 0
        logs = logits_of(tiny_writer, ids[start:place])[-1].log_softmax(0)
        assert found[place - 1].item() == pytest.approx(-logs[ids[place]].item(), abs=1e-4), place


def test_a_switched_off_head_or_layer_adds_nothing(case):
    writer, reading = case
    config = writer.model.config
    size = config.width // config.heads
    before = logits_of(writer, reading.ids)
    twin = copy.deepcopy(writer.model)

    def silence(module, given):
        (mixed,) = given
        mixed = mixed.clone()
        mixed[..., size : 2 * size] = 0
        return (mixed,)

    twin.blocks[2].attention.out.register_forward_pre_hook(silence)
    with torch.no_grad():
        expected = twin(torch.tensor([reading.ids]))[0]
    off = inside.without(writer, heads=[(2, 1)])
    torch.testing.assert_close(logits_of(off, reading.ids), expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(expected, before, atol=1e-3)

    twin = copy.deepcopy(writer.model)
    twin.blocks = torch.nn.ModuleList(b for i, b in enumerate(twin.blocks) if i != 3)
    with torch.no_grad():
        expected = twin(torch.tensor([reading.ids]))[0]
    off = inside.without(writer, layers=[3])
    torch.testing.assert_close(logits_of(off, reading.ids), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(logits_of(writer, reading.ids), before)  # the writer is as it was
    own = {id(p) for p in off.model.parameters()} - {id(p) for p in writer.model.parameters()}
    assert len(own) == 2  # everything else is shared


# Heads, branches, neighbours


def test_kinds_of_places_are_what_their_names_say():
    writer = MODELS.writer("shakespeare")
    reading = inside.read(writer, "abc\nabd")
    kinds = kinds_of(writer, reading)

    def seen(kind, i):
        return [j for j in range(7) if kinds[kind][i, j]]

    assert seen("itself", 5) == [5]
    assert seen("previous", 5) == [4]
    assert seen("near", 6) == [2, 3, 4]
    assert seen("same", 5) == [1]
    assert seen("after_same", 5) == [2]
    assert seen("line_start", 6) == [0, 4]
    assert seen("line_end", 6) == [3]


def test_kinds_of_places_in_a_poem():
    writer = MODELS.writer("poems")
    reading = inside.read(writer, SPRING)
    kinds, first = kinds_of(writer, reading), reading.first
    last = first + 22  # 少, the last character
    assert [j - first for j in range(last) if kinds["rhyme"][last, j]] == [4, 10, 16]
    assert [j - first for j in range(last) if kinds["above"][last, j]] == [16]
    assert [j for j in range(last) if kinds["plan"][last, j]] == list(range(first))


@pytest.mark.parametrize("name", NAMES)
def test_a_habit_is_a_share_beyond_an_even_spread(name):
    found = habits(MODELS.writer(name))
    config = MODELS.writer(name).model.config
    assert [len(line) for line in found] == [config.heads] * config.layers
    named = [habit for line in found for habit in line if habit.name != "spread"]
    assert len(named) > 6
    assert all(habit.share >= habit.even + 0.08 for habit in named)
    assert all(f"heads.{habit.name}" in WORDS.table["en"] for habit in named)


def test_a_head_that_attends_evenly_has_no_habit(tiny_writer):
    twin = inside.without(tiny_writer)
    twin = type(twin)(inside.replace(twin.loaded, model=copy.deepcopy(twin.model)))
    with torch.no_grad():
        for block in twin.model.blocks:
            block.attention.qkv.weight[: 2 * 16] = 0
    assert {habit.name for line in habits(twin) for habit in line} == {"spread"}


def test_the_tree_is_that_of_single_runs(case):
    writer, reading = case
    nodes = branches(writer, reading.ids, 3, 3)
    assert len(nodes) == 3 + 9 + 27
    for node in (nodes[1], nodes[7], nodes[20], nodes[38]):
        way, at = [], node
        while at.parent >= 0:
            at = nodes[at.parent]
            way.insert(0, at.token)
        share = logits_of(writer, reading.ids + way)[-1].softmax(0)
        assert node.probability == pytest.approx(share[node.token].item(), abs=1e-4)
        assert node.token in share.topk(3).indices
    for place in (12, 30):
        parent = nodes[nodes[place].parent]
        assert nodes[place].path == pytest.approx(parent.path * nodes[place].probability)


def test_neighbours_by_cosine(case):
    writer, reading = case
    token = reading.ids[-2]
    weight = writer.model.embedding.weight
    cosine = F.cosine_similarity(weight, weight[token], dim=1)
    cosine[token] = -2
    found = inside.neighbours(writer, token, 4)
    assert [other for other, _ in found] == cosine.topk(4).indices.tolist()
    assert [value for _, value in found] == pytest.approx(cosine.topk(4).values.tolist(), abs=1e-5)


# Verse


def test_what_the_masks_take_is_counted_from_the_models_own_shares():
    writer = MODELS.writer("poems")
    reading = inside.read(writer, TOWER)
    steps = verse.steps(writer, reading)
    assert "".join(step.character for step in steps) == TOWER
    assert all(step.kept for step in steps)
    share = logits_of(writer, reading.ids).softmax(1)
    place = 22  # 樓, which must be level and rhyme
    assert (steps[place].wanted, steps[place].rhyme) == ("平", "平尤")
    step, row = steps[place], share[reading.first + place - 1]
    left = toned = rhymed = 0.0
    for character in writer.tokenizer.characters:
        if character in "，。":
            continue
        p = row[writer.tokenizer.ids[character]].item()
        left += p
        fits = prosody.fits(character, step.wanted)
        toned += p * fits
        rhymed += p * (fits and (not step.rhyme or prosody.rhymes_in(character, step.rhyme)))
    assert step.form == pytest.approx(1 - left, abs=1e-5)
    assert step.tones == pytest.approx(1 - toned / left, abs=1e-4)
    assert step.rhymes == pytest.approx(1 - rhymed / toned, abs=1e-4)


RIVER = "朝辭白帝彩雲間，千里江陵一日還。兩岸猿聲啼不住，輕舟已過萬重山。"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [("萬", "百", None), ("萬", "千", 28), ("猿聲", "猿叫", 19), ("重山", "重人", 30)],
)
def test_a_broken_rule_is_shown_where_it_is(old, new, place):
    writer = MODELS.writer("poems")
    poem = RIVER.replace(old, new)
    steps = verse.steps(writer, inside.read(writer, poem))
    assert [i for i, step in enumerate(steps) if not step.kept] == (
        [] if place is None else [place]
    )


def test_tones_of_characters():
    assert (tone_of("春"), tone_of("曉"), tone_of("x")) == ("平", "仄", "")
    assert tone_of("望") == "平仄"


# What the views show


def test_one_step_shows_scores_weights_and_sums_that_can_be_redone():
    rows, formula, sums, lines = text_inside.see_step(MODELS, WORDS, "shakespeare", PLAY, 9, 2, 3)
    writer = MODELS.writer("shakespeare")
    found = inside.trace(writer, inside.read(writer, PLAY).ids)
    weights = found.weights[1, 2, 9]
    shown = [float(row[-1]["text"]) for row in rows["table"]["rows"]]
    assert shown == pytest.approx(weights[: len(shown)].tolist(), abs=6e-4)
    assert [row[3]["text"] for row in rows["table"]["rows"] if isinstance(row[3], dict)] == [
        "−∞"
    ] * (len(shown) - 10)
    products = [[float(value) for value in row[1:]] for row in sums["table"]["rows"][:-1]]
    assert len(products) == 64
    assert all(a * b == pytest.approx(c, abs=4e-3) for a, b, c in products)
    total = float(sums["table"]["rows"][-1][-1])
    best = int(weights.argmax())
    assert total / 8 == pytest.approx(found.scores[1, 2, 9, best].item(), abs=1e-3)
    assert f"{weights[best].item():.3f}" in formula
    assert lines["code"]["marked"]


def test_the_attention_map_is_the_chosen_heads():
    maps = text_inside.see_attention(MODELS, WORDS, "poems", SPRING, None, 3, 2)["attention"]
    writer = MODELS.writer("poems")
    ids = inside.read(writer, SPRING).ids
    expected = inside.trace(writer, ids).weights[2, 1]
    torch.testing.assert_close(torch.tensor(maps["weights"]), expected, atol=1e-4, rtol=0)
    assert (maps["layer"], maps["head"], maps["layers"], maps["heads"]) == (3, 2, 6, 4)
    assert len(maps["tokens"]) == len(ids) <= 32


def test_candidates_are_all_the_logits_in_falling_order():
    shown, nodes, _ = text_next.see_next(MODELS, WORDS, "shakespeare", PLAY)
    writer = MODELS.writer("shakespeare")
    logits = next_logits(writer, inside.read(writer, PLAY).ids)
    assert shown["next"]["logits"] == pytest.approx(sorted(logits.tolist(), reverse=True), abs=1e-4)
    share = next_token_distribution(logits, 1.0)
    assert nodes["tree"][0]["path"] == pytest.approx(share.max().item(), abs=1e-5)
    assert len(shown["next"]["names"]) >= 20


def test_a_forced_way_becomes_the_text():
    writer = MODELS.writer("shakespeare")
    ids = writer.tokenizer.encode("qu")
    assert text_next.force(MODELS, WORDS, "shakespeare", PLAY, ids) == PLAY + "qu"


def test_switching_off_is_shown_with_losses_of_the_very_text():
    shown = text_parts.see_off(MODELS, WORDS, "shakespeare", PLAY, 3, 1, "layer", 1)
    losses, texts = shown["table"]["rows"]
    whole, broken = zip(losses[1:], texts[1:], strict=True)
    writer = MODELS.writer("shakespeare")
    for shown_loss, one in ((whole[0], writer), (broken[0], inside.without(writer, layers=[2]))):
        expected = -one.log_probabilities(PLAY).mean().item()
        assert float(shown_loss) == pytest.approx(expected, abs=6e-4)
    assert broken[0] != whole[0]
    assert whole[1]["text"].startswith(PLAY + "▸")
    assert whole[1]["text"] != broken[1]["text"]
    assert len(whole[1]["text"]) == len(PLAY) + 1 + text_parts.WRITTEN["shakespeare"]


def test_surprise_is_shown_with_its_perplexity():
    shades, formula, _ = text_whole.see_surprise(MODELS, WORDS, "shakespeare", PLAY)
    nats = -MODELS.writer("shakespeare").log_probabilities(PLAY)
    notes = [float(token["note"].split()[0]) for token in shades["tokens"][1:]]
    assert notes == pytest.approx(nats.tolist(), abs=6e-3)
    numbers = re.findall(r"\\approx (\d+\.\d+)", formula)
    assert float(numbers[0]) == pytest.approx(nats.mean().item(), abs=6e-4)
    assert float(numbers[1]) == pytest.approx(math.exp(nats.mean().item()), rel=1e-2)


def test_neurons_shown_are_those_that_fire_most():
    rows, _, near, _ = text_parts.see_neurons(MODELS, WORDS, "shakespeare", PLAY, 9, 4, "")
    writer = MODELS.writer("shakespeare")
    ids = inside.read(writer, PLAY).ids
    fired = inside.trace(writer, ids).fired[3, 9]
    shown = [int(row[0]) - 1 for row in rows["table"]["rows"]]
    assert shown == fired.topk(8).indices.tolist()
    assert all(row[2]["text"] for row in rows["table"]["rows"])
    pushed = writer.model.blocks[3].feed_forward.narrow.weight[:, shown[0]]
    said = (writer.model.head.weight @ (pushed * writer.model.norm.weight)).topk(5).indices
    assert rows["table"]["rows"][0][3] == "  ".join(inside.named(writer, t) for t in said.tolist())
    assert len(near["table"]["rows"][0]) == 10


def test_a_passage_of_the_corpus_is_found_and_an_invention_is_not():
    passage = "Before we proceed any further, hear me speak."
    marked, rows = text_whole.see_origin(MODELS, WORDS, "shakespeare", "zzz" + passage)
    assert int(rows["table"]["rows"][0][0]) == len(passage)
    assert sum(token["shade"] > 0 for token in marked["tokens"]) == len(passage)
    assert "First Citizen" in rows["table"]["rows"][0][2]
    marked, rows = text_whole.see_origin(MODELS, WORDS, "shakespeare", "qqxzvvkjqxzqqvvxkz")
    assert rows["table"]["rows"] == []


def test_rules_of_verse_are_for_verse():
    poem, rows, _ = text_whole.see_verse(MODELS, WORDS, "poems", TOWER)
    assert "尤" in poem["texts"]["zh"]
    assert [len(line) for line in poem["table"]["rows"]] == [5, 5, 5, 5]
    assert len(rows["table"]["rows"]) == 24
    begun, *_ = text_whole.see_verse(MODELS, WORDS, "poems", "《江雪》")
    assert begun["texts"] == WORDS.both("through.verse_none")
    none, *_ = text_whole.see_verse(MODELS, WORDS, "shakespeare", PLAY)
    assert none["table"] is None
    assert "poems" in none["texts"]["en"]


BAD = [
    (text_inside.see_step, ("nothing", PLAY, 0, 1, 1)),
    (text_inside.see_step, ("shakespeare", " ", 0, 1, 1)),
    (text_inside.see_step, ("shakespeare", None, 0, 1, 1)),
    (text_inside.see_step, ("shakespeare", PLAY, -1, 1, 1)),
    (text_inside.see_step, ("shakespeare", PLAY, 0, 0, 1)),
    (text_inside.see_attention, ("shakespeare", PLAY, 0, "x", 1)),
    (text_inside.see_attention, ("shakespeare", PLAY, 0, 1, float("nan"))),
    (text_parts.see_off, ("shakespeare", PLAY, 1, 1, "all", 1)),
    (text_parts.see_off, ("shakespeare", PLAY, 1, 1, "head", -1)),
    (text_next.force, ("shakespeare", PLAY, [])),
    (text_next.force, ("shakespeare", PLAY, [65])),
    (text_next.force, ("poems", SPRING, [2])),
    (text_next.force, ("shakespeare", PLAY, "ab")),
    (text_whole.see_verse, ("poems", "一二三四五六七八九")),
]


@pytest.mark.parametrize(("handler", "values"), BAD, ids=lambda v: getattr(v, "__name__", ""))
def test_a_wrong_input_is_one_complaint(handler, values):
    with pytest.raises(UserError):
        handler(MODELS, WORDS, *values)


@pytest.mark.parametrize("text", ["漢", "ROMEO: 漢"])
def test_unknown_characters_are_named(text):
    with pytest.raises(UnknownCharacters):
        text_inside.see_step(MODELS, WORDS, "shakespeare", text, 0, 1, 1)


@pytest.mark.parametrize("name", ["shakespeare", "poems"])
def test_the_formulas_of_a_layer_are_what_it_computes(name):
    writer = MODELS.writer(name)
    found = inside.trace(writer, inside.read(writer, PLAY if name == "shakespeare" else TOWER).ids)
    model, config, layer, head, t = writer.model, writer.model.config, 2, 1, 7
    width, heads, block = config.width, config.heads, writer.model.blocks[2]

    def shifted(stream, norm):  # a quarter of the channels is the previous token's
        normed = F.rms_norm(stream, (width,), norm.weight)
        return torch.cat([normed[t - 1, : width // 4], normed[t, width // 4 :]])

    with torch.inference_mode():
        seen = shifted(found.stream[layer], block.attention_norm)
        rows = block.attention.qkv.weight[:width].unflatten(0, (heads, -1))[head]
        query = F.rms_norm(rows @ seen, (width // heads,))
        turned = rotate(query.expand(1, 1, 1, -1), t).flatten()
        torch.testing.assert_close(turned, found.queries[layer, head, t], atol=1e-5, rtol=1e-4)

        fed = block.feed_forward.narrow(found.fired[layer])
        seen = shifted(found.stream[layer + 1] - fed, block.feed_forward_norm)
        fired = torch.relu(block.feed_forward.widen.weight @ seen).square()
        torch.testing.assert_close(fired, found.fired[layer, t], atol=1e-4, rtol=1e-3)

        read = model.head.weight @ F.rms_norm(found.stream[-1, t], (width,), model.norm.weight)
        cap = config.logit_cap
        logits = cap * torch.tanh(read / cap) if cap else read
        torch.testing.assert_close(logits, found.logits[t], atol=1e-4, rtol=1e-4)
    for text in (text_formulas.embedding(0, t, seen), text_formulas.neuron(1.0)):
        assert "_{1\\dots C/4}" in text and "_{t-1}" in text
    assert (rf"{cap:g}\tanh" in text_formulas.read_out(1.0, 0.5, cap=cap)) == bool(cap)


@pytest.mark.parametrize("name", ["shakespeare", "poems"])
def test_the_overview_adds_up(name):
    writer = MODELS.writer(name)
    text = PLAY if name == "shakespeare" else TOWER
    reading = inside.read(writer, text)
    found = inside.trace(writer, reading.ids)
    t = len(reading.ids) - 1
    shares = layer_shares(writer, found, t, 5)
    for layer, share in enumerate(shares):
        block = writer.model.blocks[layer]
        with torch.inference_mode():
            x = found.stream[layer][None]
            attended = block.attention(block.attention_input(x))
            fed = block.feed_forward(block.feed_forward_input(x + attended))
        sizes = [part[0, t].square().mean().sqrt().item() for part in (attended, fed)]
        assert [share.attended, share.fed] == pytest.approx(sizes, rel=1e-3)
        values = [value for _, value in share.neurons]
        assert values[0] == found.fired[layer, t].abs().max()
        assert values == sorted(values, reverse=True)
    picture, table = see_overview(MODELS, WORDS, name, text, 9_999, 1, 1)
    network = picture["network"]
    best, likely = network["best"][0]
    assert likely == pytest.approx(found.logits[t].softmax(0).max().item(), rel=1e-4)
    assert best == inside.named(writer, int(found.logits[t].argmax()))
    assert len(network["tokens"]) == len(network["strips"]) == min(20, t + 1)
    weights = torch.tensor(network["layers"][3]["weights"])
    expected = found.weights[3, :, t, network["first"] :]
    torch.testing.assert_close(weights, expected, atol=6e-4, rtol=0)
    assert [row[4] for row in table["table"]["rows"]] == [f"{s.after:.2f}" for s in shares]


def test_the_strips_of_a_narrow_model_have_a_cell_a_channel(tiny_writer):
    found = inside.trace(tiny_writer, inside.read(tiny_writer, "a rose").ids)
    strips = torch.tensor(strips_of(found, slice(0, 6)))
    embeddings = found.stream[0, :6]
    assert strips.shape == embeddings.shape == (6, 16)
    expected = 9 * embeddings / embeddings.abs().max()
    assert (strips - expected).abs().max() <= 0.5


def test_formulas_are_balanced():
    writer = MODELS.writer("shakespeare")
    found = inside.trace(writer, inside.read(writer, PLAY).ids)
    texts = [
        text_formulas.attention(
            found.queries[0, 0, 3],
            found.keys[0, 0, 1],
            found.scores[0, 0, 3, :4],
            found.weights[0, 0, 3, :4],
            found.values[0, 0, :4],
        ),
        text_formulas.read_out(1.0, 0.5),
        text_formulas.perplexity(torch.ones(3)),
        text_formulas.neuron(2.0),
    ]
    assert all(text.count("{") == text.count("}") for text in texts)


def test_the_writers_probabilities_are_as_near_to_those_shown_as_the_page_says():
    play = sample_text("shakespeare.txt")
    poems = [poem["text"] for poem in json.loads(sample_text("poems.json"))]
    known = set(MODELS.writer("poems").tokenizer.characters)
    poems = [text for text in poems if len(text) == 64 and set(text) <= known]  # 七律
    texts = {
        "shakespeare": [play[at : at + 150] for at in range(0, 16 * 997, 997)],
        "poems": poems[:40],
    }
    for name, some in texts.items():
        readings = [asked(MODELS, name, text) for text in some]
        writer = readings[0][0]
        ids = [reading.ids for _, reading, _ in readings]
        ids = torch.tensor([row for row in ids if len(row) == len(ids[0])])
        steps = steps_for(writer.model, writer.loaded.device)[0]
        ids = ids[: steps.slots]
        assert len(ids) > 10
        for slot in range(len(ids)):
            steps.prefill(slot, [])
        written = [torch.tensor(steps.decode(column.tolist())) for column in ids.unbind(1)]
        with torch.inference_mode():
            shown = writer.model(ids.to(writer.loaded.device)).float().cpu().softmax(2)
        apart = (torch.stack(written, 1).softmax(2) - shown).abs().max().item()
        assert 0 < apart < 0.1
    for language in WORDS.table:
        assert "0.1" in WORDS.properties(language, "through.next_hint")["value"]
