"""Files to a repository, in one commit of what has changed; and a model that is published so."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_demo.hub.cache import entries, is_content
from aigc_demo.hub.errors import HubUnavailable, explained
from aigc_demo.hub.names import split_source

ANSWER_SECONDS = 10.0  # of the first request; what follows may take its time

Files = Mapping[str, Path | bytes]  # name in the repository -> content


@dataclass(frozen=True)
class Pushed:
    """The result of a push."""

    url: str
    commit: str
    changed: tuple[str, ...]  # names of the files uploaded or deleted


def publish(files: Files, repo: str, private: bool = False) -> Pushed:
    """Makes a model repository of some files, or brings one up to date.

    Other files of the repository stay. Without a change nothing is uploaded.

    Raises:
        HubUnavailable: no network, nobody logged in, no right to write there, or no such name.
    """
    with writing(repo) as api:
        return push(api, repo, "model", files, lambda: api.create_repo(repo, private=private))


def push(
    api: Any, repo: str, kind: str, files: Files, create: Callable[[], Any], prune: bool = False
) -> Pushed:
    """Commits what differs from main, all at once.

    kind: model or space. create: makes the repository where there is none. prune: delete what is
    not among the files.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import RepositoryNotFoundError

    def look() -> Any:
        return api.repo_info(repo, repo_type=kind, files_metadata=True, timeout=ANSWER_SECONDS)

    try:
        info = look()
    except RepositoryNotFoundError:
        create()
        info = look()
    there, commit = entries(info.siblings), info.sha
    changed = [
        name
        for name, content in files.items()
        if name not in there or not is_content(content, there[name])
    ]
    gone = [name for name in there if prune and name not in files and name != ".gitattributes"]
    if changed or gone:
        operations = [
            *(CommitOperationAdd(name, _bytes(files[name])) for name in changed),
            *(CommitOperationDelete(name) for name in gone),
        ]
        commit = api.create_commit(
            repo,
            operations,
            commit_message="Update by aigc-demo",
            repo_type=kind,
            parent_commit=commit,
        ).oid
    url = f"{api.endpoint}/{'spaces/' if kind == 'space' else ''}{repo}"
    return Pushed(url, commit, (*changed, *gone))


def _bytes(content: Path | bytes) -> bytes:
    """A file's content; for a path the client would show a bar of its own."""
    return content if isinstance(content, bytes) else content.read_bytes()


@contextmanager
def writing(repo: str) -> Iterator[Any]:
    """A client with the user's token; whatever it raises becomes one sentence."""
    from huggingface_hub import HfApi, get_token

    try:
        split_source(f"{repo}@main")
        token = get_token()  # HF_TOKEN, or what `hf auth login` has stored
        if not token:
            why = "set HF_TOKEN to a token that may write, or run `hf auth login`"
            raise HubUnavailable(repo, "token", why)
        yield HfApi(token=token)
    except Exception as error:
        raise explained(repo, error) from error
