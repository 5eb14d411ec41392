"""Load, then generate: tensors or text out, every input checked; knows no page and no data set."""

from pathlib import Path

from aigc_demo.weights import (
    bundled_names,
    choose_device,
    default_revision,
    digest_of,
    family_of,
    find_folder,
    multiplies_bfloat16,
    name_of,
    sample_digits,
    sample_index,
)

__all__ = [
    "bundled_names",
    "default_revision",
    "family_of",
    "name_of",
    "sample_digits",
    "sample_index",
    "text_mode",
    "weights_hash",
]


def weights_hash(source: str | Path) -> str:
    """SHA-256 of the weights of a bundled name, a folder or owner/repo@revision.

    Raises:
        ValueError: unknown, or its config.json is damaged.
    """
    return digest_of(find_folder(source))


def text_mode() -> str:
    """The numbers that writers multiply here, and the version of the random numbers they draw by;
    digits are always made in float32.
    """
    device = choose_device()
    if device.type == "cpu":
        return "int8-2"
    return "bfloat16-2" if multiplies_bfloat16(device) else "float32-2"
