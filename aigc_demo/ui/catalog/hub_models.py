"""Weights that visitors name on the Hub: which they may, and one download for all who want them."""

import sys
import threading
from typing import Any

from aigc_demo import hub
from aigc_demo.hub import HubUnavailable
from aigc_demo.ui.catalog.models import Models, Other, name_in_links
from aigc_demo.ui.kit.check import UserError
from aigc_demo.weights import default_revision, family_of

MAX_SOURCE = 300  # characters of what a visitor names
PATIENCE = 10.0  # seconds that a program waits for the download of another
KINDS = {  # of HubUnavailable -> the sentence that a visitor reads
    **dict.fromkeys(("network", "mute"), "error.hub_network"),
    **dict.fromkeys(("down", "busy", "changed"), "error.hub_later"),
    **dict.fromkeys(("slow", "cut"), "error.hub_lost"),
    **dict.fromkeys(("gated", "forbidden", "token", "payment"), "error.hub_closed"),
    "damaged": "error.hub_damaged",
    "large": "error.hub_large",
    "offline": "error.hub_offline",
    "proxy": "error.hub_proxy",
    "missing": "error.hub_missing",
    "revision": "error.hub_revision",
    "file": "error.hub_file",
    "name": "error.hub_name",
    "disk": "error.hub_disk",
}


class GivenUp(Exception):
    """Nobody waits for a download any more."""


class Fetching:
    """Weights on their way, in a thread of its own that ends soon after the last visitor leaves."""

    def __init__(self, models: Models, repo: str, revision: str, tab: str) -> None:
        self.models, self.repo, self.revision, self.tab = models, repo, revision, tab
        self.come = self.total = 0  # bytes
        self.waiting = 0  # visitors
        self.found: Other | None = None
        self.error: Exception | None = None
        self.over = threading.Event()

    def run(self) -> None:
        """Fetches and loads them; what goes wrong is kept for those who wait."""
        try:
            self.found = self._fetch()
        except (UserError, GivenUp) as error:
            self.error = error
        except Exception as error:
            print(f"error: {error}", file=sys.stderr)
            self.error = UserError(KINDS.get(getattr(error, "kind", ""), "error.hub_other"))
        finally:
            self.over.set()

    def _fetch(self) -> Other:
        repository = hub.look(self.repo, self.revision)
        config = hub.fetch(repository, ["config.json"], lambda *_: None)
        try:
            family = family_of(config)
        except ValueError as error:
            print(f"error: {repository}: {error}", file=sys.stderr)
            raise UserError("error.no_weights") from error
        tab = self.models.tab_of(family)
        if tab is None or tab.name != self.tab:  # before the weights come
            raise UserError(f"error.of_{tab.name}" if tab else "error.of_none")
        folder = hub.fetch_weights(repository, self._report)
        return self.models.add(str(repository), family, folder)

    def _report(self, come: int, total: int) -> None:
        self.come, self.total = come, total
        if not self.waiting:
            raise GivenUp

    def result(self) -> Other:
        """The weights that were fetched.

        Raises:
            UserError: why it did not.
        """
        if self.found is None:
            assert self.error is not None
            raise self.error
        return self.found


class HubModels:
    """The downloads from the Hub that are under way."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self._coming: dict[tuple[str, ...], Fetching] = {}
        self._lock = threading.Lock()
        self._place = threading.Semaphore(1)

    def join(self, source: Any, tab: str) -> Fetching:
        """Waits for weights, together with others who asked for the same; `leave` ends it.

        source: owner/repo or owner/repo@revision. tab: the model's, where they shall be used.

        Raises:
            UserError: it is no such name, or none that a visitor may name here.
        """
        if not isinstance(source, str) or len(source) > MAX_SOURCE:
            raise UserError("error.hub_name")
        source = hub.named(source)
        try:
            repo, revision = hub.split_source(source)
        except HubUnavailable:
            raise UserError("error.hub_name") from None
        if not hub.may_be_named(repo):
            raise UserError("error.not_allowed", repo=repo)
        if "@" not in source:
            revision = default_revision(repo)
        key = (repo, revision, tab)
        with self._lock:
            coming = self._coming.get(key)
            if coming is None or coming.over.is_set():
                coming = self._coming[key] = Fetching(self.models, repo, revision, tab)
                coming.waiting = 1  # before the thread looks whether anybody waits
                threading.Thread(target=coming.run, name="fetching", daemon=True).start()
            else:
                coming.waiting += 1
            return coming

    def leave(self, coming: Fetching) -> None:
        """Waits no longer."""
        with self._lock:
            coming.waiting -= 1
            if not coming.waiting:
                self._coming = {k: one for k, one in self._coming.items() if one is not coming}

    def bring(self, name: Any, tab: str) -> Any:
        """The name with its commit, once the weights are here; what names no repository as it is.

        It waits, so only one caller at a time may: for programs, whose calls take threads.

        Raises:
            UserError: they cannot be had, or another program waits.
        """
        if not isinstance(name, str) or len(name) > MAX_SOURCE:
            return name
        folder = "" if "/" in name else name_in_links(name)
        for known in self.models.others.values():
            if known.own and (name == known.name or known.own in (name, folder)):
                return known.name
        asked = hub.named(name)
        try:
            hub.split_source(asked)
        except HubUnavailable:
            return name
        name = asked
        other = self.models.others.get(name)
        if other is not None and other.digest:
            return name
        if not self._place.acquire(timeout=PATIENCE):
            raise UserError("error.hub_busy")
        try:
            coming = self.join(name, tab)
            try:
                coming.over.wait()
            finally:
                self.leave(coming)
            return coming.result().name
        finally:
            self._place.release()
