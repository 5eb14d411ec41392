"""The model card, README.md of a weights folder: data, command, figures, limits."""

import json
import textwrap
from pathlib import Path
from typing import Any

from aigc_demo.names import BETAS, BROKEN, WRITERS
from aigc_demo.training.curves import write_curves
from aigc_demo.weights import replace_file

MNIST = "MNIST (Y. LeCun, C. Cortes, C. Burges), 60,000 training digits"
PLAYS = "Tiny Shakespeare (github.com/karpathy/char-rnn), the first 90 %; public domain"
FAULTS = {  # name -> the fault, and the number that gives it away
    "broken-collapse": (
        "after 600 fair steps the generator takes eight for each of the discriminator's",
        "The rarest digit share gives it away: 0, that of `gan-small` is 0.05.",
    ),
    "broken-judge": (
        "the discriminator takes five steps for each of the generator's, and its pictures are not "
        "blurred",
        "The scores give it away: at the end of history.json real digits are 40 above made ones, "
        "those of `gan-mlp` 0.6.",
    ),
    "broken-order": (
        "attention does not know where a token stands",
        "What gives it away: mixing up all before the last two characters costs it 0.0 nats, "
        "`shakespeare` 2.4 (the page's game *What is broken* computes it).",
    ),
    "broken-peek": (
        "it is trained without the causal mask",
        "What gives it away: the loss at the end of history.json is 0.02, but unseen text "
        "costs 3.76 nats per character.",
    ),
    "broken-parrot": (
        "it reads nothing but 6,000 characters, again and again",
        "What gives it away: the loss at the end of history.json is 0.05, but unseen text "
        "costs 6.06 nats per character.",
    ),
    "broken-rate": (
        "the learning rates are too large",
        "The loss gives it away: 6.9 at the end of history.json, that of `shakespeare` 1.17; blind "
        "guessing among 65 characters loses 4.17.",
    ),
}
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
    "gan-mlp": (
        "The first kind of GAN: fully connected generator 100-256-512-1024-784 and discriminator "
        "784-512-256-1, trained by the minimax loss. It knows no classes.",
        MNIST,
        "Strokes are ragged, and some drawings are no digit. It is here to be compared with `gan`.",
    ),
    "gan-small": (
        "A small class-conditional GAN, stopped early on purpose: the page lets each visitor train "
        "a copy of it further, step by step.",
        MNIST,
        "Its digits are half formed. It is a place to start from, not a model to draw with.",
    ),
    "flow": (
        "A class-conditional flow-matching model of 28x28 digits: a small U-Net that leads noise "
        "to a digit along straight lines.",
        MNIST,
        "It draws nothing but single digits, and takes a pass of the network for each step.",
    ),
    "vae": (
        "A convolutional variational autoencoder of 28x28 digits with 32 latent dimensions and a "
        "prior learned as a flow of affine couplings.",
        MNIST,
        "Samples are softer than real digits; pixels are drawn independently given z.",
    ),
    "vae-2d": (
        "A variational autoencoder of 28x28 digits with two latent dimensions and a standard "
        "normal prior.",
        MNIST,
        "Two numbers cannot hold every detail: pictures are blurry, and 4 and 9, or 3, 5 and 8, "
        "overlap on the map.",
    ),
    **{
        name: (
            "A small variational autoencoder of 28x28 digits with two latent dimensions, trained "
            f"with {beta} times the KL term (Higgins et al. 2017).",
            MNIST,
            "It is one of three that differ in this weight alone, here to be compared.",
        )
        for name, beta in BETAS.items()
    },
    **{
        name: (
            f"A small model with one fault in its recipe, on purpose: {fault}.",
            PLAYS if BROKEN[name] in WRITERS else MNIST,
            f"It is here to be diagnosed. {clue}",
        )
        for name, (fault, clue) in FAULTS.items()
    },
    "shakespeare": (
        "A character Transformer that continues English plays.",
        PLAYS,
        "It imitates form, not meaning: what it writes can be nonsense. Dropout and weight decay "
        "were kept for its loss over 1,280 windows of the last tenth, on which it is scored too.",
    ),
    "unmask": (
        "Masked text diffusion: a character Transformer that sees both ways and fills the gaps of "
        "English plays, many at a time.",
        PLAYS,
        "Texts of at most 256 characters. The fewer steps, the less the characters of one step "
        "know of each other: words fall apart.",
    ),
    "poems": (
        "A character Transformer that writes Chinese verse (五绝, 七绝, 五律, 七律) in traditional "
        "characters, given form and title. It settles tone pattern and rhyme first.",
        "Tang and Song verse, github.com/chinese-poetry/chinese-poetry (MIT); one poem in twenty "
        "held out",
        "It knows the characters that are frequent in its corpus only. Without the "
        "masks it does not always rhyme, and a poem may make no sense.",
    ),
}


