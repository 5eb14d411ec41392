"""The options of serving the page; apart from the page, so that --help needs not load it."""

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds them to app.py or to the command demo."""
    add = parser.add_argument
    add("--weights", type=Path, help="a weights folder of your own, or a folder or zip of them")
    add(
        "--replace",
        action="store_true",
        help="put these in the place of the bundled models of the same name, not beside them",
    )
    add("--lessons", type=Path, metavar="DIR", help="a folder of lessons of your own (*.yaml)")
    add("--host", help="address to listen on (default: this machine only)")
    add("--port", type=_port, help="port (default: the first free from 7860)")
    add("--auth", type=_credentials, metavar="USER:PASSWORD", help="ask visitors for these")
    add(
        "--share",
        action="store_true",
        help="print a public address by Gradio's tunnel, or one for the local network, as QR code",
    )
    add(
        "--mcp",
        action="store_true",
        help="offer the endpoints as tools of the Model Context Protocol too; needs Gradio's extra",
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {text!r}")
    return int(text)


def _credentials(text: str) -> tuple[str, str]:
    name, _, password = text.partition(":")
    if not name or not password:
        raise argparse.ArgumentTypeError(f"expected USER:PASSWORD, got {name!r} alone")
    return name, password
