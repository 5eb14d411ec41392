"""GPT-2 checkpoints in every way they are stored, against `transformers`' own GPT-2."""

import json
import math
import subprocess
import sys
import time

import pytest
import torch
from checkpoints.gpt2_of_transformers import (
    CONTEXT,
    PROMPT,
    SIZE,
    SIZES,
    saved,  # noqa: F401
    theirs,  # noqa: F401
)
from safetensors.torch import load_file, save_file

import aigc_demo.data.vision  # noqa: F401  # before transformers: it cures torchvision

# isort: split
from transformers import GPT2Config as TheirConfig
from transformers import GPT2LMHeadModel

from aigc_demo.cli import main
from aigc_demo.explain import transformer as inside
from aigc_demo.explain.branches import branches, next_logits
from aigc_demo.explain.heads import habits
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.transformer import Cache
from aigc_demo.tokenizer import UnknownCharacters
from aigc_demo.weights import find_folder, load_model, name_of


def buffers(prefix=""):
    mask = torch.ones(CONTEXT, CONTEXT).tril()[None, None]
    return {
        f"{prefix}h.{layer}.attn.{name}": value
        for layer in range(3)
        for name, value in (("bias", mask.clone()), ("masked_bias", torch.tensor(-1e4)))
    }


def bare(state):
    return {key.removeprefix("transformer."): value for key, value in state.items()}


STYLES = {
    "transformers 5": lambda state: state,
    "openai: no prefix, masks": lambda state: bare(state) | buffers(),
    "older: prefix, masks, head": lambda state: (
        state
        | buffers("transformer.")
        | {"lm_head.weight": state["transformer.wte.weight"].clone()}
    ),
    "head alone": lambda state: (
        without("transformer.wte.weight")(state)
        | {"lm_head.weight": state["transformer.wte.weight"]}
    ),
    "no prefix, head": lambda state: (
        bare(state) | {"lm_head.weight": state["transformer.wte.weight"].clone()}
    ),
}


