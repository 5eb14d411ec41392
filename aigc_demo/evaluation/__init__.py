"""The figures that the model cards state; `evaluate` gives those of one weights folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aigc_demo.weights import find_folder, is_foreign, load_model, read_config

Figures = dict[str, Any]


def evaluate(
    source: str | Path, data: Path | None = None, full: bool = False, digits: int | None = None
) -> Figures:
    """The figures of a bundled name, a folder or owner/repo@revision, scored on its stored file.

    Args:
        data: the folder with the corpora, as for training.
        full: the whole protocol of the model card, instead of about a minute of it.
        digits: of a VAE's full protocol, score only so many test digits by many samples.

    Raises:
        ValueError: an unknown source, damaged weights, or data that is missing or damaged.
    """
    folder = find_folder(source)
    if is_foreign(folder):
        raise ValueError(
            f"expected weights that this project trained, got {source}, a GPT-2 checkpoint: "
            "what it was trained on is not held out here"
        )
    family = read_config(folder)["family"]
    loaded = load_model(source, family)
    score: Callable[..., Figures]
    if family == "judge":
        from aigc_demo.evaluation.judge import score
    elif family in ("gan", "gan-mlp"):
        from aigc_demo.evaluation.gan import score
    elif family == "vae":
        from aigc_demo.evaluation.vae import score
    elif family == "flow":
        from aigc_demo.evaluation.flow import score
    elif family == "unmask":
        from aigc_demo.evaluation.unmask import score
    else:
        from aigc_demo.evaluation.transformer import score
    if digits is not None and (family != "vae" or not 1 <= digits <= 10_000):
        raise ValueError(f"expected 1 to 10000 digits, of a VAE, got {digits} of {loaded.name}")
    figures = score(loaded, data, full, *([digits] if digits else []))
    return {"name": loaded.name, "sha256": loaded.digest, "full": full, **figures}
