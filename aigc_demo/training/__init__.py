"""One readable training loop per model; `train` picks the one that a name stands for."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aigc_demo.data.poems import Poem, common_characters, fit_to, read_poems
from aigc_demo.data.shakespeare import split_text
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.names import (
    BROKEN,
    FLOWS,
    GANS,
    JUDGE,
    MINUTE,
    ON_SAMPLES,
    PRESETS,
    SIZES,
    TRAINED,
    UNMASKS,
    VAES,
    WRITERS,
)
from aigc_demo.prosody import FORMS, lines_of, plan_of
from aigc_demo.samples import sample_digits, sample_text
from aigc_demo.tokenizer import COVERED, CharacterTokenizer, poem_ids
from aigc_demo.training.log import tracked
from aigc_demo.training.processes import first_process, leave_processes
from aigc_demo.training.run import MOMENTS
from aigc_demo.weights import check_about, describe

OPENING, EXAMPLES = 40, 2  # characters of a prompt from own text; the number of further ones
DIGITS = "0123456789"
WINDOWS, POEMS = 200, 2_000  # of the training text, that the table of neurons is measured on


@dataclass(frozen=True)
class Own:
    """A user's own data in place of the corpus."""

    images: Path | None = None  # a folder of pictures, or of folders of them, one a class
    text: tuple[Path, ...] = ()  # files
    encoding: str = ""  # of these; by default found out

    def __post_init__(self) -> None:
        if self.images and self.text:
            raise ValueError("expected pictures or text files, got both")


def train(
    name: str,
    preset: str,
    data: Path | None,
    output: Path,
    own: Own = Own(),
    tracker: str = "",
    minutes: float = 0.0,
    snapshots: int = 0,
) -> None:
    """Trains one model into a weights folder, or goes on where it was stopped.

    The presets smoke, small and medium read the bundled samples unless a data folder is named.

    Args:
        own: pictures for gan, gan-mlp, VAEs and flow, text for shakespeare.
        tracker: "trackio" mirrors the log there, if it is installed.
        minutes: how long to train, with the presets small and medium; 0: as long as they say.
        snapshots: of the weights at so many moments, a weights folder each, in snapshots/.

    Raises:
        ValueError: an unknown name, preset or tracker, data that is missing or damaged or of no
            use to this model, or a folder that holds another training.
    """
    if name not in TRAINED:
        raise ValueError(f"expected one of {', '.join(TRAINED)}, got {name!r}")
    known = (*PRESETS, *SIZES) if name in MINUTE else PRESETS
    if preset not in known:
        raise ValueError(f"expected one of {', '.join(known)} for {name}, got {preset!r}")
    if not 0 <= minutes < math.inf:
        raise ValueError(f"expected minutes of at least 0, got {minutes}")
    if minutes and preset not in SIZES:  # the others' phases are counted in steps
        raise ValueError(f"expected minutes with {' or '.join(SIZES)}, got {preset}")
    if not 0 <= snapshots <= MOMENTS or snapshots == 1:
        raise ValueError(f"expected from 2 to {MOMENTS} snapshots, or none, got {snapshots}")
    if snapshots and name == JUDGE:
        raise ValueError(f"expected no snapshots of {JUDGE}, which nobody looks at while it learns")
    if own.images and name not in (*GANS, *VAES, *FLOWS):
        drawing = ", ".join((*GANS, *VAES, *FLOWS))
        raise ValueError(f"expected one of {drawing} to learn from own pictures, got {name}")
    if own.text and name != "shakespeare":
        raise ValueError(f"expected shakespeare to learn from own text, got {name}")
    source = Source(data is None and preset in ON_SAMPLES, data, own, 60 * minutes, snapshots)
    with tracked(tracker, name, output):
        if name in UNMASKS:
            _train_unmask(name, preset, source, output)
        elif name in WRITERS or BROKEN.get(name) in WRITERS:
            _train_text(name, preset, source, output)
        else:
            _train_digits(name, preset, source, output)
    leave_processes()


