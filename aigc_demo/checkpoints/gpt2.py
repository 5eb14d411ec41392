"""A folder with a GPT-2 checkpoint -> our config and tensors, checked in every respect.

The folder holds config.json, model.safetensors and a tokenizer's files, as on the Hugging Face Hub.
"""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from aigc_demo.checkpoints.bpe import ByteLevelBPE
from aigc_demo.checkpoints.wordpiece import WordPiece
from aigc_demo.models.gpt2 import GPT2Config
from aigc_demo.tokenizer import Tokenizer

# The repositories that this is meant for -> the revision with safetensors. Where the main branch
# has none it is a pull request that adds them: refs/pr/7 is from the repository's listing, and of
# gpt2-chinese-poem none is known here.
REVISIONS = {
    "openai-community/gpt2": "main",
    "distilbert/distilgpt2": "main",
    "uer/gpt2-chinese-poem": "main",
    "uer/gpt2-chinese-cluecorpussmall": "refs/pr/7",
}

LARGEST = 1_000_000  # of any size in a config
BUFFERS = (".attn.bias", ".attn.masked_bias")  # causal masks: no weights

# Of each block: the checkpoint's module and ours.
PARTS = {
    "ln_1": "attention_norm",
    "attn.c_attn": "attention.qkv",
    "attn.c_proj": "attention.out",
    "ln_2": "feed_forward_norm",
    "mlp.c_fc": "feed_forward.widen",
    "mlp.c_proj": "feed_forward.narrow",
}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; {} where there is no such file.

    Raises:
        ValueError: it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def is_gpt2(folder: Path) -> bool:
    """True if a folder's config.json is that of a GPT-2 checkpoint; False for a damaged one."""
    try:
        return read_json(folder / "config.json").get("model_type") == "gpt2"
    except ValueError:
        return False


