"""The model card, README.md of a weights folder: data, command, figures, limits."""

import json
from pathlib import Path
from typing import Any

from aigc_demo.weights import replace_file

MNIST = "MNIST (Y. LeCun, C. Cortes, C. Burges), 60,000 training digits"
ABOUT: dict[str, tuple[str, str, str]] = {  # name -> what it is, data, limits
    "judge": (
        "A small convolutional classifier of 28x28 digits: the ruler for generated digits.",
        MNIST,
        "It knows digits only and will call any drawing one of them.",
    ),
    "gan": (
        "A class-conditional convolutional GAN that draws 28x28 digits; generator and "
        "discriminator.",
        MNIST,
        "Now and then a digit is malformed. It draws nothing but single digits.",
    ),
    "vae-2d": (
        "A variational autoencoder of 28x28 digits with two latent dimensions and a standard "
        "normal prior.",
        MNIST,
        "Two numbers cannot hold every detail: pictures are blurry, and 4 and 9, or 3, 5 and 8, "
        "overlap on the map.",
    ),
    "shakespeare": (
        "A character Transformer that continues English plays.",
        "Tiny Shakespeare (github.com/karpathy/char-rnn), the first 90 %; public domain",
        "It imitates form, not meaning: what it writes can be nonsense.",
    ),
    "poems": (
        "A character Transformer that writes Chinese quatrains (五绝, 七绝) in traditional "
        "characters, given form and title.",
        "Tang and Song verse, github.com/chinese-poetry/chinese-poetry (MIT); one poem in twenty "
        "held out",
        "It knows the characters that are frequent in its corpus only. It does not always rhyme, "
        "and a poem may make no sense.",
    ),
}


def write_card(folder: Path, name: str, preset: str, figures: dict[str, Any]) -> None:
    """Writes README.md from the history of the training and the figures of `evaluate`."""
    about, data, limits = ABOUT[name]
    curves = json.loads((folder / "history.json").read_text(encoding="utf-8"))["curves"]
    minutes = curves[-1]["seconds"] / 60
    lines = "\n".join(
        f"| {key.replace('_', ' ')} | {_number(value)} |"
        for key, value in figures.items()
        if key not in ("name", "sha256", "full")
    )
    hardware = " on a CPU" if preset == "cpu" else ""
    full = " --full" if figures.get("full") else ""
    text = f"""---
license: apache-2.0
library_name: aigc-demo
tags: [{name}, education]
---

# {name}

{about}

- **Data:** {data}.
- **Made by:** `python -m aigc_demo train {name} --preset {preset}`, {minutes:.0f} minutes of
  training{hardware}.
- **Weights:** SHA-256 `{figures["sha256"]}`.
- **Limits:** {limits}

## Figures

Scored on the stored file by `python -m aigc_demo evaluate {name}{full} --json`.

| figure | value |
| --- | --- |
{lines}
"""
    replace_file(folder / "README.md", text.encode())


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
