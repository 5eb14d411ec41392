"""A small random GPT-2 of `transformers`, and its folder as `transformers` saves it: fixtures."""

import pytest
import torch

import aigc_demo.data.vision  # noqa: F401  # before transformers: it cures torchvision

# isort: split
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config as TheirConfig
from transformers import GPT2LMHeadModel

from aigc_demo.samples import sample_text

SIZE, CONTEXT = 400, 48
PROMPT = "To be, or not to be: 夜來😀"
SIZES = {"vocab_size": SIZE, "n_positions": CONTEXT, "n_embd": 24, "n_layer": 3, "n_head": 4}


@pytest.fixture(scope="module")
def theirs():
    """A small random GPT-2 in which every number matters."""
    torch.manual_seed(0)
    config = TheirConfig(**SIZES, n_inner=40, bos_token_id=0, eos_token_id=None)
    model = GPT2LMHeadModel(config).eval()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module")
def saved(theirs, tmp_path_factory):
    """A folder as `transformers` saves it, with a byte-level BPE."""
    folder = tmp_path_factory.mktemp("saved")
    theirs.save_pretrained(folder)
    bpe = ByteLevelBPETokenizer()
    text = sample_text("shakespeare.txt")[:30_000]
    bpe.train_from_iterator([text], SIZE, 2, special_tokens=["<|endoftext|>"], show_progress=False)
    bpe.save(str(folder / "tokenizer.json"))
    return folder
