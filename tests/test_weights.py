"""A weights folder: what is saved comes back, and what is damaged is named."""

import hashlib
import json
import shutil
from functools import partial

import pytest
import torch
from safetensors.torch import load, save
from tiny import PICTURES, transformer

from aigc_demo.devices import choose_device
from aigc_demo.models.transformer import Transformer, TransformerConfig
from aigc_demo.samples import sample_digits, sample_text
from aigc_demo.tokenizer import CharacterTokenizer
from aigc_demo.weights import (
    bundled_names,
    find_folder,
    load_model,
    read_config,
    replace_file,
    save_model,
)

MODELS = {**PICTURES, "transformer": partial(transformer, 3, 8)}


def tokenizer_of(family):
    return CharacterTokenizer("春 a") if family == "transformer" else None


# Saving and loading


@pytest.mark.parametrize("family", MODELS)
def test_a_saved_model_comes_back_with_the_same_tensors(tmp_path, family):
    torch.manual_seed(0)
    model = MODELS[family]()
    save_model(tmp_path, "mine", family, model, tokenizer_of(family))

    loaded = load_model(tmp_path, family, "cpu")

    assert (loaded.name, loaded.family, loaded.device.type) == ("mine", family, "cpu")
    assert loaded.model.config == model.config
    assert not any(part.training for part in loaded.model.modules())
    found = loaded.model.state_dict()
    assert set(found) == set(model.state_dict())
    for key, tensor in model.state_dict().items():
        assert torch.equal(found[key], tensor), key


def test_a_loaded_model_gives_the_same_output_as_the_saved_one(tmp_path):
    torch.manual_seed(0)
    inputs = {
        "gan": lambda model: model.discriminator(
            model.generator(torch.ones(2, 8), torch.eye(10)[:2]), torch.tensor([1, 2])
        ),
        "gan-mlp": lambda model: model.discriminator(model.generator(torch.ones(2, 8))),
        "vae": lambda model: model.decoder(model.encoder(torch.full((2, 1, 28, 28), 0.3))[0]),
        "judge": lambda model: model(torch.full((2, 1, 28, 28), 0.3)),
        "transformer": lambda model: model(torch.tensor([[0, 1, 2, 2]])),
    }
    for family, use in inputs.items():
        model = MODELS[family]().eval()
        save_model(tmp_path / family, "mine", family, model, tokenizer_of(family))
        with torch.inference_mode():
            assert torch.equal(use(load_model(tmp_path / family, family, "cpu").model), use(model))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_tensors_stored_in_half_the_bits_come_back_rounded_as_float32(tmp_path, dtype):
    model = MODELS["judge"]()
    save_model(tmp_path, "mine", "judge", model, dtype=dtype)
    found = load_model(tmp_path, "judge", "cpu").model.state_dict()
    for key, tensor in model.state_dict().items():
        kept = tensor.to(dtype).float() if tensor.is_floating_point() else tensor
        assert found[key].dtype == tensor.dtype
        assert torch.equal(found[key], kept), key


def test_the_tokenizer_is_saved_with_the_model(tmp_path):
    model = Transformer(TransformerConfig(5, context=4, layers=1, heads=1, width=4))
    save_model(tmp_path, "mine", "transformer", model, CharacterTokenizer("春\n ", ["<a>", "<b>"]))
    tokenizer = load_model(tmp_path, "transformer", "cpu").tokenizer
    assert tokenizer.tokens == ["<a>", "<b>", "春", "\n", " "]


def test_the_digest_is_that_of_the_file(tmp_path):
    save_model(tmp_path, "mine", "vae", MODELS["vae"]())
    expected = hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert load_model(tmp_path, "vae", "cpu").digest == expected
    assert read_config(tmp_path)["sha256"] == expected


def test_a_replaced_file_is_whole_and_leaves_no_other(tmp_path):
    path = tmp_path / "notes.txt"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(TypeError):
        replace_file(path, "no bytes")
    assert path.read_bytes() == b"new"


# Damage


@pytest.fixture
def folder(tmp_path):
    """A sound transformer folder, to be damaged."""
    torch.manual_seed(0)
    save_model(
        tmp_path, "mine", "transformer", MODELS["transformer"](), tokenizer_of("transformer")
    )
    return tmp_path


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for key, value in changes.items():
        if value is None:
            del config[key]
        else:
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def edit_tensors(folder, edit):
    """Changes the tensors, and the hash with them."""
    tensors = load((folder / "model.safetensors").read_bytes())
    edit(tensors)
    data = save(tensors)
    (folder / "model.safetensors").write_bytes(data)
    edit_config(folder, sha256=hashlib.sha256(data).hexdigest())


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def cut_with_hash(folder):
    cut(folder)
    data = (folder / "model.safetensors").read_bytes()
    edit_config(folder, sha256=hashlib.sha256(data).hexdigest())


