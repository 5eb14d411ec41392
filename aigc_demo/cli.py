"""The commands: python -m aigc_demo COMMAND; each imports what it needs when it runs."""

import argparse
import csv
import gc
import json
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aigc_demo import __version__
from aigc_demo.names import (
    COUPLETS,
    FLOW_STEPS,
    GAP_STEPS,
    GUIDANCE,
    ON_SAMPLES,
    POEM_TOP_P,
    PRESETS,
    SIZES,
    SUBJECTS,
    TEMPERATURE,
    TITLE_GUIDANCE,
    TOP_P,
    TRAINED,
    TRUNCATION,
)

_POEM = ("form", "title", "first_line", "acrostic", "free", "guidance")
_TEXT = ("prompt", "length", "temperature", "top_k", "top_p", "penalty")
_CHOSEN = ("count", "output", "digits", "classes")
SAMPLED = {  # options of `sample` by family
    "transformer": (*_TEXT, *_POEM, "couplet"),
    "gan": (*_CHOSEN, "truncation"),
    "gan-mlp": ("count", "output", "truncation"),
    "flow": (*_CHOSEN, "steps", "guidance"),
    "vae": ("count", "output"),
    "unmask": ("prompt", "length", "temperature", "steps", "order"),
}
POEM_FORM = "七绝"  # where a poem is asked for without its form


def _train(options: argparse.Namespace) -> None:
    from aigc_demo.training import Own, train
    from aigc_demo.training.card import write_card
    from aigc_demo.training.run import first_process

    if options.encoding and not options.text:
        raise ValueError("--encoding: expected --text beside it, got none")
    if options.attended:
        _stop_when_left()
    own = Own(options.images, tuple(options.text or ()), options.encoding)
    output = options.output or Path("runs") / options.name
    at_most = options.minutes
    kept = options.snapshots
    train(options.name, options.preset, options.data, output, own, options.tracker, at_most, kept)
    if first_process():
        on_samples = options.preset in ON_SAMPLES
        unscored = on_samples or own != Own()
        figures = _figures(output, options.data, full=False, unscored=unscored)
        sample = options.data is None and on_samples
        preset = options.preset + f" --minutes {at_most:g}" * (at_most > 0)
        preset += f" --snapshots {kept}" * (kept > 0)
        write_card(output, options.name, preset, figures, own != Own(), sample)
        shown = f"python app.py --weights {shlex.quote(str(output))}"
        print(f"{options.name}: {output} is ready; show it with: {shown}")


def _stop_when_left() -> None:
    """Stops this process, as SIGTERM does, once its standard input ends: its starter has gone."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="attended", daemon=True).start()


def _figures(
    folder: Path, data: Path | None, full: bool, unscored: bool, digits: int | None = None
) -> dict:
    """The figures of a folder; only its hash where there is nothing to score it by."""
    if unscored:
        from aigc_demo.weights import read_config

        return {"sha256": read_config(folder)["sha256"]}
    from aigc_demo.evaluation import evaluate

    return evaluate(folder, data, full, digits)


def _evaluate(options: argparse.Namespace) -> None:
    from aigc_demo.weights import find_folder

    folder = find_folder(options.name)
    figures = _figures(folder, options.data, options.full, False, options.digits)
    if options.card:
        from aigc_demo.training.card import write_card

        write_card(folder, figures["name"], options.preset, figures)
    if options.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for key, value in figures.items():
        print(f"{key:28} {value:.4f}" if isinstance(value, float) else f"{key:28} {value}")


def _benchmark(options: argparse.Namespace) -> None:
    from aigc_demo.benchmark import benchmark, hardware
    from aigc_demo.benchmark.plot import plot
    from aigc_demo.benchmark.rows import as_data, as_table

    if options.plot and not options.plot.parent.is_dir():
        raise ValueError(f"expected a place in a folder that there is, got {options.plot}")
    if options.plot and find_spec("matplotlib") is None:
        raise ValueError("expected matplotlib for a plot, got none: pip install matplotlib")
    rows = benchmark(options.subject)
    if options.json:
        content = {"subject": options.subject, "hardware": hardware(), "rows": as_data(rows)}
        print(json.dumps(content, ensure_ascii=False))
    else:
        print(f"{hardware()}\n\n{as_table(rows)}")
    if options.plot:
        options.plot.write_bytes(plot(rows))


def _sample(options: argparse.Namespace) -> None:
    from aigc_demo.weights import family_of, find_folder

    family = family_of(find_folder(options.name))
    if family not in SAMPLED:
        raise ValueError(f"expected a model that generates, got {options.name} ({family})")
    of_others = vars(options).keys() - {"name", "seed", "device", *SAMPLED[family]}
    if strays := _asked(options, of_others):
        named = ", ".join("--" + name.replace("_", "-") for name in strays)
        raise ValueError(f"{named}: not an option of {options.name} ({family})")
    if family == "transformer":
        _sample_text(options)
    elif family == "unmask":
        _fill_gaps(options)
    else:
        _sample_digits(options, family)


def _asked(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Those of some options of `sample` that are not as usual."""
    usual = vars(_parser().parse_args(["sample", "NAME"]))
    return sorted(name for name in names if getattr(options, name) != usual[name])


