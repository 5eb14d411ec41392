"""A weights folder from the Hugging Face Hub, within a time budget."""

import os
import threading
from pathlib import Path

os.environ.setdefault("HF_HUB_DISABLE_XET", "1")  # small files: plain HTTP, ordinary errors
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

FILES = ("config.json", "model.safetensors")
PROBE_SECONDS = 3.0
DEADLINE_SECONDS = 60.0


class HubUnavailable(ValueError):
    """A repository could not be fetched; the message says why."""


def fetch_folder(repo: str, revision: str = "main") -> Path:
    """The local folder with a repository's config.json and model.safetensors.

    Both come from one commit. What is cached under a full commit hash needs no request.

    Raises:
        HubUnavailable: no network, no such repository, revision or file, or no answer in time.
    """
    answer: list[Path | Exception] = []

    def work() -> None:
        try:
            answer.append(_fetch(repo, revision))
        except Exception as error:  # the client raises from four unrelated families
            answer.append(error)

    thread = threading.Thread(target=work, daemon=True)  # never holds up the end of the program
    thread.start()
    thread.join(DEADLINE_SECONDS)
    if not answer:
        raise HubUnavailable(f"{repo}@{revision}: no answer within {DEADLINE_SECONDS:g} s")
    if isinstance(answer[0], Exception):
        kind = type(answer[0]).__name__
        detail = str(answer[0]).strip().splitlines()
        raise HubUnavailable(f"{repo}@{revision}: {kind}: {detail[0] if detail else ''}")
    return answer[0]


def _fetch(repo: str, revision: str) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError

    token = os.environ.get("HF_TOKEN")
    if len(revision) == 40:
        try:
            paths = [
                hf_hub_download(repo, name, revision=revision, local_files_only=True)
                for name in FILES
            ]
            return Path(paths[0]).parent
        except LocalEntryNotFoundError:
            pass
    url = hf_hub_url(repo, FILES[0], revision=revision)
    commit = get_hf_file_metadata(url, timeout=PROBE_SECONDS, token=token).commit_hash
    for name in FILES:
        path = hf_hub_download(repo, name, revision=commit, etag_timeout=PROBE_SECONDS, token=token)
    return Path(path).parent
