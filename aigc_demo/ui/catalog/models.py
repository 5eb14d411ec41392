"""The models of the page, loaded when first needed and then shared by all visitors.

Beside the bundled ones, an LRU cache holds a few that visitors named on the Hub, see hub_models.py.
"""

import re
import sys
import tempfile
import threading
import unicodedata
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from torch import Tensor

from aigc_demo.explain.duel import Snapshot
from aigc_demo.explain.figures import title_and_licence
from aigc_demo.explain.heads import Habit, habits
from aigc_demo.explain.history import History, read_history
from aigc_demo.explain.neighbours import TrainingIndex
from aigc_demo.explain.neurons import NeuronTable
from aigc_demo.explain.overlap import Overlaps
from aigc_demo.explain.vae import Tradeoff, tradeoff
from aigc_demo.inference import weights_hash
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.unmask import GapWriter
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.inference.writing.loop import Engine
from aigc_demo.names import JUDGE, SMALL_GAN, WRITERS
from aigc_demo.samples import sample_digits
from aigc_demo.tokenizer import to_simplified
from aigc_demo.ui.catalog.tab import Tab
from aigc_demo.ui.kit.check import PINNED, UserError
from aigc_demo.ui.kit.memory import return_memory
from aigc_demo.weights import (
    SNAPSHOTS,
    bundled_names,
    check_folder,
    family_of,
    find_folder,
    name_of,
)

ENCODED = 600  # test digits whose posteriors are kept
OWN = "own/"  # before the name of a user's own weights
TRAINED = "mine-"  # and what the names of those that visitors train begin with
MOST_SNAPSHOTS = 12  # of a model's training
MOST_OTHERS = 3  # models from the Hub that are loaded at once
MOST_BYTES = 2_000_000_000  # of the parameters of all these


def name_in_links(folder: str) -> str:
    """A folder's name as links and lists hold it: letters of any language, digits and - _ ."""
    return re.sub(r"[^\w.-]", "-", unicodedata.normalize("NFC", folder))[-60:].strip(".-")


@dataclass
class Other:
    """Weights that are none of the bundled: from the Hub, or a user's own."""

    name: str  # owner/repo@commit; of a user's own own/FOLDER@the hash of the weights
    family: str
    tab: Tab
    digest: str = ""  # SHA-256 of the weights, once they are loaded
    secret: bool = False  # only for whoever knows its name

    @property
    def own(self) -> str:
        """The folder's name of a user's own; "" of what came from the Hub."""
        return self.name[len(OWN) :].partition("@")[0] if self.name.startswith(OWN) else ""