def _sample_text(options: argparse.Namespace) -> None:
    from aigc_demo.inference.transformer import TextWriter
    from aigc_demo.prosody import set_in_lines

    writer = TextWriter.load(options.name, options.device)
    settings = {
        "temperature": options.temperature,
        "top_k": options.top_k,
        "repetition_penalty": options.penalty,
        "seed": options.seed,
    }
    of_poems = POEM_TOP_P if options.top_p is None else options.top_p
    if options.couplet:
        _answer_line(options, writer, of_poems)
    elif _asked(options, _POEM):
        if options.prompt is not None:
            raise ValueError("expected either --prompt or options of a poem, got both")
        poem = writer.begin_poem(
            options.form.replace("絕", "绝") or POEM_FORM,
            options.title,
            options.first_line,
            acrostic=options.acrostic,
            regulated=not options.free,
            top_p=of_poems,
            guidance=TITLE_GUIDANCE if options.guidance is None else options.guidance,
            **settings,
        )
        print(set_in_lines(poem.whole()))
        if poem.heading.left_out:
            print(f"left out of the title: {poem.heading.left_out}", file=sys.stderr)
        for word, neighbour in poem.heading.neighbours.items():
            print(f"{word} of the title was read as {neighbour}", file=sys.stderr)
        _tell(poem.stand_ins)
    else:
        top_p = TOP_P if options.top_p is None else options.top_p
        prompt = writer.opening if options.prompt is None else options.prompt
        text = writer.begin(prompt, options.length, top_p=top_p, **settings)
        print(text.prompt, end="", flush=True)
        for piece in text.pieces():
            print(piece, end="", flush=True)
        print()


def _answer_line(options: argparse.Namespace, writer: Any, top_p: float) -> None:
    """Prints a first line and, below it, the second ones that the page shows."""
    if others := _asked(options, ("prompt", "length", "penalty", *_POEM)):
        named = ", ".join("--" + name.replace("_", "-") for name in others)
        raise ValueError(f"{named}: not an option of a couplet")
    shape = {"temperature": options.temperature, "top_k": options.top_k, "top_p": top_p}
    seeds = range(options.seed, options.seed + COUPLETS)
    texts = [writer.begin_couplet(options.couplet, **shape, seed=seed) for seed in seeds]
    print("\n".join([texts[0].prompt, "", *(text.whole() for text in texts)]))
    _tell(texts[0].stand_ins)


def _tell(stand_ins: Mapping[str, str]) -> None:
    """Says which characters the model does not know."""
    for written, inside in stand_ins.items():
        print(f"{inside} stood in for {written} inside the model", file=sys.stderr)


def _fill_gaps(options: argparse.Namespace) -> None:
    from aigc_demo.inference.unmask import GAP, GapWriter

    gaps = GapWriter.load(options.name, options.device)
    text = GAP * min(options.length, gaps.context) if options.prompt is None else options.prompt
    steps = GAP_STEPS if options.steps is None else options.steps
    print(gaps.fill(text, steps, options.temperature, seed=options.seed, order=options.order))


