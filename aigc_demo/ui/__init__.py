"""Starts the page wherever it is: settles the surroundings, then imports Gradio and serves."""

import argparse
import sys
from collections.abc import Sequence

from aigc_demo.ui.options import add_options
from aigc_demo.ui.serving.surroundings import (
    accept_any_text,
    choose_host,
    explain,
    loopback_only,
    on_a_space,
    prepare_environment,
    switched_on,
)


def start(options: argparse.Namespace) -> None:
    """Serves the page until Ctrl-C.

    Raises:
        ValueError, OSError: something stands in the way; the message is one sentence.
    """
    prepare_environment()
    options.share = (options.share or switched_on("GRADIO_SHARE")) and not on_a_space()
    options.mcp = options.mcp or switched_on("GRADIO_MCP_SERVER")
    options.host = choose_host(options.host, options.port, options.share)
    try:
        with loopback_only():
            from aigc_demo.ui.app import serve
        serve(options)
    except (ValueError, OSError, OverflowError, ImportError) as error:
        raise ValueError(explain(error)) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves the page until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description=main.__doc__,
        epilog="example: python app.py --weights runs/gan --port 7861",
    )
    add_options(parser)
    accept_any_text()
    options = parser.parse_args(arguments)
    try:
        start(options)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