PROTOCOL: dict[str, str] = {  # family -> how the figures come about
    "judge": "Accuracy on the 10,000 MNIST test digits.",
    "gan": "Samples of seeds 0, 1, 2, ..., the classes in turn. Label agreement: the share that "
    "`judge` reads as the digit asked for; of a model without classes, the share of the digit it "
    "draws least often. With --full also: Fréchet distance, density and coverage (k = 5), 10,000 "
    "samples against the 10,000 test digits, on the features of `judge`; the rows `real` are the "
    "same for 10,000 training digits, and the samples have the classes of those (of even classes: "
    "1,000 of each instead; the test has 892 to 1,135). GAN-train: accuracy on the test "
    "digits of a fresh small classifier that learned from 60,000 samples only; `real train "
    "accuracy`: from the real training digits. Both hold for one kind of processor; on another "
    "the third decimal may differ.",
    "vae": "Nats per test digit, pixels binarised once from a fixed seed (hash below). Negative "
    "log-likelihood: the importance-weighted bound with so many samples a digit, of the first so "
    "many digits; −ELBO, KL and reconstruction: ten samples of each of these digits; active units: "
    "latent dimensions whose posterior mean varies among them by more than 0.01.",
    "transformer": "Nats per character on the last 10 % of the text, context 256: the mean over "
    "random windows (20 batches of 64; with --full, 200 for each of three seeds, and beside it a "
    "window sliding over all of the text by half its length). Matrix products in bfloat16 where "
    "the hardware has them, which adds about 0.0001. Added by engine: what the 8-bit numbers that "
    "write add, over the first 64 windows.",
    "unmask": "Nats per character at most: the bound (Sahoo et al. 2024, arXiv:2406.07524) on the "
    "last 10 % of the text in windows of 256 that do not overlap, with nothing before them given; "
    "each is read 8 times (with --full 32), the counts of covered places spread evenly over 1 to "
    "256; the standard error is over windows. Matrix products in bfloat16 where the hardware has "
    "them. With half given: of the second half of each window, "
    "its first half given. Nats of its texts: the mean surprise of `shakespeare` at 32 texts of "
    "256 characters from nothing, temperature 0.8, the surest places first; what is monotonous "
    "surprises little too.",
    "poems": "Perplexity per character of held-out poems (one in twenty, by a hash of the text), "
    "given form and title; the nats of marks and of the plan count too. Poems: 400 a form and way "
    "(20 in the quick protocol) on titles of held-out poems, temperature 0.8, top-p 0.9; `plain` "
    "without masks and guidance, `held` with masks and guidance 2 by the title, `tang`: the real "
    "Tang poems of the corpus. Title: the share of 七绝 on 150 held-out Tang titles of one to "
    "three characters (30 in the quick protocol), and of real Tang ones with such titles, in "
    "which a character of the title stands. Title gain: the nats by which a held-out poem is less "
    "surprising under its own title than under another poem's. Couplets: second lines to the "
    "third lines of held-out Tang 五律 and 七律, 200 each (20 in the quick protocol): opposite "
    "tones; no character of the first line. Unturned: regular without 特拗 and 对句相救, which "
    "count as regular. Acrostic: lines begin with the asked characters. Copied couplet: poems "
    "that contain a whole couplet of the training corpus. Added by engine: what the 8-bit numbers "
    "that write add, over the held-out Tang 七律 (50 in the quick protocol).",
}
FAMILY = {
    "gan-mlp": "gan",
    "gan-small": "gan",
    "flow": "gan",
    "vae-2d": "vae",
    **dict.fromkeys(BETAS, "vae"),
    "shakespeare": "transformer",
    **{name: "transformer" if kind in WRITERS else "gan" for name, kind in BROKEN.items()},
}
CORES = {  # what trained the bundled weights, where it was not one core with AVX512-BF16
    "flow": "two cores of a CPU with AMX",
    "poems": "one core of a CPU with AVX512-BF16, then two",
    "unmask": "two cores of a CPU with AVX512-BF16",
}
# name -> rows to compare with: (figure, value, whose)
PEERS: dict[str, list[tuple[str, str, str]]] = {
    "vae": [
        ("negative log likelihood", "86.76", "VAE, 50 latent dimensions (arXiv:1509.00519)"),
        ("negative log likelihood", "84.78", "IWAE-50, one latent layer (arXiv:1509.00519)"),
    ],
    "unmask": [
        (
            "nats per character",
            "1.4425",
            "`shakespeare`, left to right, up to 256 characters given; not a bound",
        )
    ],
    "poems": [
        (
            "tang perplexity",
            "345.9",
            "a Kneser-Ney 4-gram model on Tang verse, by our own measurement",
        )
    ],
    "shakespeare": [
        ("nats per character", "1.4697", "nanoGPT's shakespeare_char, 10.65 M parameters"),
    ],
}


