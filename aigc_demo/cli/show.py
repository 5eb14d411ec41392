"""The commands that show the work: `publish`, `deploy`, `demo` and `lesson`."""

import argparse
import gc
from collections.abc import Callable
from pathlib import Path


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands."""
    from aigc_demo.ui.options import add_options

    publish = command(
        "publish",
        _publish,
        "Push weights with their card to the Hugging Face Hub, in one commit of what has changed.",
        "publish gan your-name/aigc-gan",
    )
    publish.add_argument("name", metavar="NAME", help="bundled name or weights folder")
    publish.add_argument("repo", metavar="owner/repo", help="made if there is none")
    publish.add_argument("--private", action="store_true", help="make it private")

    deploy = command(
        "deploy",
        _deploy,
        "Make a Space of the working tree, or bring it up to date, and wait until it runs.",
        "deploy your-name/aigc-demo --hardware zero-a10g",
    )
    deploy.add_argument("space", metavar="owner/space", help="made if there is none")
    deploy.add_argument("--hardware", choices=("cpu-basic", "zero-a10g"), default="cpu-basic")
    deploy.add_argument(
        "--variable",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of its environment, such as AIGC_REPOS=owner/*",
    )
    deploy.add_argument("--private", action="store_true", help="make it private")

    demo = command("demo", _demo, "Open the page, like app.py.", "demo --port 7861")
    add_options(demo)
    lesson = command(
        "lesson",
        _lesson,
        "Say what is wrong in lessons, line by line; docs/lessons.md says how to write one.",
        "lesson check my-lesson.yaml",
    )
    lesson.add_argument("action", choices=["check"])
    lesson.add_argument("file", type=Path, nargs="+", metavar="FILE")


def _publish(options: argparse.Namespace) -> None:
    from aigc_demo.hub import publish
    from aigc_demo.hub.card import hub_card
    from aigc_demo.weights import check_folder, find_folder, read_config

    folder = find_folder(options.name)
    read_config(folder)  # of our own weights
    check_folder(folder)  # nothing damaged is published
    files: dict[str, Path | bytes] = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".json", ".safetensors", ".png")
    }
    files["README.md"] = hub_card(folder).encode()
    pushed = publish(files, options.repo, options.private)
    changed = len(pushed.changed)
    print(f"{changed} of {len(files)} files uploaded" if changed else "nothing has changed")
    print(f"{pushed.url} at {pushed.commit}")


def _deploy(options: argparse.Namespace) -> None:
    from aigc_demo.hub import deploy, space_files

    variables = {}
    for setting in options.variable:
        key, given, value = setting.partition("=")
        if not given or not key.isidentifier():
            raise ValueError(f"expected a variable as KEY=VALUE, got {setting!r}")
        variables[key] = value
    files = space_files(Path(__file__).parents[2], options.hardware)
    print(deploy(files, options.space, options.hardware, variables, options.private))


def _demo(options: argparse.Namespace) -> None:
    gc.disable()  # while modules are imported, as in app.py
    from aigc_demo.ui import start

    start(options)


def _lesson(options: argparse.Namespace) -> None:
    from aigc_demo.ui.app import build
    from aigc_demo.ui.learn.guide import lesson_problems

    demo = build()
    wrong = [(path, *one) for path in options.file for one in lesson_problems(path, demo)]
    for path, line, said in wrong:
        print(f"{path}, line {line}: {said}")
    if wrong:
        raise ValueError(f"expected lessons without a mistake, got {len(wrong)}")
    print(f"{len(options.file)} lessons: nothing is wrong")
