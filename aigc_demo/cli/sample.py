"""The command `sample`: pictures into a PNG, or text."""

import argparse
import csv
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aigc_demo.names import (
    COUPLETS,
    FLOW_STEPS,
    GAP_STEPS,
    GUIDANCE,
    POEM_TOP_P,
    TEMPERATURE,
    TITLE_GUIDANCE,
    TOP_P,
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


def add_commands(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Adds the command."""
    sample = command(
        "sample",
        _sample,
        "Draw pictures into a PNG, or write text.",
        "sample gan --digits 2026 --output 2026.png",
    )
    add_options(sample)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds its options."""
    parser.add_argument("name", metavar="NAME", help="bundled name, folder or owner/repo")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cuda, mps or cpu (default: the first there is)")
    parser.add_argument("--count", type=int, default=16, help="how many pictures")
    parser.add_argument("--digits", default="", help="which digits, such as 2026 (GAN, flow)")
    parser.add_argument("--classes", default="", help="of a model of your own: cat,dog")
    parser.add_argument("--steps", type=int, help="1 to 50 (flow), 1 to 256 (unmask)")
    parser.add_argument(
        "--order", choices=("certain", "random"), default="certain", help="of filling (unmask)"
    )
    parser.add_argument(
        "--guidance",
        type=float,
        help=f"0 to 10, of the class (flow; {GUIDANCE:g}) or the title (poem; {TITLE_GUIDANCE:g})",
    )
    parser.add_argument("--truncation", type=float, default=TRUNCATION, help="0 to 1 (GAN)")
    parser.add_argument("--output", type=Path, default=Path("digits.png"), help="PNG to write")
    parser.add_argument(
        "--prompt", help="text to continue, or with _ to fill (unmask); by default the model's own"
    )
    parser.add_argument("--length", type=int, default=200, help="new characters")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--top-k", type=int)
    parser.add_argument("--top-p", type=float, help=f"default: {TOP_P}; of a poem: {POEM_TOP_P}")
    parser.add_argument("--penalty", type=float, default=1.0, help="on repeated characters")
    parser.add_argument(
        "--form", default="", help=f"五绝, 七绝, 五律 or 七律 (default: {POEM_FORM})"
    )
    parser.add_argument("--title", default="", help="of the poem")
    parser.add_argument("--first-line", default="", help="of the poem")
    parser.add_argument("--acrostic", default="", help="first characters of its lines (藏头)")
    parser.add_argument(
        "--couplet",
        default="",
        metavar="LINE",
        help="its second lines, to 5 or 7 characters (对联)",
    )
    parser.add_argument("--free", action="store_true", help="do not hold it to the rules (格律)")


def _sample(options: argparse.Namespace) -> None:
    from aigc_demo.weights import family_of, find_folder

    family = family_of(find_folder(options.name))
    if family not in SAMPLED:
        raise ValueError(f"expected a model that generates, got {options.name} ({family})")
    of_others = _usual().keys() - {"name", "seed", "device", *SAMPLED[family]}
    _refuse(options, of_others, f"{options.name} ({family})")
    if family == "transformer":
        _sample_text(options)
    elif family == "unmask":
        _fill_gaps(options)
    else:
        _sample_digits(options, family)


def _asked(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Those of some options of `sample` that are not as usual."""
    usual = _usual()
    return sorted(name for name in names if getattr(options, name) != usual[name])


def _refuse(options: argparse.Namespace, names: Iterable[str], what: str) -> None:
    """Raises ValueError if some options are given that mean nothing for what is sampled."""
    if strays := _asked(options, names):
        named = ", ".join("--" + name.replace("_", "-") for name in strays)
        raise ValueError(f"{named}: not an option of {what}")


def _usual() -> dict[str, Any]:
    """The options where none is given."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return vars(parser.parse_args(["NAME"]))


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
    _refuse(options, ("prompt", "length", "penalty", *_POEM), "a couplet")
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