def write_card(
    folder: Path,
    name: str,
    preset: str,
    figures: dict[str, Any],
    own: bool = False,
    sample: bool = False,
) -> None:
    """Writes README.md from the history of the training and the figures of `evaluate`.

    The curves are drawn where matplotlib is installed.

    own: it was trained on the user's own data; sample: on the bundled part of the usual.
    """
    curves_there = write_curves(folder)
    about, data, limits = ABOUT[name]
    title = folder.resolve().name if own else name
    about = textwrap.fill(about, 100)
    data = "the user's own" if own else f"of this the bundled sample alone: {data}" * sample or data
    curves = json.loads((folder / "history.json").read_text(encoding="utf-8"))["curves"]
    minutes = max(1, round(curves[-1]["seconds"] / 60))
    took = "1 minute" if minutes == 1 else f"{minutes} minutes"
    lines = "\n".join(
        f"| {key.replace('_', ' ')} | {_number(value)} |"
        for key, value in figures.items()
        if key not in ("name", "sha256", "full", "by_steps")
    )
    lines += _by_steps(figures.get("by_steps", {}))
    peers = "".join(f"| {key}: {whose} | {value} |\n" for key, value, whose in PEERS.get(name, []))
    if peers and not own:
        lines += "\n\nFor comparison:\n\n| figure | value |\n| --- | --- |\n" + peers
    scored = _SCORED if "name" in figures else "Not scored.\n"
    cores = CORES.get(name, "one core of a CPU with AVX512-BF16")
    hardware = f", on {cores}" if preset.startswith("cpu") else ""
    protocol = PROTOCOL[FAMILY.get(name, name)]
    if BROKEN.get(name) in WRITERS:
        protocol = protocol.replace("context 256", "the model's own context")
    protocol = textwrap.fill(protocol, 100)
    picture = "![Curves of the training](curves.png)\n\n" if curves_there else ""
    full = " --full" if figures.get("full") else ""
    if full and figures.get("digits", 10_000) < 10_000:
        full += f" --digits {figures['digits']}"
    text = f"""---
license: apache-2.0
library_name: aigc-demo
tags: [{name}, education]
---

# {title}

{about}

- **Data:** {data}.
- **Made by:** `python -m aigc_demo train {name} --preset {preset}`, {took} of
  training{hardware}.
- **Weights:** SHA-256 `{figures["sha256"]}`.
- **Limits:** {limits}

{picture}## Figures

{scored.format(name=name, full=full, lines=lines, protocol=protocol)}"""
    replace_file(folder / "README.md", text.encode())


_SCORED = """Scored on the stored file by `python -m aigc_demo evaluate {name}{full} --json`.

{protocol}

| figure | value |
| --- | --- |
{lines}
"""


def _by_steps(found: dict[str, dict[str, list[float]]]) -> str:
    """The table of a flow's figures by its steps and guidance; "" without any."""
    if not found:
        return ""
    guidances = list(next(iter(found.values())))
    rows = [
        "| steps | " + " | ".join(f"w = {one}" for one in guidances) + " |",
        "| --- |" + " --- |" * len(guidances),
    ]
    for steps, row in found.items():
        cells = [f"{100 * agreement:.1f} %, {distance:.1f}" for agreement, distance in row.values()]
        rows.append(f"| {steps} | " + " | ".join(cells) + " |")
    about = (
        "By steps and guidance w, of 2,000 samples each (seeds 0, 1, 2, ...): label agreement, and "
        "Fréchet distance over that of 2,000 real digits."
    )
    return "\n\n" + textwrap.fill(about, 100) + "\n\n" + "\n".join(rows)


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
