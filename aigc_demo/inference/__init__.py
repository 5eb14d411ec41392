"""Load, then generate: tensors or text out, every input checked; knows no page and no data set."""

from pathlib import Path

from aigc_demo.weights import bundled_names, name_of, sample_digits, sample_index

__all__ = ["bundled_names", "folder_name", "sample_digits", "sample_index"]


def folder_name(folder: Path) -> str:
    """The name that a weights folder gives its model.

    Raises:
        ValueError: no sound config.json there.
    """
    return name_of(folder)
