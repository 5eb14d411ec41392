"""The models of the page, loaded when first needed and then shared by all visitors."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from aigc_demo.explain.duel import Snapshot
from aigc_demo.explain.heads import Habit, habits
from aigc_demo.explain.neighbours import TrainingIndex
from aigc_demo.explain.neurons import NeuronTable
from aigc_demo.explain.overlap import Overlaps
from aigc_demo.explain.vae import Tradeoff, tradeoff
from aigc_demo.inference import bundled_names, name_of, sample_digits, weights_hash
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.inference.transformer import TextWriter, to_simplified
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.ui.check import Complaint

GANS, VAES = ("gan", "gan-mlp"), ("vae-2d", "vae")
WRITERS = ("shakespeare", "poems")
BETAS = {"vae-beta-0": 0, "vae-beta-1": 1, "vae-beta-10": 10}  # name -> weight of the KL term
ENCODED = 600  # test digits whose posteriors are kept


class Models:
    """Wrappers by name. Other weights folders take the place of bundled ones of the same name."""

    def __init__(self, weights: Path | None = None) -> None:
        self.folders: dict[str, Path] = {}
        self._loaded: dict[str, Any] = {}
        self._lock = threading.RLock()
        if weights is not None:
            self._add(weights)

    def _add(self, weights: Path) -> None:
        """A weights folder, or a folder of them.

        Raises:
            ValueError: it is neither.
        """
        places = [path.parent for path in sorted(weights.glob("*/config.json"))]
        if (weights / "config.json").is_file():
            places = [weights]
        if not places:
            raise ValueError(
                f"expected a weights folder, or a folder of them, got {str(weights)!r}"
            )
        for place in places:
            self.folders[name_of(place)] = place

    def get(self, name: str, load: Callable[[str | Path], Any]) -> Any:
        """The wrapper of one model.

        Raises:
            Complaint: its weights cannot be loaded; the reason goes to the server's log.
        """
        with self._lock:
            if name not in self._loaded:
                try:
                    self._loaded[name] = load(self.folders.get(name, name))
                except (ValueError, OSError) as error:
                    print(f"error: {name}: {error}", file=sys.stderr)
                    raise Complaint("error.weights", model=name) from error
            return self._loaded[name]

    def hash(self, name: str) -> str:
        """SHA-256 of a model's weights."""
        return self.get(f"{name} hash", lambda _: weights_hash(self.folders.get(name, name)))

    def gan(self, name: str = "gan") -> DigitSampler:
        """gan or gan-mlp."""
        return self.get(name, DigitSampler.load)

    @property
    def snapshot(self) -> Snapshot:
        """Where a visitor's own training starts."""
        return self.get("gan-small", Snapshot.load)

    def vae(self, name: str = "vae-2d") -> LatentWalker:
        """vae-2d or vae."""
        return self.get(name, LatentWalker.load)

    def encoded(self, name: str) -> tuple[Tensor, Tensor]:
        """Where a VAE's encoder puts the first test digits: mean and deviation, (ENCODED, D)."""
        walker = self.vae(name)
        images = sample_digits("test")[0][:ENCODED]
        return self.get(f"{name} encoded", lambda _: walker.encode(images))

    def tradeoff(self, name: str) -> Tradeoff:
        """Rate and distortion of a VAE on the first test digits."""
        images = sample_digits("test")[0][:ENCODED]
        return self.get(f"{name} tradeoff", lambda _: tradeoff(self.vae(name), images))

    @property
    def judge(self) -> DigitJudge:
        return self.get("judge", DigitJudge.load)

    @property
    def index(self) -> TrainingIndex:
        """The index of the training digits."""
        return self.get("index", lambda _: TrainingIndex())

    def writer(self, name: str) -> TextWriter:
        """The writer of shakespeare or poems."""
        return self.get(name, TextWriter.load)

    def writing(self) -> tuple[int, int]:
        """How many texts are written now, and how many wait for a place."""
        writers = [self._loaded[name] for name in WRITERS if name in self._loaded]
        loops = [loop for writer in writers for loop in writer.engine.loops]
        return sum(len(one.writing) for one in loops), sum(len(one.waiting) for one in loops)

    def warm(self) -> None:
        """Loads the writers before someone asks for them; a damaged one is complained of later."""
        for name in self.known_of(WRITERS):
            with suppress(Complaint):
                self.writer(name).put_away()  # makes its engine, which is all that writing needs
        to_simplified("詩")  # reads its dictionaries

    def neurons(self, name: str) -> NeuronTable | None:
        """What makes each neuron of a writer fire, if its weights say so."""
        return self.get(f"{name} neurons", lambda _: NeuronTable.load(self.folders.get(name, name)))

    def overlaps(self, name: str) -> Overlaps | None:
        """The index of a writer's training text, if its weights hold one."""
        return self.get(f"{name} overlaps", lambda _: Overlaps.load(self.folders.get(name, name)))

    def habits(self, name: str) -> list[list[Habit]]:
        """What each head of a writer looks at, by layer."""
        return self.get(f"{name} habits", lambda _: habits(self.writer(name)))

    def known(self, name: Any, names: tuple[str, ...]) -> str:
        """A model name that a client may use.

        Raises:
            Complaint: another one.
        """
        allowed = self.known_of(names)
        if not isinstance(name, str) or name not in allowed:
            raise Complaint("error.choice", name="model", allowed=", ".join(allowed))
        return name

    def known_of(self, names: tuple[str, ...]) -> list[str]:
        """Those of some models that are here."""
        return [name for name in names if name in bundled_names() or name in self.folders]