@dataclass(frozen=True)
class Source:
    """Where a training reads."""

    small: bool  # the bundled samples
    data: Path | None  # the folder with the corpora
    own: Own
    seconds: float  # of training at most; 0: as the recipe has it
    snapshots: int

    def settled(self, recipe: Any) -> Any:
        """A recipe with this limit, and these snapshots."""
        recipe = replace(recipe, snapshots=self.snapshots)
        return replace(recipe, seconds=self.seconds) if self.seconds else recipe


def _train_digits(name: str, preset: str, source: Source, output: Path) -> None:
    from aigc_demo.training import flow, gan, gan_mlp, judge, vae

    images, labels, names = _read_images(source)
    if name == "judge":
        judge.train(output, judge.RECIPES[preset], images, labels)
    elif name in gan.RECIPES:
        recipe = gan.RECIPES[name][preset]
        if source.own.images:
            recipe = replace(recipe, model=replace(recipe.model, classes=int(labels.max()) + 1))
        gan.train(output, source.settled(recipe), images, labels, name)
    elif name in FLOWS:
        rule = flow.RECIPES[preset]
        rule = replace(rule, model=replace(rule.model, classes=len(names)))
        flow.train(output, source.settled(rule), images, labels, name)
    elif name in gan_mlp.RECIPES:
        gan_mlp.train(output, source.settled(gan_mlp.RECIPES[name][preset]), images, name)
    else:
        vae.train(name, output, source.settled(vae.RECIPES[name][preset]), images)
    if source.own.images and first_process():
        named = name not in ("gan-mlp", *VAES) and names != [""]  # there may have been no folders
        are_digits = names == list(DIGITS)[: len(names)] and _look_like(images, labels)
        own: dict[str, Any] = {"class_names": names} if named else {"digits": are_digits}
        describe(output, **own, **({"digits": are_digits} if named and names[0] == "0" else {}))


def _look_like(images: Tensor, labels: Tensor) -> bool:
    """True if the judge reads pictures as their labels far oftener than chance would."""
    some = torch.linspace(0, len(images) - 1, min(500, len(images))).long()
    read = DigitJudge.load(JUDGE, "cpu").classify(images[some]).argmax(1)
    return bool((read == labels[some]).float().mean() > 0.5)


def _read_images(source: Source) -> tuple[Tensor, Tensor, list[str]]:
    """Images (N, 28, 28) in [0, 1], labels (N,) and the names of their classes."""
    digits = list(DIGITS)
    if source.own.images:
        from aigc_demo.data.own import read_pictures

        images, labels, names = read_pictures(source.own.images)
        check_about({"class_names": names}, source.own.images)  # now, not after the training
        return images, labels, names
    if source.small:
        return *sample_digits("train"), digits
    from aigc_demo.data.files import data_folder
    from aigc_demo.data.mnist import read_mnist

    return *read_mnist(data_folder(source.data), train=True), digits