def flip(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def write_config(text):
    return lambda folder: (folder / "config.json").write_bytes(text)


def config(**changes):
    return lambda folder: edit_config(folder, **changes)


def tensors(edit):
    return lambda folder: edit_tensors(folder, edit)


def poison(value):
    def edit(tensors):
        tensors["norm.weight"][3] = value

    return tensors(edit)


def recast(dtype):
    return tensors(lambda all: all.update({"head.weight": all["head.weight"].to(dtype)}))


DAMAGE = {  # what is done -> how, and what the message names
    "the weights are cut off": (cut, "model.safetensors"),
    "the weights are cut off under a matching hash": (cut_with_hash, "model.safetensors"),
    "a bit is flipped": (flip, "SHA-256"),
    "the hash is another": (config(sha256="0" * 64), "SHA-256"),
    "the weights are missing": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "the config is missing": (lambda f: (f / "config.json").unlink(), "config.json"),
    "a tensor holds NaN": (poison(torch.nan), "norm.weight"),
    "a tensor holds infinity": (poison(-torch.inf), "norm.weight"),
    "a tensor is unknown": (tensors(lambda t: t.update(extra=torch.ones(1))), "extra"),
    "a tensor is missing": (tensors(lambda t: t.pop("head.weight")), "head.weight"),
    "a tensor has another shape": (
        tensors(lambda t: t.update({"head.weight": torch.ones(3, 7)})),
        "head.weight",
    ),
    "a tensor is of whole numbers": (recast(torch.int64), "head.weight"),
    "a tensor is complex": (recast(torch.complex64), "head.weight"),
    "a tensor is of 8 bits": (recast(torch.float8_e4m3fn), "head.weight"),
    "the config is no JSON": (write_config(b"{"), "config.json"),
    "the config is no UTF-8": (write_config(b"\xff\xfe\x00"), "config.json"),
    "the config is empty": (write_config(b""), "config.json"),
    "the config is a list": (write_config(b"[]"), "format"),
    "the config is nested without end": (write_config(b"[" * 100_000), "config.json"),
    "the format is another": (config(format=2), "format"),
    "the format is missing": (config(format=None), "format"),
    "the name is a number": (config(name=3), "name"),
    "the family is unknown": (config(family="rnn"), "rnn"),
    "the config has an unknown key": (config(colour="red"), "colour"),
    "the model has an unknown key": (config(model={"depth": 3}), "depth"),
    "a size is a word": (config(model={"width": "8"}), "width"),
    "a size is not whole": (config(model={"width": 8.5}), "width"),
    "a size is a boolean": (config(model={"layers": True}), "layers"),
    "a size is 0": (config(model={"layers": 0}), "layers"),
    "a size is below 0": (config(model={"context": -8}), "context"),
    "a size is absurd": (config(model={"context": 10**400}), "context"),
    "a share is NaN": (config(model={"dropout": float("nan")}), "dropout"),
    "a size is not that of the tensors": (config(model={"width": 32}), "expected shape"),
    "the heads do not divide the width": (config(model={"heads": 3}), "heads"),
    "a head is a single channel wide": (config(model={"heads": 16}), "heads"),
    "the characters are missing": (config(characters=None), "characters"),
    "a character is missing": (config(characters="春 "), "3 tokens"),
    "a character occurs twice": (config(characters="春春a"), "twice"),
    "a control token is no text": (config(controls=[[]], characters="春a"), "controls"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_folder_is_refused_by_name(folder, what):
    damage, culprit = DAMAGE[what]
    damage(folder)
    with pytest.raises(ValueError, match="(?i)expected|missing") as raised:
        load_model(folder, "transformer", "cpu")
    assert culprit in str(raised.value)


def test_an_undamaged_copy_loads(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    edit_config(copy, name="yours")
    edit_tensors(copy, lambda tensors: tensors["norm.weight"].mul_(2))
    assert load_model(copy, "transformer", "cpu").name == "yours"


@pytest.mark.parametrize("family", ["gan", "vae", "judge"])
def test_a_model_of_another_family_is_refused(folder, family):
    with pytest.raises(ValueError, match=f"family {family}.*transformer"):
        load_model(folder, family, "cpu")


# Names


@pytest.mark.parametrize("source", ["", "no-such-model", "a/b/c", "/no/such/folder", "a" * 5000])
def test_an_unknown_source_is_refused(source):
    with pytest.raises(ValueError, match="expected"):
        find_folder(source)


def test_a_folder_is_found_by_its_path(folder):
    assert find_folder(folder) == find_folder(str(folder)) == folder


def test_bundled_names_are_the_folders_with_a_config(tmp_path):
    for name in ("b", "a"):
        save_model(tmp_path / name, name, "vae", MODELS["vae"]())
    (tmp_path / "samples").mkdir()
    assert bundled_names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("device", ["tpu", "", "cpu:x", "cud"])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match="expected"):
        choose_device(device)


def test_without_a_name_a_device_that_is_there_is_chosen():
    assert torch.ones(1, device=choose_device()).item() == 1
    assert choose_device("cpu") == torch.device("cpu")


# Samples


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_bundled_digits_are_a_hundred_of_each_class(split):
    images, labels = sample_digits(split)
    assert images.shape == (1000, 28, 28)
    assert images.dtype == torch.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.bincount().tolist() == [100] * 10


def test_the_bundled_texts_are_there():
    assert sample_text("shakespeare.txt").startswith("First Citizen:\n")
    assert len(json.loads(sample_text("poems.json"))) == 1200
