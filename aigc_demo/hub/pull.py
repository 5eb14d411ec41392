"""Files of a repository at one commit: looked up by one request, fetched in time, checked by hash.

They lie in the client's own cache, so that other programs find them too.
"""

import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from aigc_demo.hub.cache import Entry, Repository, entries, folder_of, is_content, recall, remember
from aigc_demo.hub.download import Progress, Transfer, shown, within
from aigc_demo.hub.errors import HubUnavailable, explained
from aigc_demo.hub.names import split_source

LOOKUP_SECONDS = 4.5  # for the name of the Hub, which has no other limit
PROBE_SECONDS = 2.0  # to connect, and to answer
DEADLINE_SECONDS = 60.0  # of a download, and
SLOWEST = 500_000  # bytes a second for what it brings
LARGEST = 1_000_000_000  # bytes of all files asked for
FILES = ("config.json", "model.safetensors")  # a weights folder, and what may lie beside
OPTIONAL_FILES = (
    *("directions.safetensors", "neurons.safetensors"),
    "overlap.safetensors",
    *("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt", "tokenizer_config.json"),
)
COMMIT = re.compile(r"[0-9a-f]{40}")
SAFE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_./-]*\.(json|txt|safetensors)")
REACHABLE = ("network", "mute", "down", "busy", "offline")  # kinds that say nothing of the files


def look(repo: str, revision: str = "main") -> Repository:
    """Looks up a repository at a branch, tag or commit.

    One request, with an answer or an error within three seconds (five where the name look-up
    hangs). None for a full commit hash that was looked up before; and what was looked up before
    serves where the Hub cannot be reached.

    Raises:
        HubUnavailable: no network, no such repository or revision, or no right to see it.
    """
    split_source(f"{repo}@{revision}")
    if COMMIT.fullmatch(revision) and (known := recall(repo, revision)):
        return known
    try:
        return _ask(repo, revision)
    except HubUnavailable as error:
        known = recall(repo, revision) if error.kind in REACHABLE else None
        if known is None:
            raise
        return known


def _ask(repo: str, revision: str) -> Repository:
    """The one request of `look`."""
    from huggingface_hub import HfApi, constants

    api, host = HfApi(token=os.environ.get("HF_TOKEN")), urlsplit(constants.ENDPOINT).hostname
    try:
        if not constants.is_offline_mode() and not set(getproxies()) - {"no"}:
            within(LOOKUP_SECONDS, lambda: socket.getaddrinfo(host, None))
        info = within(
            1.4 * PROBE_SECONDS,
            lambda: api.model_info(
                repo, revision=revision, files_metadata=True, timeout=PROBE_SECONDS
            ),
        )
        if not COMMIT.fullmatch(info.sha or ""):
            raise ValueError(f"commit {info.sha!r}")
        found = Repository(repo, info.sha, entries(info.siblings))
        remember(found, revision)
    except Exception as error:
        raise explained(f"{repo}@{revision}", error) from error
    return found


def fetch(
    repository: Repository,
    names: Iterable[str],
    progress: Progress | None = None,
    deadline: float | None = None,
    largest: int = LARGEST,
) -> Path:
    """The local folder of one commit, in which these files of it lie, their hashes checked.

    What is there already needs no request. Only .json, .txt and .safetensors are ever fetched.

    Args:
        progress: called some times a second, by the thread that called this; what it raises ends
            the download. Without it, a terminal shows a bar.
        deadline: seconds for all of it; by default a minute and the time that 500 kB/s take.
        largest: bytes of all these files together.

    Raises:
        HubUnavailable: a file that there is not, is too large, damaged or not here in time.
    """
    what, folder = str(repository), folder_of(repository.name) / "snapshots" / repository.commit
    wanted = {}
    for name in names:
        if name not in repository.files:
            raise HubUnavailable(what, "file", f"expected a file {name}, got none of that name")
        if not SAFE.fullmatch(name):
            raise HubUnavailable(what, "file", f"expected .json, .txt or .safetensors, got {name}")
        wanted[name] = repository.files[name]
    size = sum(entry.size for entry in wanted.values())
    if size > largest:
        why = f"expected at most {largest / 1e6:,.0f} MB, got {size / 1e6:,.0f} MB"
        raise HubUnavailable(what, "large", why)
    missing = {
        name: entry for name, entry in wanted.items() if not is_content(folder / name, entry)
    }
    if not missing:
        return folder
    if repository.recalled:
        _ask(repository.name, repository.commit)  # whether it is there at all, within seconds
    total = sum(entry.size for entry in missing.values())
    transfer = Transfer(repository, missing, folder, total)
    limit = DEADLINE_SECONDS + total / SLOWEST if deadline is None else deadline
    try:
        with shown(progress, total) as report:
            within(limit, transfer.run, lambda: report(transfer.done, total))
            report(total, total)
    except TimeoutError as error:
        why = f"{transfer.so_far()} within {limit:.0f} s, which is too slow"
        raise HubUnavailable(what, "slow", why) from error
    finally:
        transfer.given_up.set()
    return folder


def fetch_folder(repo: str, revision: str = "main", progress: Progress | None = None) -> Path:
    """The local folder with a repository's weights; its name is the commit they come from.

    Raises:
        HubUnavailable: no network, no such repository, revision or file, or not here in time.
    """
    return fetch_weights(look(repo, revision), progress)


def fetch_weights(repository: Repository, progress: Progress | None = None) -> Path:
    """The local folder with the weights of a repository that was looked up.

    Raises:
        HubUnavailable: a file that there is not, is damaged, too large or not here in time.
    """
    config = fetch(repository, FILES[:1], lambda *_: None) / "config.json"
    promised = re.search(r'"sha256": *"([0-9a-f]{64})"', config.read_text("utf-8", "replace"))
    there = repository.files.get(FILES[1], Entry(0, "")).sha256
    if promised and there and promised[1] != there:
        why = f"config.json expects weights of SHA-256 {promised[1]}, got {there}"
        raise HubUnavailable(str(repository), "damaged", why)
    beside = [name for name in OPTIONAL_FILES if name in repository.files]
    return fetch(repository, [*FILES, *beside], progress)