def _sample_digits(options: argparse.Namespace, family: str) -> None:
    from aigc_demo.images import grid, png
    from aigc_demo.inference.flow import FlowSampler
    from aigc_demo.inference.gan import DigitSampler
    from aigc_demo.inference.vae import LatentWalker
    from aigc_demo.weights import replace_file

    if not all(digit in "0123456789" for digit in options.digits):
        raise ValueError(f"expected digits 0-9, got {options.digits!r}")
    if options.digits and options.classes:
        raise ValueError("expected either --digits or --classes, got both")
    asked = options.classes or ",".join(options.digits)
    kinds: dict[str, Any] = {"vae": LatentWalker, "flow": FlowSampler}
    sampler: Any = kinds.get(family, DigitSampler).load(options.name, options.device)
    labels = None if family == "vae" else _labels(sampler, asked)  # a VAE knows no classes
    count = len(labels or ()) or options.count
    if not 1 <= count <= 1_000:
        raise ValueError(f"expected a count from 1 to 1000, got {count}")
    seeds = range(options.seed, options.seed + count)
    if family == "vae":
        images = sampler.sample(seeds)
    elif family == "flow":
        steps = FLOW_STEPS if options.steps is None else options.steps
        guidance = GUIDANCE if options.guidance is None else options.guidance
        images = sampler.sample(seeds, labels, steps, guidance)
    else:
        images = sampler.sample(seeds, labels, options.truncation)
    replace_file(options.output, png(grid(images, columns=8), scale=4))
    kind = "digits" if sampler.loaded.digits and not sampler.loaded.class_names else "pictures"
    print(f"{count} {kind} in {options.output}")


def _labels(sampler: Any, asked: str) -> list[int] | None:
    """Classes by their names, or by their numbers from 0, between commas.

    Raises:
        ValueError: one that the model does not know.
    """
    names = list(sampler.loaded.class_names)
    labels = {str(label): label for label in range(sampler.classes)}
    labels |= {name: label for label, name in enumerate(names)}
    found = next(csv.reader([re.sub("[，、]", ",", asked)], skipinitialspace=True), [])
    wanted = [asked] if asked in labels else [name.strip() for name in found if name.strip()]
    for name in wanted:
        if name not in labels:
            known = ", ".join(names or labels) or "none"
            raise ValueError(f"expected a class of {known}, got {name!r}")
    return [labels[name] for name in wanted] or None


def _data(options: argparse.Namespace) -> None:
    from aigc_demo.data.files import data_folder
    from aigc_demo.data.mnist import download_mnist, read_mnist
    from aigc_demo.data.poems import download_poems, read_poems
    from aigc_demo.data.samples import write_samples
    from aigc_demo.data.shakespeare import download_shakespeare, read_shakespeare

    corpora: dict[str, tuple[Callable, Callable]] = {
        "mnist": (download_mnist, lambda folder: read_mnist(folder, train=True)),
        "shakespeare": (download_shakespeare, read_shakespeare),
        "poems": (download_poems, lambda folder: read_poems(folder, ("七绝",))),
    }
    folder = data_folder(options.data)
    for name in options.corpora or list(corpora):
        download, read = corpora[name]
        if options.data is None:
            download(folder)
        read(folder)
        print(f"{name}: complete in {folder}, every hash as expected")
    if options.samples:
        write_samples(folder, options.samples)
        print(f"samples: written to {options.samples}")


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
    files = space_files(Path(__file__).parent.parent, options.hardware)
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


