"""Load, then generate: tensors or text out, every input checked; knows no page and no data set."""

from pathlib import Path

from aigc_demo.devices import choose_device, multiplies_bfloat16
from aigc_demo.weights import digest_of, find_folder


def weights_hash(source: str | Path) -> str:
    """SHA-256 of the weights of a bundled name, a folder or owner/repo@revision.

    Raises:
        ValueError: unknown, or its config.json is damaged.
    """
    return digest_of(find_folder(source))


def text_mode(verse: bool = False) -> str:
    """The numbers that writers multiply here, and the version of what else a text depends on.

    2: the random numbers they draw by; 4, of verse alone: the rules that it is held to, and how
    much its title counts.
    """
    version = 4 if verse else 2
    device = choose_device()
    if device.type == "cpu":
        return f"int8-{version}"
    return f"{'bfloat16' if multiplies_bfloat16(device) else 'float32'}-{version}"
