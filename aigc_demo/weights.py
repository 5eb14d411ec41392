"""A weights folder and the model in it: saving, and strict loading.

A folder holds config.json (format, name, family, the frozen config, the tokenizer's characters,
the weights' SHA-256), model.safetensors, README.md (the model card) and history.json. A folder with
somebody's GPT-2 checkpoint is read too: checkpoints/ says what it holds.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from aigc_demo.checkpoints import gpt2
from aigc_demo.devices import choose_device
from aigc_demo.models.flow import Flow, FlowConfig
from aigc_demo.models.gan import GAN, GANConfig
from aigc_demo.models.gan_mlp import MLPGAN, MLPGANConfig
from aigc_demo.models.gpt2 import GPT2
from aigc_demo.models.judge import Judge, JudgeConfig
from aigc_demo.models.transformer import Transformer, TransformerConfig
from aigc_demo.models.unmask import Unmask, UnmaskConfig
from aigc_demo.models.vae import VAE, VAEConfig
from aigc_demo.tokenizer import COVERED, CharacterTokenizer, Tokenizer

FORMAT = 1
SNAPSHOTS = "snapshots"  # in a weights folder: those of moments of its training, by step
FLOATS = (torch.float32, torch.float16, torch.bfloat16)  # in which weights may be stored
BUNDLED = Path(__file__).resolve().parent.parent / "weights"
FAMILIES: dict[str, tuple[type[nn.Module], type]] = {
    "gan": (GAN, GANConfig),
    "gan-mlp": (MLPGAN, MLPGANConfig),
    "vae": (VAE, VAEConfig),
    "flow": (Flow, FlowConfig),
    "transformer": (Transformer, TransformerConfig),
    "unmask": (Unmask, UnmaskConfig),
    "judge": (Judge, JudgeConfig),
}

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")  # of batch normalisation


def _short(text: Any) -> bool:
    """At most 200 characters that UTF-8 can hold: a file's name need not be of such."""
    return (
        isinstance(text, str) and len(text) <= 200 and text == text.encode(errors="ignore").decode()
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(map(_short, value))


ABOUT: dict[str, tuple[str, Callable[[Any], bool]]] = {  # keys of what its own data say of a model
    "opening": ("a text of at most 200 characters", _short),
    "examples": ("at most 100 such texts", _texts),
    "class_names": ("at most 100 texts of at most 200 characters", _texts),
    "digits": ("true or false", lambda value: isinstance(value, bool)),
}


@dataclass(frozen=True)
class Loaded:
    """A model ready for use, with what its folder says of it."""

    name: str
    family: str
    model: Any  # one of FAMILIES or a GPT2, in eval mode, on its device
    tokenizer: Tokenizer | None
    device: torch.device
    digest: str  # SHA-256 of model.safetensors
    opening: str = ""  # a prompt from the text that it learnt, where the training kept one
    examples: tuple[str, ...] = ()  # further prompts from there
    class_names: tuple[str, ...] = ()  # of the classes, where they are not the ten digits
    digits: bool = True  # False of a model without classes that learnt something else


def bundled_names(root: Path | None = None) -> list[str]:
    """The names of the weights folders under a root, by default the bundled ones."""
    return sorted(path.parent.name for path in (root or BUNDLED).glob("*/config.json"))


def find_folder(source: str | Path) -> Path:
    """The folder that a source means: a bundled name, a folder, or owner/repo@revision.

    Raises:
        ValueError: it is none of these.
        HubUnavailable: a repository that cannot be fetched.
    """
    text = str(source)
    if text.strip() in bundled_names():
        return BUNDLED / text.strip()
    if text and os.path.isdir(text):  # False for a text that can be no path
        return Path(text)
    if text:
        from aigc_demo.hub.names import named

        text = named(text)
    repo, _, revision = text.partition("@")
    if repo.count("/") == 1 and all(repo.split("/")) and not repo.startswith((".", "~")):
        from aigc_demo.hub import fetch_folder  # only when the Hub is meant

        return fetch_folder(repo, revision or default_revision(repo))
    raise ValueError(
        f"expected one of {', '.join(bundled_names())}, a folder or owner/repo@revision, "
        f"got {text!r}"
    )


def default_revision(repo: str) -> str:
    """The branch of a repository that has weights, where none is named."""
    return gpt2.REVISIONS.get(repo, "main")


def save_model(
    folder: Path,
    name: str,
    family: str,
    model: nn.Module,
    tokenizer: CharacterTokenizer | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Writes config.json and model.safetensors; floating tensors are stored in the given type."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        key: tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype)
        for key, tensor in model.state_dict().items()
    }
    data = save({key: tensor.contiguous() for key, tensor in state.items()})
    config: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "family": family,
        "sha256": hashlib.sha256(data).hexdigest(),
        "model": asdict(model.config),  # type: ignore[call-overload]
    }
    if tokenizer is not None:
        config["controls"] = list(tokenizer.controls)
        config["characters"] = tokenizer.characters
    replace_file(folder / "model.safetensors", data)
    text = json.dumps(config, ensure_ascii=False, indent=1) + "\n"
    replace_file(folder / "config.json", text.encode())