class Models:
    """Wrappers by name: the bundled models, and others beside them."""

    def __init__(
        self, tabs: Sequence[Tab], weights: Path | None = None, replace: bool = False
    ) -> None:
        """tabs: of the page, which say what each can use; weights: a user's own folder, or a folder
        of them, shown beside the bundled; replace: in the place of those of the same name instead.
        """
        self.tabs = {tab.name: tab for tab in tabs}
        self.bundled = bundled_names()
        self.folders: dict[str, Path] = {}
        self.others: dict[str, Other] = {}  # by name; their folders are in `folders` too
        self._loaded: dict[str, Any] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()  # of loaded others, by their last use
        self._lock = threading.RLock()
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        if weights is not None:
            self._add(weights, replace)

    def _add(self, weights: Path, replace: bool) -> None:
        """A weights folder, or a folder or zip of them, of which those that are none are left out.

        Raises:
            ValueError: it is none of these, or all were left out.
        """
        if zipfile.is_zipfile(weights):
            self._unpacked = tempfile.TemporaryDirectory(prefix="aigc-weights-")
            try:
                with zipfile.ZipFile(weights) as archive:
                    archive.extractall(self._unpacked.name)
            except (zipfile.BadZipFile, RuntimeError, OSError) as error:
                raise ValueError(f"{weights}: expected a zip that can be read, {error}") from None
            weights = Path(self._unpacked.name)
        places = [path.parent for path in sorted(weights.glob("*/config.json"))]
        if (weights / "config.json").is_file():
            places = [weights]
        if not places:
            raise ValueError(
                f"expected a weights folder, or a folder or zip of them, got {str(weights)!r}"
            )
        for place in places:
            if replace:
                self.folders[name_of(place)] = place
                continue
            try:
                print(f"{place}: on the page as {self.add_own(place).own!r}")
            except ValueError as error:
                if len(places) == 1:
                    raise
                print(f"left out: {error}", file=sys.stderr)
        if not replace and not self.others:
            raise ValueError(f"{weights}: expected a weights folder in it, all were left out")

    def add_own(self, place: Path, secret: bool = False) -> Other:
        """A user's own model, under its folder's name; with a number where that is taken.

        Raises:
            ValueError: it is none that a tab shows, or damaged.
        """
        family = family_of(place)
        tab = self.tab_of(family)
        if tab is None:
            raise ValueError(f"{place}: expected a model that a tab shows, got a {family}")
        check_folder(place)
        folder = name_in_links(place.resolve().name) or family
        taken = {*self.bundled, *(other.own for other in self.others.values())}
        numbered = (f"{folder}-{number}" for number in count(2))
        own = next(name for name in chain([folder], numbered) if name not in taken)
        digest = weights_hash(place)
        name = f"{OWN}{own}@{digest[:40]}"
        with self._lock:
            other = self.others[name] = Other(name, family, tab, digest, secret)
            self.folders[name] = place
        return other

    def trained(self, name: Any) -> Other | None:
        """The model of a visitor's training, for whoever knows its name; None for other names.

        Raises:
            UserError: it is not here any more.
        """
        if not isinstance(name, str) or not name.startswith(OWN + TRAINED):
            return None
        if name not in self.others:
            raise UserError("error.trained_gone")
        return self.others[name]

    def source(self, name: str) -> str | Path:
        """Where a model's weights are: a folder of the user's, or the name of bundled ones."""
        return self.folders.get(name, name)

    def forget(self, name: str) -> None:
        """Lets go of a user's own model, and of all that is derived of it."""
        with self._lock:
            for known in (self.others, self.folders, self._sizes):
                known.pop(name, None)
            for of_key in (self._loaded, self._locks):
                for key in [key for key in of_key if _model_of_key(key) == name]:
                    del of_key[key]

    def get(self, name: str, load: Callable[[str | Path], Any]) -> Any:
        """The wrapper of one model.

        Raises:
            UserError: its weights cannot be loaded; the reason goes to the server's log.
        """
        with self._lock:
            lock = self._locks[name]
        with lock:  # nobody waits for the loading of a model that another visitor asked for
            with self._lock:
                self._use(name)
                if name in self._loaded:
                    return self._loaded[name]
            try:
                found = load(self.source(name))
            except (ValueError, OSError) as error:
                print(f"error: {name}: {error}", file=sys.stderr)
                raise UserError("error.weights", model=name) from error
            with self._lock:
                if name in self.others:
                    self._sizes[name] = _bytes_of(found)
                base = _model_of_key(name)
                if base not in self.others or base in self._sizes:  # it may have left meanwhile
                    self._loaded[name] = found
                self._make_room()
            return_memory()
            return found

    def _use(self, name: str) -> None:
        """Notes that a model, or what is derived from it, is in use."""
        if _model_of_key(name) in self._sizes:
            self._sizes.move_to_end(_model_of_key(name))

    def _make_room(self) -> None:
        """Lets go of those that were not used for longest, with all that is derived of them."""
        while len(self._sizes) > 1 and (
            len(self._sizes) > MOST_OTHERS or sum(self._sizes.values()) > MOST_BYTES
        ):
            oldest, _ = self._sizes.popitem(last=False)
            for key in [key for key in self._loaded if _model_of_key(key) == oldest]:
                del self._loaded[key]

    def tab_of(self, family: str) -> Tab | None:
        """Where weights of a family can be used; the judge of digits has no tab."""
        return next((tab for tab in self.tabs.values() if family in tab.families), None)

    def add(self, name: str, family: str, folder: Path) -> Other:
        """Loads weights that came from the Hub, so that visitors can use them by their name.

        Raises:
            UserError: they cannot be loaded.
        """
        tab = self.tab_of(family)
        assert tab is not None and tab.load is not None
        with self._lock:
            self.folders[name] = folder
            other = self.others.setdefault(name, Other(name, family, tab))
        try:
            other.digest = self.get(name, tab.load).loaded.digest
        except UserError:
            with self._lock:
                self.others.pop(name, None)
            raise
        return other

    def hash(self, name: Any) -> str:
        """SHA-256 of a model's weights.

        Raises:
            UserError: it is not here; no other name may reach the disk or the Hub.
        """
        if isinstance(name, str) and name in self.others:
            return self.others[name].digest
        if not isinstance(name, str) or name not in self.known_of((name,)):
            raise UserError("error.not_fetched", model=str(name)[:100])
        return self.get(f"{name} hash", lambda _: weights_hash(self.source(name)))

    def gan(self, name: str = "gan") -> DigitSampler:
        """gan or gan-mlp."""
        return self.get(name, DigitSampler.load)

    @property
    def snapshot(self) -> Snapshot:
        """Where a visitor's own training starts."""
        return self.get(SMALL_GAN, Snapshot.load)

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
        return self.get(JUDGE, DigitJudge.load)

    @property
    def index(self) -> TrainingIndex:
        """The index of the training digits."""
        return self.get("index", lambda _: TrainingIndex())

    def writer(self, name: str) -> TextWriter:
        """The writer of shakespeare or poems."""
        return self.get(name, TextWriter.load)

    def gaps(self, name: str) -> GapWriter:
        """unmask."""
        return self.get(name, GapWriter.load)

    def engines(self) -> dict[str, Engine]:
        """What writes, by the name of its model; none is made for this."""
        with self._lock:
            loaded = dict(self._loaded)
        writers = {name: one for name, one in loaded.items() if isinstance(one, TextWriter)}
        return {name: one.engine for name, one in writers.items() if "engine" in vars(one)}

    def writing(self) -> tuple[int, int]:
        """The numbers of texts being written and of texts waiting for a slot."""
        engines = self.engines().values()
        return sum(len(one.writing) for one in engines), sum(len(one.waiting) for one in engines)

    def warm(self) -> None:
        """Loads the writers before someone asks for them; a damaged one is complained of later."""
        for name in self.known_of(WRITERS):
            with suppress(UserError):
                self.writer(name).release_weights()  # its engine is made: writing needs no more
        to_simplified("詩")  # reads its dictionaries

    def neurons(self, name: str) -> NeuronTable | None:
        """The table of neurons of a writer, if its weights have one."""
        return self.get(f"{name} neurons", lambda _: NeuronTable.load(self.source(name)))

    def history(self, name: str) -> History | None:
        """What the training of a model kept of itself, if its weights hold it."""
        source = str(self.source(name))
        return self.get(f"{name} history", lambda _: read_history(source))

    def snapshots(self, name: str) -> dict[int, Path]:
        """The weights at moments of a model's training: their folders by step, where it has any."""
        folder = find_folder(str(self.source(name))) / SNAPSHOTS
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return {int(one.name): one for one in found[:MOST_SNAPSHOTS] if one.name.isdecimal()}

    def snapshot_of(self, name: str, step: int, load: Callable[[str | Path], Any]) -> Any:
        """The wrapper of a model as it was after so many steps of its training.

        Raises:
            UserError: it cannot be loaded.
        """
        return self.get(f"{name} at {step}", lambda _: load(self.snapshots(name)[step]))

    def overlaps(self, name: str) -> Overlaps | None:
        """The index of a writer's training text, if its weights hold one."""
        return self.get(f"{name} overlaps", lambda _: Overlaps.load(self.source(name)))

    def habits(self, name: str) -> list[list[Habit]]:
        """The habits of all attention heads of a writer, by layer."""
        return self.get(f"{name} habits", lambda _: habits(self.writer(name)))

    def card(self, name: str) -> tuple[str, str]:
        """Title and licence of the card of a user's own model, or "" of each.

        That of a repository is a click away, at its address.
        """
        if name not in self.others or not self.others[name].own:
            return "", ""
        return self.get(f"{name} card", lambda _: title_and_licence(str(self.folders[name])))

    def known(self, name: Any, names: tuple[str, ...]) -> str:
        """A model name that a client may use: one of these, or of the same kind from the Hub.

        Raises:
            UserError: another one.
        """
        allowed = self.known_of(names)
        if isinstance(name, str) and PINNED.fullmatch(name) and name not in allowed:
            return self._other(name, names)
        if not isinstance(name, str) or name not in allowed:
            here = [one for one in list(self.others.values()) if not one.secret]
            guests = [one.own for one in here if names[0] in one.tab.models]
            offered = ", ".join([*allowed, *filter(None, guests)])
            raise UserError("error.choice", name="model", allowed=offered)
        return name

    def _other(self, name: str, names: tuple[str, ...]) -> str:
        other = self.others.get(name)
        if other is None or not other.digest:  # or it is still loading
            raise UserError("error.not_fetched", model=name)
        if names[0] not in other.tab.models:
            raise UserError(f"error.of_{other.tab.name}")
        return name

    def is_bundled(self, name: str) -> bool:
        """True for a model with its bundled weights, not for a guest or a replaced one."""
        return name not in self.folders

    def known_of(self, names: tuple[str, ...]) -> list[str]:
        """Those of some models that are here."""
        return [name for name in names if name in self.bundled or name in self.folders]


def _model_of_key(key: str) -> str:
    """The model name in a cache key: "vae habits" -> "vae"."""
    return key.partition(" ")[0]


def _bytes_of(wrapper: Any) -> int:
    return sum(parameter.nbytes for parameter in wrapper.loaded.model.parameters())
