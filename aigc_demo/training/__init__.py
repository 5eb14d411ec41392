"""One readable training loop per model; `train` picks the one that a name stands for."""

import json
from pathlib import Path

import torch

from aigc_demo.weights import sample_digits, sample_text

NAMES = ("judge", "gan", "vae-2d", "shakespeare", "poems")
PRESETS = ("smoke", "cpu", "gpu")


def train(name: str, preset: str, data: Path | None, output: Path) -> None:
    """Trains one model into a weights folder, or goes on where it was stopped.

    The smoke preset reads the bundled samples unless a data folder is named.

    Raises:
        ValueError: an unknown name or preset, data that is missing or damaged, or a folder that
            holds another training.
    """
    if name not in NAMES:
        raise ValueError(f"expected one of {', '.join(NAMES)}, got {name!r}")
    if preset not in PRESETS:
        raise ValueError(f"expected one of {', '.join(PRESETS)}, got {preset!r}")
    small = preset == "smoke" and data is None
    if name in ("shakespeare", "poems"):
        _train_text(name, preset, data, output, small)
    else:
        _train_digits(name, preset, data, output, small)


def _train_digits(name: str, preset: str, data: Path | None, output: Path, small: bool) -> None:
    from aigc_demo.training import gan, judge, vae

    if small:
        images, labels = sample_digits("train")
    else:
        from aigc_demo.data.files import data_folder
        from aigc_demo.data.mnist import read_mnist

        images, labels = read_mnist(data_folder(data), train=True)
    if name == "judge":
        judge.train(output, judge.RECIPES[preset], images, labels)
    elif name == "gan":
        gan.train(output, gan.RECIPES[preset], images, labels)
    else:
        vae.train(name, output, vae.RECIPES[preset], images)


def _train_text(name: str, preset: str, data: Path | None, output: Path, small: bool) -> None:
    from dataclasses import replace

    from aigc_demo.data import poems as corpus
    from aigc_demo.data.files import data_folder
    from aigc_demo.data.shakespeare import read_shakespeare, split_text
    from aigc_demo.tokenizer import CharacterTokenizer
    from aigc_demo.training import transformer as loop
    from aigc_demo.training.run import fingerprint

    recipe = loop.RECIPES[name][preset]
    if name == "shakespeare":
        text = sample_text("shakespeare.txt") if small else read_shakespeare(data_folder(data))
        tokenizer = CharacterTokenizer("".join(sorted(set(text))))
        ids = torch.tensor(tokenizer.encode(split_text(text)[0]))
        read = text
        batches, look = loop.text_batches(ids, recipe), loop.look_at_play
        length = recipe.model.context
    else:
        if small:
            poems = [corpus.Poem(**row) for row in json.loads(sample_text("poems.json"))]
            characters = corpus.common_characters(poems, rarest=1)
        else:
            poems = corpus.read_poems(data_folder(data), loop.POEM_FORMS)
            characters = corpus.common_characters(poems)
        tokenizer = loop.poem_tokenizer(characters)
        kept = [poem for poem in corpus.fit_to(poems, characters) if not poem.held_out]
        rows = [(poem.form, poem.title, poem.text) for poem in kept]
        read = json.dumps(rows)
        batches, look = loop.poem_batches(rows, tokenizer, recipe), loop.look_at_verse
        length = sum(len(title) + len(text) + 2 for _, title, text in rows) // len(rows)
    recipe = replace(recipe, model=replace(recipe.model, vocabulary_size=len(tokenizer)))
    tokens = recipe.batch * length
    loop.train(name, output, recipe, tokenizer, fingerprint(read), batches, look, tokens)