def _parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    from aigc_demo.ui.options import add_options

    parser = argparse.ArgumentParser(prog="python -m aigc_demo", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable, summary: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: python -m aigc_demo {example}",
        )
        sub.set_defaults(run=run)
        return sub

    train = command(
        "train",
        _train,
        "Train a model into a weights folder; the same command again resumes.",
        "train gan --preset smoke --output runs/gan-smoke",
    )
    train.add_argument("name", choices=TRAINED, metavar="NAME", help=", ".join(TRAINED))
    train.add_argument("--preset", choices=(*PRESETS, *SIZES), default="cpu")
    train.add_argument(
        "--minutes", type=float, default=0.0, help="for small and medium (default: 1)"
    )
    train.add_argument(
        "--snapshots", type=int, default=0, metavar="N", help="also keep the weights at N moments"
    )
    train.add_argument("--data", type=Path, help="folder with the corpora (default: $AIGC_DATA)")
    train.add_argument(
        "--images", type=Path, help="own pictures, or class folders (GANs, VAEs, flow)"
    )
    train.add_argument("--text", type=Path, nargs="+", help="own text files (shakespeare)")
    train.add_argument(
        "--encoding", default="", help="of these files, such as gbk; by default found"
    )
    train.add_argument(
        "--tracker", default="", metavar="NAME", help="trackio: mirror the log there"
    )
    train.add_argument("--output", type=Path, help="weights folder to make (default: runs/NAME)")
    train.add_argument(
        "--attended", action="store_true", help="stop once standard input ends (small, medium)"
    )

    evaluate = command(
        "evaluate", _evaluate, "Print the figures of a model card.", "evaluate gan --json"
    )
    evaluate.add_argument("name", metavar="NAME", help="bundled name, folder or owner/repo")
    evaluate.add_argument("--full", action="store_true", help="the whole protocol")
    evaluate.add_argument("--digits", type=int, help="of a VAE: score only so many, with --full")
    evaluate.add_argument("--json", action="store_true", help="one line of JSON")
    evaluate.add_argument("--card", action="store_true", help="also write them to the card")
    evaluate.add_argument("--preset", default="cpu", help="that the card says it was trained by")
    evaluate.add_argument("--data", type=Path, help="folder with the corpora")

    measure = command(
        "benchmark",
        _benchmark,
        "Measure how fast it is; the machine should be idle otherwise.",
        "benchmark text --json",
    )
    measure.add_argument("subject", choices=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS))
    measure.add_argument("--json", action="store_true", help="one line of JSON")
    measure.add_argument("--plot", type=Path, metavar="PNG", help="a picture of how cost grows")

    sample = command(
        "sample",
        _sample,
        "Draw pictures into a PNG, or write text.",
        "sample gan --digits 2026 --output 2026.png",
    )
    sample.add_argument("name", metavar="NAME", help="bundled name, folder or owner/repo")
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument("--device", help="cuda, mps or cpu (default: the first there is)")
    sample.add_argument("--count", type=int, default=16, help="how many pictures")
    sample.add_argument("--digits", default="", help="which digits, such as 2026 (GAN, flow)")
    sample.add_argument("--classes", default="", help="of a model of your own: cat,dog")
    sample.add_argument("--steps", type=int, help="1 to 50 (flow), 1 to 256 (unmask)")
    sample.add_argument(
        "--order", choices=("certain", "random"), default="certain", help="of filling (unmask)"
    )
    sample.add_argument(
        "--guidance",
        type=float,
        help=f"0 to 10, of the class (flow; {GUIDANCE:g}) or the title (poem; {TITLE_GUIDANCE:g})",
    )
    sample.add_argument("--truncation", type=float, default=TRUNCATION, help="0 to 1 (GAN)")
    sample.add_argument("--output", type=Path, default=Path("digits.png"), help="PNG to write")
    sample.add_argument(
        "--prompt", help="text to continue, or with _ to fill (unmask); by default the model's own"
    )
    sample.add_argument("--length", type=int, default=200, help="new characters")
    sample.add_argument("--temperature", type=float, default=TEMPERATURE)
    sample.add_argument("--top-k", type=int)
    sample.add_argument("--top-p", type=float, help=f"default: {TOP_P}; of a poem: {POEM_TOP_P}")
    sample.add_argument("--penalty", type=float, default=1.0, help="on repeated characters")
    sample.add_argument(
        "--form", default="", help=f"五绝, 七绝, 五律 or 七律 (default: {POEM_FORM})"
    )
    sample.add_argument("--title", default="", help="of the poem")
    sample.add_argument("--first-line", default="", help="of the poem")
    sample.add_argument("--acrostic", default="", help="first characters of its lines (藏头)")
    sample.add_argument(
        "--couplet",
        default="",
        metavar="LINE",
        help="its second lines, to 5 or 7 characters (对联)",
    )
    sample.add_argument("--free", action="store_true", help="do not hold it to the rules (格律)")

    data = command(
        "data",
        _data,
        "Download the corpora and check them by hash, or check a local copy.",
        "data shakespeare",
    )
    data.add_argument("corpora", nargs="*", metavar="CORPUS", help="mnist, shakespeare, poems")
    data.add_argument("--data", type=Path, help="a local copy to check instead")
    data.add_argument("--samples", type=Path, help="also write the bundled samples there")

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
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns the exit status: 0, 1 after a wrong input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    from aigc_demo.ui.serving.surroundings import accept_any_text

    accept_any_text()
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "data":
        unknown = set(options.corpora) - {"mnist", "shakespeare", "poems"}
        if unknown:
            parser.error(f"expected mnist, shakespeare or poems, got {', '.join(sorted(unknown))}")
    try:
        options.run(options)
    except KeyboardInterrupt as error:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 128 + (error.args[0] if error.args else signal.SIGINT)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0