def check_about(config: dict[str, Any], place: Path) -> None:
    """Looks at the values of ABOUT's keys, if any.

    Raises:
        ValueError: one is of another form; place: what the message names.
    """
    for key, (form, fits) in ABOUT.items():
        if key in config and not fits(config[key]):
            raise ValueError(f"{place}: expected {key} as {form}")


def describe(folder: Path, **about: Any) -> None:
    """Adds to config.json what its own data say of a model, by the keys of ABOUT.

    Raises:
        ValueError: a value of another form; nothing is written then.
    """
    check_about(about, folder / "config.json")
    config = {**read_config(folder), **about}
    text = json.dumps(config, ensure_ascii=False, indent=1) + "\n"
    replace_file(folder / "config.json", text.encode())


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file so that, whatever happens, the old or the new one is there, whole."""
    part = path.with_name(path.name + ".tmp")
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def load_model(
    source: str | Path, family: str | tuple[str, ...], device: str | None = None
) -> Loaded:
    """The model of a bundled name, a folder or a repository, checked in every respect.

    family: the one expected, or those of which one is.

    Raises:
        ValueError: an unknown source, another family, or a damaged folder; it says which.
    """
    folder, place = find_folder(source), choose_device(device)
    found, families = family_of(folder), (family,) if isinstance(family, str) else family
    if found not in families:
        raise ValueError(
            f"expected a model of family {' or '.join(families)}, got {source} ({found})"
        )
    if gpt2.is_gpt2(folder):
        return _load_gpt2(name_of(source), folder, place)
    config = read_config(folder)
    path = folder / "model.safetensors"
    if not path.is_file():
        raise ValueError(f"{folder}: expected model.safetensors, got no such file")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != config["sha256"]:
        raise ValueError(f"{path}: expected SHA-256 {config['sha256']}, got {digest}")
    try:
        state = parse_safetensors(data)
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a safetensors file, got {error}") from error
    tokenizer = _tokenizer(folder, config)
    model = _build(folder, config)
    _fill(model, state, path)
    about = {key: config[key] for key in ABOUT if key in config}
    if (names := config.get("class_names")) and len(names) != getattr(model.config, "classes", 0):
        raise ValueError(f"{folder}: expected a name a class, got {len(names)} names")
    about |= {key: tuple(value) for key, value in about.items() if isinstance(value, list)}
    return Loaded(config["name"], found, model.eval().to(place), tokenizer, place, digest, **about)


def check_folder(folder: Path) -> None:
    """Loads a folder and lets it go; of a GPT-2, which may be large, all but the tensors.

    Raises:
        ValueError: it is damaged.
    """
    if gpt2.is_gpt2(folder):
        gpt2.tokenizer_of(folder, gpt2.config_of(folder))
    else:
        load_model(folder, family_of(folder), "cpu")


def _load_gpt2(name: str, folder: Path, place: torch.device) -> Loaded:
    config = gpt2.config_of(folder)
    tokenizer = gpt2.tokenizer_of(folder, config)
    state = gpt2.tensors_of(folder, config)
    model = _empty(GPT2, config)
    _fill(model, state, folder / "model.safetensors")
    digest = digest_of(folder)
    return Loaded(name, "transformer", model.eval().to(place), tokenizer, place, digest)


def digest_of(folder: Path) -> str:
    """SHA-256 of the weights: as config.json says, of a GPT-2 checkpoint by the file itself.

    Raises:
        ValueError: no sound config.json there.
    """
    if not gpt2.is_gpt2(folder):
        return read_config(folder)["sha256"]
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_parameters(folder: Path) -> int:
    """The number of trained numbers in a weights folder, by the head of its file.

    Raises:
        ValueError: no safetensors file there.
    """
    try:
        with safe_open(folder / "model.safetensors", "pt") as file:
            trained = [name for name in file.keys() if not name.endswith(BUFFERS)]  # noqa: SIM118
            return sum(math.prod(file.get_slice(name).get_shape()) for name in trained)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{folder}: expected model.safetensors, got {error}") from error


def is_foreign(folder: Path) -> bool:
    """True if a folder holds a GPT-2 checkpoint of others, and no weights in our format."""
    return gpt2.is_gpt2(folder)


def family_of(folder: Path) -> str:
    """The family of the model in a folder.

    Raises:
        ValueError: no sound config.json there.
    """
    return "transformer" if gpt2.is_gpt2(folder) else read_config(folder)["family"]


def name_of(source: str | Path) -> str:
    """The name of a model: a repository as owner/repo, a folder by what its config.json says, a
    GPT-2 checkpoint's by the folder's own name.

    Raises:
        ValueError: a folder without a sound config.json.
    """
    folder = Path(source)
    if not folder.is_dir():
        return str(source).partition("@")[0]
    return folder.resolve().name if gpt2.is_gpt2(folder) else read_config(folder)["name"]


def read_config(folder: Path) -> dict[str, Any]:
    """The content of config.json, its outer keys and their types checked.

    Raises:
        ValueError: it is missing, no JSON, or lacks something.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{folder}: expected config.json, got no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, got {error}") from error
    expected = {"format": int, "name": str, "family": str, "sha256": str, "model": dict}
    for key, kind in expected.items():
        if not isinstance(config, dict) or not isinstance(config.get(key), kind):
            raise ValueError(f"{path}: expected {key} of type {kind.__name__}")
    unknown = set(config) - set(expected) - {"controls", "characters", *ABOUT}
    if unknown:
        raise ValueError(f"{path}: expected no key {', '.join(sorted(unknown))}")
    check_about(config, path)
    if config["format"] != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {config['format']}")
    if config["family"] not in FAMILIES:
        raise ValueError(f"{path}: expected family in {list(FAMILIES)}, got {config['family']!r}")
    return config


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that training wrote beside the weights; {} if there is none.

    Raises:
        ValueError: it is no file of tensors.
    """
    if not path.is_file():
        return {}
    try:
        return parse_safetensors(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a safetensors file, got {error}") from error


def read_directions(source: str | Path, size: int) -> dict[str, Tensor]:
    """Named steps in the noise of a GAN, (D,) each, from directions.safetensors; {} without one.

    Raises:
        ValueError: the file is damaged, or its steps do not have the size D.
    """
    path = find_folder(source) / "directions.safetensors"
    steps = read_tensors(path)
    for name, step in steps.items():
        if step.shape != (size,) or step.dtype not in FLOATS or not step.isfinite().all():
            raise ValueError(f"{path}: expected {size} finite numbers for {name}")
    return {name: step.float() for name, step in steps.items()}


class _Undrawn(TorchFunctionMode):
    """Leaves out what torch.nn.init would draw."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def _build(folder: Path, config: dict[str, Any]) -> nn.Module:
    kind, config_kind = FAMILIES[config["family"]]
    values = config["model"]
    defaults = {field.name: field.default for field in fields(config_kind)}
    expected = {name: type(default) for name, default in defaults.items()}
    off = {name for name, default in defaults.items() if default == 0}  # may be left out
    if set(values) | off != set(expected):
        raise ValueError(f"{folder}: expected model keys {sorted(expected)}, got {sorted(values)}")
    for key, value in values.items():
        whole = expected[key] is int
        optional = defaults[key] == 0  # the feature is off
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise ValueError(f"{folder}: expected a number for {key}, got {value!r}")
        if not 0 <= value <= 1_000_000 or (whole and value == 0 and not optional):
            raise ValueError(f"{folder}: expected a sensible {key}, got {value!r}")
    try:
        return _empty(kind, config_kind(**values))
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error


