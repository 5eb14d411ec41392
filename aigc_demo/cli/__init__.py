"""The commands: python -m aigc_demo COMMAND; each imports what it needs when it runs."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence

from aigc_demo import __version__
from aigc_demo.cli import sample, show, train


def parser_of_commands() -> argparse.ArgumentParser:
    """The commands and their options."""
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

    for part in (train, sample, show):
        part.add_commands(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns the exit status: 0, 1 after a wrong input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    from aigc_demo.ui.serving.surroundings import accept_any_text

    accept_any_text()
    parser = parser_of_commands()
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