def stored(saved, folder, style=lambda state: state, **changed):
    """The checkpoint in another folder, its tensors and config changed."""
    state = style(load_file(saved / "model.safetensors"))
    save_file(
        {key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors"
    )
    config = json.loads((saved / "config.json").read_text())
    changes = {key: value for key, value in changed.items() if value is not None}
    kept = {key: value for key, value in config.items() if key not in changed}
    (folder / "config.json").write_text(json.dumps(kept | changes))
    (folder / "tokenizer.json").write_bytes((saved / "tokenizer.json").read_bytes())
    return folder


@pytest.fixture(scope="module")
def writer(saved):
    return TextWriter.load(saved, "cpu")


@pytest.fixture(scope="module")
def ids(writer):
    return writer.tokenizer.encode(PROMPT)


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


# The model


@pytest.mark.parametrize("style", STYLES)
def test_logits_are_those_of_transformers_in_every_style_of_keys(saved, theirs, tmp_path, style):
    loaded = load_model(stored(saved, tmp_path, STYLES[style]), "transformer", "cpu")
    assert (loaded.family, loaded.name) == ("transformer", tmp_path.name)
    assert isinstance(loaded.model, GPT2)
    assert loaded.model.config.hidden == 40
    tokens = torch.randint(SIZE, (3, CONTEXT), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found, expected = loaded.model(tokens), theirs(tokens).logits
    assert expected.std() > 0.5
    assert (found - expected).abs().max() < 1e-4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_read_in_single(saved, tmp_path, dtype):
    def half(state):
        return {key: value.to(dtype) for key, value in state.items()}

    model = load_model(stored(saved, tmp_path, half), "transformer", "cpu").model
    expected = load_file(saved / "model.safetensors")["transformer.h.1.mlp.c_fc.weight"]
    found = model.blocks[1].feed_forward.widen.weight
    assert found.dtype == torch.float32
    assert torch.equal(found, expected.to(dtype).float().T)


def test_with_a_cache_the_logits_are_the_same(writer, theirs, ids):
    cache = Cache(writer.model.config, 1, torch.device("cpu"))
    with torch.no_grad():
        parts = [writer.model(torch.tensor([part]), cache) for part in (ids[:5], ids[5:6], ids[6:])]
    torch.testing.assert_close(torch.cat(parts, 1)[0], logits_of(theirs, ids), atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match=f"at most {CONTEXT}"):
        writer.model(torch.zeros(1, CONTEXT + 1, dtype=torch.long))


def test_the_head_is_the_matrix_of_the_tokens_and_takes_no_memory(writer):
    model = writer.model
    assert model.head.weight is model.embedding.weight
    assert "head.weight" not in model.state_dict()


# The loader


def without(key):
    return lambda state: {name: value for name, value in state.items() if name != key}


def with_tensor(key, value):
    return lambda state: state | {key: value}


TENSORS = {
    "missing": (without("transformer.h.2.mlp.c_fc.bias"), "h.2.mlp.c_fc.bias"),
    "unknown": (with_tensor("transformer.h.3.ln_1.bias", torch.zeros(24)), "h.3.ln_1.bias"),
    "another model": (lambda state: {"encoder.weight": torch.zeros(3)}, "encoder.weight"),
    "not transposed": (
        lambda state: (
            state
            | {
                "transformer.h.0.mlp.c_fc.weight": state[
                    "transformer.h.0.mlp.c_fc.weight"
                ].T.clone()
            }
        ),
        "expected shape (24, 40), got (40, 24)",
    ),
    "another vocabulary": (
        with_tensor("transformer.wte.weight", torch.zeros(SIZE + 1, 24)),
        f"expected shape ({SIZE}, 24)",
    ),
    "a head of its own": (with_tensor("lm_head.weight", torch.zeros(SIZE, 24)), "lm_head.weight"),
    "not finite": (
        with_tensor("transformer.ln_f.bias", torch.full((24,), torch.nan)),
        "finite",
    ),
    "whole numbers": (
        with_tensor("transformer.ln_f.bias", torch.zeros(24, dtype=torch.long)),
        "int64",
    ),
}


@pytest.mark.parametrize("what", TENSORS)
def test_tensors_that_do_not_fit_are_refused_by_name(saved, tmp_path, what):
    style, named = TENSORS[what]
    with pytest.raises(ValueError, match=r"model\.safetensors") as raised:
        load_model(stored(saved, tmp_path, style), "transformer", "cpu")
    assert named in str(raised.value)


CONFIGS = [
    {"activation_function": "relu"},
    {"activation_function": "gelu"},
    {"scale_attn_weights": False},
    {"scale_attn_by_inverse_layer_idx": True},
    {"tie_word_embeddings": False},
    {"add_cross_attention": True},
    {"n_layer": 0},
    {"n_layer": 10**9},
    {"n_head": 5},
    {"n_embd": "24"},
    {"n_embd": True},
    {"n_inner": -1},
    {"vocab_size": 1.5},
    {"layer_norm_epsilon": "0"},
]


@pytest.mark.parametrize("change", CONFIGS, ids=str)
def test_configs_of_something_else_are_refused(saved, tmp_path, change):
    with pytest.raises(ValueError, match=r"config\.json: expected"):
        load_model(stored(saved, tmp_path, **change), "transformer", "cpu")


def test_what_a_config_leaves_out_is_as_openai_had_it(saved, tmp_path):
    missing = dict.fromkeys(("activation_function", "layer_norm_epsilon", "scale_attn_weights"))
    model = load_model(stored(saved, tmp_path, **missing), "transformer", "cpu").model
    assert model.config.epsilon == 1e-5


def test_a_pickled_checkpoint_is_never_read(saved, theirs, tmp_path):
    stored(saved, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"expected model\.safetensors"):
        load_model(tmp_path, "transformer", "cpu")


def test_a_damaged_file_is_refused(saved, tmp_path):
    path = stored(saved, tmp_path) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="expected a safetensors file"):
        load_model(tmp_path, "transformer", "cpu")


def test_a_gpt2_is_no_gan(saved):
    with pytest.raises(ValueError, match="expected a model of family gan"):
        load_model(saved, "gan", "cpu")
    assert name_of(saved) == saved.name


MEMORY = """
import resource, sys
from aigc_demo.weights import load_model
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = load_model(sys.argv[1], "transformer", "cpu").model
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_loading_holds_no_second_copy_of_the_weights(saved, tmp_path):
    torch.manual_seed(0)
    config = TheirConfig(**SIZES | {"n_embd": 512, "n_layer": 12}, eos_token_id=None)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((saved / "tokenizer.json").read_bytes())
    size = (tmp_path / "model.safetensors").stat().st_size / 1024
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path], capture_output=True, text=True, check=True
    )
    assert size > 140_000
    # The pages of the file are counted too while it is open: they are the system's to drop.
    assert int(done.stdout) < 2.4 * size


def test_a_repository_without_safetensors_is_asked_for_the_revision_that_has_them(monkeypatch):
    asked = []
    monkeypatch.setattr("aigc_demo.hub.fetch_folder", lambda *given: asked.append(given))
    for source in ("uer/gpt2-chinese-cluecorpussmall", "openai-community/gpt2", "a/b@refs/pr/1"):
        find_folder(source)
    assert asked == [
        ("uer/gpt2-chinese-cluecorpussmall", "refs/pr/7"),
        ("openai-community/gpt2", "main"),
        ("a/b", "refs/pr/1"),
    ]


# Writing


@pytest.mark.parametrize("count", [1, 20])
def test_greedy_text_is_that_of_generate(writer, theirs, ids, count):
    generated = theirs.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=count,
        min_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
    )[0, len(ids) :].tolist()
    writing = writer.begin(PROMPT, count, temperature=0)
    assert list(writing) == generated
    assert writing.so_far == writer.tokenizer.decode(generated)
    assert writer.extend(ids, count, temperature=0) == generated


def test_the_end_token_ends_a_text(saved, tmp_path, writer, theirs, ids):
    second = writer.extend(ids, 2, temperature=0)[1]
    stored(saved, tmp_path, eos_token_id=second)
    ending = TextWriter.load(tmp_path, "cpu").begin(PROMPT, 20, temperature=0)
    assert list(ending) == writer.extend(ids, 1, temperature=0)


def test_a_text_goes_on_beyond_the_context(writer):
    assert len(list(writer.begin(PROMPT, 3 * CONTEXT, seed=1))) == 3 * CONTEXT


def test_pieces_make_up_the_text_and_hold_no_half_characters(writer):
    writing = writer.begin(PROMPT, 60, seed=2)
    pieces = list(writing.pieces())
    assert len(pieces) == 60
    assert "".join(pieces) == writing.so_far == writer.write(PROMPT, 60, seed=2)


def test_a_character_split_over_tokens_shows_once_it_is_whole(writer, monkeypatch):
    ids = writer.tokenizer.encode("夜😀")
    assert len(ids) > 4
    draws = iter(ids)
    monkeypatch.setattr(
        "aigc_demo.inference.writing.sampler.Batch.draw", lambda self, *given: [next(draws)]
    )
    writing = writer.begin("a", len(ids))
    seen = list(writing.pieces())
    assert "".join(seen) == "夜😀"
    assert [piece for piece in seen if piece] == ["夜", "😀"]


def test_many_texts_at_once_are_what_they_are_alone(writer):
    begun = [writer.begin(PROMPT[: 3 + i], 30, seed=i) for i in range(8)]
    together = [text.start() for text in begun]
    together = [text.whole() for text in together]
    assert together == [writer.write(PROMPT[: 3 + i], 30, seed=i) for i in range(8)]


def test_few_texts_write_at_once_and_all_are_written(writer):
    texts = [writer.begin(PROMPT, 30, temperature=0).start() for _ in range(9)]
    most = 0
    while not all(text.done for text in texts):
        most = max(most, len(writer.engine.writing))
        time.sleep(0.001)  # a loop without it would hold up the writing
    assert 1 <= most <= 4
    assert len({tuple(text.new) for text in texts}) == 1


@pytest.mark.parametrize(
    ("repo", "branch"),
    [("distilbert/distilgpt2", "main"), ("uer/gpt2-chinese-cluecorpussmall", "refs/pr/7")],
)
def test_a_repository_of_the_family_is_pulled_and_writes(hub, saved, writer, repo, branch):
    commit = hub.put(repo, {path.name: path.read_bytes() for path in saved.iterdir()})
    if branch != "main":
        hub.put(repo, {"model.safetensors": b"not these"})
        hub.repos[f"models/{repo}"].branches[branch] = commit
    pulled = TextWriter.load(repo, "cpu")
    assert pulled.loaded.name == repo
    assert pulled.write(PROMPT, 12, seed=5) == writer.write(PROMPT, 12, seed=5)


def test_the_command_line_writes_with_a_gpt2(saved, writer, capsys):
    main(["sample", str(saved), "--prompt", PROMPT, "--length", "8", "--seed", "3"])
    written = writer.write(PROMPT, 8, temperature=0.8, top_p=0.95, seed=3)
    assert capsys.readouterr().out == f"{PROMPT}{written}\n"


# Inside


def test_the_trace_is_what_transformers_computes(writer, theirs, ids):
    found = inside.trace(writer, ids)
    with torch.no_grad():
        whole = theirs(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
    torch.testing.assert_close(found.logits, whole.logits[0], atol=1e-4, rtol=1e-4)
    for layer, weights in enumerate(whole.attentions):
        torch.testing.assert_close(found.weights[layer], weights[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.stream[layer], whole.hidden_states[layer][0])
    assert found.fired.shape == (3, len(ids), 40)
    raised = (found.queries @ found.keys.mT) / math.sqrt(6)
    torch.testing.assert_close(found.scores, raised)


def test_what_fires_is_the_hidden_layer_of_transformers(writer, theirs, ids):
    seen = []
    hook = theirs.transformer.h[1].mlp.act.register_forward_hook(lambda m, i, o: seen.append(o[0]))
    logits_of(theirs, ids)
    hook.remove()
    # One activation is shared by some versions; the second call is the second layer's.
    fired = inside.trace(writer, ids).fired
    assert any(torch.allclose(one, fired[1], atol=1e-4) for one in seen)


def test_the_lens_ends_in_the_models_own_guess(writer, theirs, ids):
    guesses = inside.lens(writer, inside.trace(writer, ids), len(ids) - 1)
    expected = logits_of(theirs, ids)[-1].softmax(0).topk(5)
    assert len(guesses) == 4
    assert guesses[-1].tokens == expected.indices.tolist()
    assert guesses[-1].probabilities == pytest.approx(expected.values.tolist(), rel=1e-3)


def test_surprise_is_what_transformers_loses(writer, theirs, ids):
    nats = inside.surprise(writer, ids)
    with torch.no_grad():
        loss = theirs(torch.tensor([ids]), labels=torch.tensor([ids])).loss
    assert nats.mean().item() == pytest.approx(loss.item(), rel=1e-4)
    torch.testing.assert_close(writer.log_probabilities(PROMPT), -nats, atol=1e-4, rtol=1e-4)
    long = [*ids, *ids, *ids, *ids][: CONTEXT + 20]
    assert len(inside.surprise(writer, long)) == len(long) - 1


def test_what_is_off_adds_nothing(writer, ids):
    off = inside.without(writer, layers=[1])
    stream = inside.trace(off, ids).stream
    torch.testing.assert_close(stream[2], stream[1], atol=0, rtol=0)
    whole = inside.trace(writer, ids)
    assert not torch.equal(whole.stream[2], whole.stream[1])  # the writer itself is as it was
    assert off.model.embedding.weight is writer.model.embedding.weight


def test_a_head_that_is_off_is_missing_from_the_sum(writer, ids):
    off = inside.trace(inside.without(writer, heads=[(0, 2)]), ids)
    block, whole = writer.model.blocks[0], inside.trace(writer, ids)
    with torch.no_grad():
        mixed = whole.weights[0, 2] @ whole.values[0, 2]  # (T, C/H)
        part = mixed @ block.attention.out.weight[:, 12:18].T
        x = whole.stream[0]
        rest = x + block.attention(block.attention_input(x[None]))[0] - part
        expected = rest + block.feed_forward(block.feed_forward_input(rest))
    torch.testing.assert_close(off.stream[1], expected, atol=1e-4, rtol=1e-4)


def test_neighbours_and_what_neurons_say(writer, theirs):
    table = theirs.transformer.wte.weight.detach()
    cosines = torch.cosine_similarity(table[[20]], table)
    expected = [token for token in cosines.argsort(descending=True).tolist() if token != 20]
    assert [token for token, _ in inside.neighbours(writer, 20, 4)] == expected[:4]
    narrow = theirs.transformer.h[1].mlp.c_proj.weight.detach()[7]
    with torch.no_grad():  # what the norm makes of the neuron's output alone, without its bias
        read = theirs.transformer.ln_f(narrow * 1e3) - theirs.transformer.ln_f.bias
    assert inside.says(writer, 1, 7, 3) == (table @ read).topk(3).indices.tolist()


def test_branches_follow_the_likeliest(writer, theirs, ids):
    nodes = branches(writer, ids, width=2, depth=2)
    assert torch.allclose(next_logits(writer, ids), logits_of(theirs, ids)[-1], atol=1e-4)
    for place, node in enumerate(nodes):
        way = ids if node.parent < 0 else [*ids, nodes[node.parent].token]
        expected = logits_of(theirs, way)[-1].softmax(0)[node.token].item()
        assert node.probability == pytest.approx(expected, rel=1e-3), place


def test_a_text_is_read_in_pieces_with_their_spaces(writer):
    reading = inside.read(writer, "the king of the\nworld")
    assert len(reading.ids) < len("the king of the\nworld")
    assert "␣the" in reading.names
    assert "↵" in reading.names
    assert (reading.body, reading.first) == (0, 1)
    assert writer.tokenizer.decode(reading.ids) == "the king of the\nworld"
    assert inside.token_of(writer, "of") == writer.tokenizer.encode("a of")[-1]
    with pytest.raises(UnknownCharacters):
        inside.token_of(writer, "kingdoms")
    long = inside.read(writer, "the king " * 400)
    assert len(long.ids) == CONTEXT
    with pytest.raises(ValueError, match="empty"):
        inside.read(writer, "")


def test_heads_have_habits(writer):
    found = habits(writer)
    assert [len(layer) for layer in found] == [4, 4, 4]
    assert all(0 <= habit.share <= 1 for layer in found for habit in layer)


def test_a_chinese_model_begins_with_its_start_token_and_ends_with_its_own(saved, tmp_path, theirs):
    folder = stored(saved, tmp_path)
    (folder / "tokenizer.json").unlink()
    characters = [chr(0x4E00 + i) for i in range(SIZE - 7)]
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##s", *characters]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n")
    chinese = TextWriter.load(folder, "cpu")
    prompt = "".join(characters[3:8])
    ids = [2, *(lines.index(c) for c in prompt)]
    first = int(logits_of(theirs, ids)[-1].argmax())
    assert list(chinese.begin(prompt, 1, temperature=0)) == [first]
    reading = inside.read(chinese, prompt)
    assert reading.ids == ids
    assert reading.names[0] == "⟨CLS⟩"
    assert (reading.body, reading.first) == (1, 1)
    assert habits(chinese)
    with pytest.raises(ValueError, match="at least one"):
        chinese.begin(" \n", 5)
