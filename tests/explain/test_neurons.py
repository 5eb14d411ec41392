"""The table of what makes neurons fire, against what hooks see."""

import json

import pytest
import torch
from safetensors.torch import save_file

from aigc_demo import training
from aigc_demo.data.poems import Poem
from aigc_demo.explain.neurons import NeuronTable
from aigc_demo.explain.overlap import Overlaps
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.samples import sample_text
from aigc_demo.training.neurons import CONTEXT, activations, strongest, write_neurons

TEXTS = (
    "abcabcabd abc",
    "the fat cat sat",
    "a bad cab had a fee",
    "abcabcabd abc ",
    "ghi",
    "fed",
    16 * "a",
)


@pytest.fixture
def texts(tiny_writer):
    letters = set(tiny_writer.tokenizer.characters)
    kept = ["".join(c for c in text if c in letters) for text in TEXTS]
    return [tiny_writer.tokenizer.encode(text)[:16] for text in kept]


def fired_by_hooks(writer, ids):
    seen = []
    hooks = [
        block.feed_forward.widen.register_forward_hook(lambda m, i, o: seen.append(o[0]))
        for block in writer.model.blocks
    ]
    with torch.no_grad():
        writer.model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return torch.stack(seen).relu() ** 2


def test_activations_are_those_that_hooks_see(tiny_writer, texts):
    for ids in texts:
        expected = fired_by_hooks(tiny_writer, ids)
        torch.testing.assert_close(activations(tiny_writer, ids), expected, atol=1e-5, rtol=1e-4)


def test_the_table_holds_each_neurons_strongest_contexts_and_none_twice(tiny_writer, texts):
    table = strongest(tiny_writer, texts)
    for layer in range(2):
        for neuron in range(64):
            expected: dict[str, float] = {}
            for ids in texts:
                fired = fired_by_hooks(tiny_writer, ids)[layer, :, neuron].tolist()
                for place, value in enumerate(fired):
                    context = tiny_writer.tokenizer.decode(ids[: place + 1][-CONTEXT:])
                    expected[context] = max(value, expected.get(context, 0))
            rows = sorted(((v, c) for c, v in expected.items() if v > 0), reverse=True)[:4]
            assert [context for context, _ in table[layer][neuron]] == [c for _, c in rows]
            assert [v for _, v in table[layer][neuron]] == pytest.approx(
                [v for v, _ in rows], abs=0.011
            )


@pytest.mark.parametrize("name", ["shakespeare", "poems"])
def test_the_shipped_table_names_no_context_of_a_neuron_twice(name):
    for layer in NeuronTable.load(name).layers:
        for examples in layer:
            contexts = [context for context, _ in examples]
            assert len(set(contexts)) == len(contexts) == 4
            values = [value for _, value in examples]
            assert values == sorted(values, reverse=True)


def test_what_is_written_is_read_again(tiny_folders, tiny_writer, texts, tmp_path):
    for file in tiny_folders["transformer"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_neurons(tmp_path, texts)
    table = NeuronTable.load(tmp_path)
    expected = strongest(TextWriter.load(tmp_path, "cpu"), texts)
    assert table.examples(1, 3) == [(context, value) for context, value in expected[1][3]]
    for layer, neuron in ((2, 0), (0, 64), (-1, 0)):
        with pytest.raises(ValueError, match="expected a neuron"):
            table.examples(layer, neuron)


@pytest.mark.parametrize("damage", ["missing", "bytes", "packed"])
def test_a_damaged_table_is_refused(tmp_path, damage):
    (tmp_path / "config.json").write_text("{}")
    path = tmp_path / "neurons.safetensors"
    name = "other" if damage == "missing" else "table"
    save_file({name: torch.arange(9, dtype=torch.uint8)}, path)
    if damage == "bytes":
        path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"neurons\.safetensors: expected"):
        NeuronTable.load(tmp_path)


def test_weights_without_a_table_have_none(tiny_folders):
    assert NeuronTable.load(tiny_folders["transformer"]) is None


@pytest.mark.parametrize("name", ["shakespeare", "poems"])
def test_a_training_writes_table_and_index(tmp_path, name):
    training.train(name, "smoke", None, tmp_path)
    writer = TextWriter.load(tmp_path, "cpu")
    table = NeuronTable.load(tmp_path)
    assert len(table.layers) == writer.model.config.layers
    assert {len(layer) for layer in table.layers} == {4 * writer.model.config.width}
    rows = [Poem(**row) for row in json.loads(sample_text("poems.json"))]
    known = {
        "shakespeare": sample_text("shakespeare.txt")[:200],
        "poems": next(row.text for row in rows if not row.held_out),
    }[name]
    found = Overlaps.load(tmp_path).longest(known)[0]
    assert (found.start, found.length) == (0, len(known))
    assert name == "poems" or found.place == "First Citizen, line 1"


def test_an_own_text_is_not_written_down_beside_the_weights(tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("a secret of mine, said twice: a secret of mine. " * 20)
    training.train("shakespeare", "smoke", None, tmp_path / "out", training.Own(text=(own,)))
    assert Overlaps.load(tmp_path / "out") is None
    assert NeuronTable.load(tmp_path / "out") is None
