"""The commands that make and measure models: `train`, `evaluate`, `benchmark` and `data`."""

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from aigc_demo.names import ON_SAMPLES, PRESETS, SIZES, SUBJECTS, TRAINED


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the commands."""
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

    data = command(
        "data",
        _data,
        "Download the corpora and check them by hash, or check a local copy.",
        "data shakespeare",
    )
    data.add_argument("corpora", nargs="*", metavar="CORPUS", help="mnist, shakespeare, poems")
    data.add_argument("--data", type=Path, help="a local copy to check instead")
    data.add_argument("--samples", type=Path, help="also write the bundled samples there")


def _train(options: argparse.Namespace) -> None:
    from aigc_demo.training import Own, train
    from aigc_demo.training.card import write_card
    from aigc_demo.training.processes import first_process

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
