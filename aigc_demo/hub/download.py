"""A download in a thread of its own, which is given up in time."""

import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aigc_demo.hub.cache import Entry, Repository, is_content
from aigc_demo.hub.errors import HubUnavailable, explained

STALL_SECONDS = 10  # without a byte

Progress = Callable[[int, int], Any]  # bytes so far, bytes in all

_TOGETHER: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


class Transfer:
    """The download of some files, in a thread that ends soon after it is given up."""

    def __init__(
        self, repository: Repository, files: dict[str, Entry], folder: Path, total: int
    ) -> None:
        self.repository, self.files, self.folder, self.total = repository, files, folder, total
        self.done = 0  # bytes
        self.given_up = threading.Event()

    def so_far(self) -> str:
        return f"{self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB came"

    def run(self) -> None:
        """Raises HubUnavailable."""
        with _TOGETHER[self.folder]:  # one download for all who ask at the same time
            for name, entry in self.files.items():
                if is_content(self.folder / name, entry):
                    self.done += entry.size
                elif not self.given_up.is_set():
                    self._bring(name, entry)

    def _bring(self, name: str, entry: Entry) -> None:
        place = self.folder / name
        part = place.with_name(f"{place.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as file:
                self._download(name, entry, file.write)
            if not is_content(part, entry):
                why = f"{name}: the content does not have the hash that the Hub states"
                raise HubUnavailable(str(self.repository), "damaged", why)
            os.replace(part, place)
        except Exception as error:
            raise explained(f"{self.repository}: {name}", error) from error
        finally:
            part.unlink(missing_ok=True)

    def _download(self, name: str, entry: Entry, write: Callable[[bytes], Any]) -> None:
        """A connection that breaks is taken up where it broke, as long as each brings something."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status, httpx

        url = hf_hub_url(self.repository.name, name, revision=self.repository.commit)
        headers = build_hf_headers(token=os.environ.get("HF_TOKEN"))
        headers["Accept-Encoding"] = "identity"
        come = 0
        while come < entry.size:
            before = come
            resumed = {"Range": f"bytes={come}-"} if come else {}
            try:
                with get_session().stream(
                    "GET", url, headers=headers | resumed, timeout=STALL_SECONDS
                ) as answer:
                    hf_raise_for_status(answer)
                    if come and answer.status_code != 206:
                        raise HubUnavailable(str(self.repository), "cut", self._lost(name))
                    for piece in answer.iter_bytes():
                        if self.given_up.is_set():
                            raise TimeoutError
                        come += len(piece)
                        self.done += len(piece)
                        if come > entry.size:
                            break
                        write(piece)
            except httpx.TransportError as error:
                if come == before:
                    if not come:
                        raise
                    raise HubUnavailable(str(self.repository), "cut", self._lost(name)) from error
            else:
                if come != entry.size:
                    why = f"{name}: expected {entry.size} bytes, got {come}"
                    raise HubUnavailable(str(self.repository), "damaged", why)

    def _lost(self, name: str) -> str:
        return f"{name}: the connection was lost when {self.so_far()}"


def within(seconds: float, work: Callable[[], Any], tick: Callable[[], Any] | None = None) -> Any:
    """Returns or raises what some work in a thread does; TimeoutError where it takes longer.

    The thread never holds up the end of the program. tick: called every tenth of a second.
    """
    outcome: list[tuple[Any, Exception | None]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except Exception as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive() and (left := end - time.monotonic()) > 0:
        thread.join(min(left, 0.1))
        if tick:
            tick()
    if not outcome:
        raise TimeoutError
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


@contextmanager
def shown(progress: Progress | None, total: int) -> Iterator[Progress]:
    """The given progress, or a bar on a terminal."""
    if progress is not None:
        yield progress
        return
    from tqdm import tqdm

    with tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:  # None: no terminal
        yield lambda done, _: bar.update(done - bar.n)
