"""The figures that the model cards state; `evaluate` gives those of one weights folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aigc_demo.weights import find_folder, load_model, read_config

Figures = dict[str, Any]


def evaluate(source: str | Path, data: Path | None = None, full: bool = False) -> Figures:
    """The figures of a bundled name, a folder or owner/repo@revision, scored on its stored file.

    Args:
        data: the folder with the corpora, as for training.
        full: the whole protocol of the model card, instead of about a minute of it.

    Raises:
        ValueError: an unknown source, damaged weights, or data that is missing or damaged.
    """
    family = read_config(find_folder(source))["family"]
    loaded = load_model(source, family)
    score: Callable[..., Figures]
    if family == "judge":
        from aigc_demo.evaluation.judge import score
    elif family == "gan":
        from aigc_demo.evaluation.gan import score
    elif family == "vae":
        from aigc_demo.evaluation.vae import score
    else:
        from aigc_demo.evaluation.transformer import score
    figures = score(loaded, data, full)
    return {"name": loaded.name, "sha256": loaded.digest, "full": full, **figures}