def _train_text(name: str, preset: str, source: Source, output: Path) -> None:
    from aigc_demo.training import overlap
    from aigc_demo.training import transformer as loop
    from aigc_demo.training.neurons import write_neurons
    from aigc_demo.training.steps import fingerprint

    recipe = source.settled(loop.RECIPES[name][preset])
    if name != "poems":
        text = _read_text(source, recipe.model.context)
        tokenizer = CharacterTokenizer("".join(sorted(set(text))))
        kept = text if source.own.text else split_text(text)[0]
        kept = kept[: loop.PAGES] if recipe.fault == "parrot" else kept
        batches = loop.text_batches(torch.tensor(tokenizer.encode(kept)), recipe)
        read, look, length = text, loop.look_at_play, recipe.model.context
        gram, known, places = overlap.PLAY, kept, overlap.places_of_play(kept)
        texts = _spaced(tokenizer.encode(kept), recipe.model.context)
    else:
        poems, characters = _read_poems(source)
        tokenizer = loop.poem_tokenizer(characters)
        trained = [poem for poem in poems if not poem.held_out]
        rows = [(poem.form, poem.title, poem.text) for poem in trained]
        batches = loop.poem_batches(rows, tokenizer, recipe)
        read, look = json.dumps(rows), loop.look_at_verse
        length = sum(len(title) + len(text) + 4 for _, title, text in rows) // len(rows)
        gram, (known, places) = overlap.VERSE, overlap.verses_with_places(trained)
        some = trained[:: max(1, len(trained) // POEMS)][:POEMS]
        texts = [
            poem_ids(tokenizer, p.form, p.title, plan_of(lines_of(p.text)), p.text) for p in some
        ]
    recipe = replace(recipe, model=replace(recipe.model, vocabulary_size=len(tokenizer)))
    tokens = recipe.batch * length
    loop.train(name, output, recipe, tokenizer, fingerprint(read), batches, look, tokens)
    if first_process() and source.own.text:
        describe(output, opening=_opening(read), examples=_examples(read))
    # Own text is not written down beside the weights.
    if first_process() and not source.own.text and not recipe.fault and preset not in SIZES:
        write_neurons(output, texts)
        overlap.write_overlap(output, known, places, gram)


def _train_unmask(name: str, preset: str, source: Source, output: Path) -> None:
    from aigc_demo.training import unmask
    from aigc_demo.training.steps import fingerprint

    recipe = source.settled(unmask.RECIPES[preset])
    text = _read_text(source, recipe.model.context)
    tokenizer = CharacterTokenizer("".join(sorted(set(text))), [COVERED])
    recipe = replace(recipe, model=replace(recipe.model, vocabulary_size=len(tokenizer)))
    ids = torch.tensor(tokenizer.encode(split_text(text)[0]))
    unmask.train(name, output, recipe, tokenizer, fingerprint(text), ids)


def _opening(text: str) -> str:
    """The beginning of a text, to open with: its first line, or the first words of a long one."""
    line = next(line.strip() for line in text.splitlines() if line.strip())
    if len(line) <= OPENING:
        return line + "\n"
    return line[:OPENING].rpartition(" ")[0] or line[:OPENING]


def _examples(text: str) -> list[str]:
    """The beginnings of lines further on in a text, each once, none of them its opening."""
    places = (len(text) * part // (EXAMPLES + 1) for part in range(1, EXAMPLES + 1))
    rests = [text[place:].partition("\n")[2] for place in places]
    found = dict.fromkeys(_opening(rest) for rest in rests if rest.strip())
    return [example for example in found if example != _opening(text)]


def _spaced(ids: list[int], length: int) -> list[list[int]]:
    """At most WINDOWS pieces of so many tokens, evenly spaced."""
    step = max(length, len(ids) // WINDOWS)
    return [ids[start : start + length] for start in range(0, len(ids) - length + 1, step)]


def _read_text(source: Source, context: int) -> str:
    """The text to learn from; of the corpus only the first 90 % are trained on."""
    if source.own.text:
        from aigc_demo.data.own import read_texts

        return read_texts(source.own.text, 2 * context, source.own.encoding)
    if source.small:
        return sample_text("shakespeare.txt")
    from aigc_demo.data.files import data_folder
    from aigc_demo.data.shakespeare import read_shakespeare

    return read_shakespeare(data_folder(source.data))


def _read_poems(source: Source) -> tuple[list[Poem], str]:
    """Poems written in their common characters, and these."""
    if source.small:
        poems = [Poem(**row) for row in json.loads(sample_text("poems.json"))]
        characters = common_characters(poems, rarest=1)
    else:
        from aigc_demo.data.files import data_folder

        poems = read_poems(data_folder(source.data), tuple(FORMS))
        characters = common_characters(poems)
    return fit_to(poems, characters), characters