def config_of(folder: Path) -> GPT2Config:
    """The sizes that config.json states.

    Raises:
        ValueError: a size that is none, or a variant that computes something else.
    """
    path = folder / "config.json"
    values = read_json(path)
    fixed: dict[str, tuple[Any, ...]] = {  # key -> what ours computes, the default first
        "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "tie_word_embeddings": (True,),
        "add_cross_attention": (False,),
    }
    for key, allowed in fixed.items():
        if values.get(key, allowed[0]) not in allowed:
            raise ValueError(f"{path}: expected {key} {allowed[0]!r}, got {values[key]!r}")

    def size(key: str, default: int) -> int:
        value = values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST:
            raise ValueError(f"{path}: expected a sensible {key}, got {value!r}")
        return value

    width = size("n_embd", 768)
    epsilon = values.get("layer_norm_epsilon", 1e-5)
    if isinstance(epsilon, bool) or not isinstance(epsilon, float | int) or not 0 < epsilon < 1:
        raise ValueError(f"{path}: expected a sensible layer_norm_epsilon, got {epsilon!r}")
    sizes = {
        "vocabulary_size": size("vocab_size", 50_257),
        "context": size("n_positions", 1_024),
        "layers": size("n_layer", 12),
        "heads": size("n_head", 12),
        "width": width,
        "hidden": 4 * width if values.get("n_inner") is None else size("n_inner", 0),
    }
    try:
        return GPT2Config(**sizes, epsilon=float(epsilon))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def names_of(config: GPT2Config) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The checkpoint's name of each tensor -> ours, and its shape there.

    The matrices of a block are stored as (inputs, outputs), ours are (outputs, inputs).
    """
    c, hidden = config.width, config.hidden
    shapes = {
        "attn.c_attn": (c, 3 * c),
        "attn.c_proj": (c, c),
        "mlp.c_fc": (c, hidden),
        "mlp.c_proj": (hidden, c),
    }
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "wte.weight": ("embedding.weight", (config.vocabulary_size, c)),
        "wpe.weight": ("embedding.position", (config.context, c)),
    }
    for layer in range(config.layers):
        for theirs, ours in PARTS.items():
            shape = shapes.get(theirs, (c,))
            place, name = f"h.{layer}.{theirs}", f"blocks.{layer}.{ours}"
            found[f"{place}.weight"] = (f"{name}.weight", shape)
            found[f"{place}.bias"] = (f"{name}.bias", shape[-1:])
    found["ln_f.weight"] = ("norm.weight", (c,))
    found["ln_f.bias"] = ("norm.bias", (c,))
    return found


def tensors_of(folder: Path, config: GPT2Config) -> dict[str, Tensor]:
    """The tensors of model.safetensors by our names, one after the other: no second copy.

    Raises:
        ValueError: the file is missing or damaged, keys or shapes are not those of the config, or
            the head is not the matrix of the tokens.
    """
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{folder}: expected model.safetensors, got no such file")
    try:
        with safe_open(path, "pt") as file:
            return _tensors(path, file, names_of(config))
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a safetensors file, got {error}") from error


def _tensors(path: Path, file: Any, names: dict[str, tuple[str, tuple[int, ...]]]) -> dict:
    stored = {key.removeprefix("transformer."): key for key in file.keys()}  # noqa: SIM118
    stored = {name: key for name, key in stored.items() if not name.endswith(BUFFERS)}
    head = stored.pop("lm_head.weight", None)
    if head is not None:
        stored.setdefault("wte.weight", head)  # of two names of one tensor some keep this one
    missing, unknown = set(names) - set(stored), set(stored) - set(names)
    if missing or unknown:
        raise ValueError(
            f"{path}: missing keys {_few(missing)}, "
            f"unknown keys {_few({stored[name] for name in unknown})}"
        )
    for name, (_, shape) in names.items():
        found = tuple(file.get_slice(stored[name]).get_shape())
        if found != shape:
            raise ValueError(f"{path}: {stored[name]}: expected shape {shape}, got {found}")
    state = {}
    for name, (ours, shape) in names.items():
        tensor = file.get_tensor(stored[name])
        turned = len(shape) == 2 and ours.startswith("blocks.")
        # Copied, so that nothing refers to the file once it is closed.
        state[ours] = tensor.T.contiguous() if turned else tensor.clone()
    if head is not None and not file.get_tensor(head).equal(state["embedding.weight"]):
        raise ValueError(f"{path}: expected {head} equal to {stored['wte.weight']}, got another")
    return state


def _few(keys: set[str], most: int = 6) -> str:
    ordered = sorted(keys)
    more = [f"{len(ordered) - most} more"] if len(ordered) > most else []
    return ", ".join([*ordered[:most], *more]) or "none"


def tokenizer_of(folder: Path, config: GPT2Config) -> Tokenizer:
    """The folder's tokenizer: byte-level BPE or WordPiece, whichever its files are of.

    Raises:
        ValueError: no such files, damaged ones, another kind, or more tokens than the model has.
    """
    size = config.vocabulary_size
    whole = read_json(folder / "tokenizer.json")
    kind = _kind_of(whole.get("model"))
    end = read_json(folder / "config.json").get("eos_token_id")
    try:
        if kind == "BPE":
            return ByteLevelBPE.from_json(whole, size, end)
        if kind == "WordPiece":
            return WordPiece.from_json(whole, size)
        if whole:
            raise ValueError(f"expected a tokenizer.json of BPE or WordPiece, got {kind!r}")
        if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
            merges = (folder / "merges.txt").read_text(encoding="utf-8")
            return ByteLevelBPE.from_files(read_json(folder / "vocab.json"), merges, size, end)
        if (folder / "vocab.txt").is_file():
            settings = read_json(folder / "tokenizer_config.json")
            vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8")
            return WordPiece.from_files(vocabulary, settings, size)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{folder}: {error}") from error
    raise ValueError(
        f"{folder}: expected tokenizer.json, vocab.json with merges.txt, or vocab.txt, got none"
    )


def _kind_of(model: Any) -> str | None:
    """The kind of tokenizer that a tokenizer.json describes; those of 2019 do not say it."""
    if not isinstance(model, dict):
        return None
    older = {"merges": "BPE", "max_input_chars_per_word": "WordPiece"}
    return model.get("type") or next((kind for key, kind in older.items() if key in model), None)
