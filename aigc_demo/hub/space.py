"""The page as a Space: made or brought up to date from the working tree, and waited for."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aigc_demo.hub.errors import HubUnavailable
from aigc_demo.hub.names import default_repositories
from aigc_demo.hub.push import Files, push, writing

POLL_SECONDS = 3.0
WAIT_SECONDS = 1800.0  # the Hub itself gives a start no longer
NEEDED = (
    "app.py",
    "requirements.txt",
    "README.md",
    "README.zh.md",
    "LICENSE",
    "docs",
    "aigc_demo",
    "weights",
)
LEFT_OUT = (".pyc", ".tmp", ".pt", ".jsonl")
ASLEEP = ("PAUSED", "SLEEPING", "STOPPED")
FAILED = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "DELETING")
MAY_NOT = {  # hardware -> why the Hub asks for money (HTTP 402)
    "cpu-basic": "a Gradio Space on cpu-basic needs a subscription (HTTP 402); ZeroGPU is the free "
    "way: --hardware zero-a10g",
    "zero-a10g": "the Hub refuses a ZeroGPU Space (HTTP 402); a free account may have two, with a "
    "verified e-mail address and a month after it was made",
}


def space_files(root: Path, hardware: str) -> dict[str, Path | bytes]:
    """The files of a Space: code, weights and the README with its settings.

    Raises:
        ValueError: something of it is missing.
    """
    files: dict[str, Path | bytes] = {}
    for name in NEEDED:
        if not (root / name).exists():
            raise ValueError(f"expected the working tree with {name}, got {root}")
        paths = sorted((root / name).rglob("*")) if (root / name).is_dir() else [root / name]
        for path in paths:
            inside = path.relative_to(root)
            hidden = any(part.startswith((".", "__pycache__")) for part in inside.parts)
            if path.is_file() and not hidden and path.suffix not in LEFT_OUT:
                files[inside.as_posix()] = path
    if hardware == "zero-a10g":
        files["requirements.txt"] = (root / "requirements.txt").read_bytes() + b"spaces==0.51.3\n"
    return files


def deploy(
    files: Files,
    space: str,
    hardware: str = "cpu-basic",
    variables: Mapping[str, str] | None = None,
    private: bool = False,
    say: Callable[[str], Any] = print,
) -> str:
    """The address of a Space that runs these files; without a change nothing is uploaded.

    Args:
        variables: of its environment; others stay. AIGC_REPOS gets its default if it has none.
        say: is told, in a few words each, what happens.

    Raises:
        HubUnavailable: no network, nobody logged in, the account may not, or it does not start.
    """
    wanted = {"AIGC_REPOS": ",".join(default_repositories(space)), **(variables or {})}
    try:
        with writing(space) as api:

            def create() -> None:
                api.create_repo(
                    space,
                    repo_type="space",
                    space_sdk="gradio",
                    space_hardware=hardware,
                    space_variables=[{"key": k, "value": v} for k, v in wanted.items()],
                    private=private,
                )

            pushed = push(api, space, "space", files, create, prune=True)
            say(f"{len(pushed.changed)} files changed" if pushed.changed else "nothing has changed")
            set_already = api.get_space_variables(space)
            for key, value in wanted.items():
                given = key in (variables or {})
                if key not in set_already or (given and set_already[key].value != value):
                    api.add_space_variable(space, key, value)  # each change restarts the Space
            runtime = api.get_space_runtime(space)
            if hardware not in (runtime.hardware, runtime.requested_hardware):
                api.request_space_hardware(space, hardware)
            _wait(api, space, pushed.commit, f"{pushed.url}?logs=container", say)
    except HubUnavailable as error:
        if error.kind == "payment":
            raise HubUnavailable(space, "payment", MAY_NOT[hardware]) from error
        raise
    return pushed.url


def _wait(api: Any, space: str, commit: str, log: str, say: Callable[[str], Any]) -> None:
    """Returns once this commit runs."""
    end, before, woken = time.monotonic() + WAIT_SECONDS, "", False
    while True:
        runtime = api.get_space_runtime(space)
        stage, current = str(runtime.stage), runtime.raw.get("sha", commit) == commit
        if stage != before:
            say(stage.lower().replace("_", " "))
        before = stage
        if stage == "RUNNING" and current:
            return
        if stage in FAILED and current:
            reason = " ".join(str(runtime.raw.get("errorMessage") or "").split())[:300]
            raise HubUnavailable(space, "space", f"{stage} {reason}; its log: {log}")
        if stage in ASLEEP and not woken:
            api.restart_space(space)
            woken = True
        if time.monotonic() > end:
            why = f"it still does not run after {WAIT_SECONDS / 60:.0f} minutes ({stage})"
            raise HubUnavailable(space, "space", f"{why}; its log: {log}")
        time.sleep(POLL_SECONDS)