def _empty(kind: type[nn.Module], config: Any) -> nn.Module:
    """A model whose tensors a file will bring; torch's meta device would take seconds to import."""
    with torch.random.fork_rng(devices=[]), _Undrawn():
        return kind(config)


def _fill(model: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    expected = model.state_dict()
    missing, unknown = set(expected) - set(state), set(state) - set(expected)
    if missing or unknown:
        raise ValueError(
            f"{path}: missing keys {sorted(missing) or 'none'}, "
            f"unknown keys {sorted(unknown) or 'none'}"
        )
    for key, tensor in state.items():
        if tensor.shape != expected[key].shape:
            raise ValueError(
                f"{path}: {key}: expected shape {tuple(expected[key].shape)}, "
                f"got {tuple(tensor.shape)}"
            )
        if expected[key].is_floating_point():
            if tensor.dtype not in FLOATS:
                raise ValueError(f"{path}: {key}: expected one of {FLOATS}, got {tensor.dtype}")
            if not tensor.isfinite().all():
                raise ValueError(f"{path}: {key}: expected finite numbers, got NaN or infinity")
            state[key] = tensor.float()
    model.load_state_dict(state, strict=True, assign=True)


def _tokenizer(folder: Path, config: dict[str, Any]) -> CharacterTokenizer | None:
    if config["family"] not in ("transformer", "unmask"):
        return None
    characters, controls = config.get("characters"), config.get("controls")
    if (
        not isinstance(characters, str)
        or not isinstance(controls, list)
        or not all(isinstance(control, str) for control in controls)
    ):
        raise ValueError(f"{folder}: expected characters and controls of a tokenizer")
    tokenizer = CharacterTokenizer(characters, controls)
    size = config["model"].get("vocabulary_size")
    if len(tokenizer) != size:
        raise ValueError(f"{folder}: expected {size} tokens, got {len(tokenizer)}")
    if config["family"] == "unmask" and controls != [COVERED]:
        raise ValueError(f"{folder}: expected the control {COVERED} alone, got {controls}")
    return tokenizer
