"""The page for others: Gradio's public tunnel, else this machine's address in its own network."""

import socket
import threading
from urllib.parse import urlsplit

import gradio as gr
import httpx
from gradio import networking

from aigc_demo.ui.kit.qr import qr_text
from aigc_demo.ui.serving.surroundings import can_show

REACH_SECONDS = 4.0  # to see whether the tunnel's makers can be reached at all
TUNNEL_SECONDS = 60.0  # to make it; the first time a program of 12 MB is fetched


def lend(demo: gr.Blocks) -> None:
    """Prints an address of a running page that others can open, with its QR code.

    The tunnel's if there is one in time; it is also named when it comes later.
    """
    reached, done, public = threading.Event(), threading.Event(), threading.Event()

    def dig() -> None:
        try:
            if networking.GRADIO_SHARE_SERVER_ADDRESS is None:
                httpx.get(networking.GRADIO_API_SERVER, timeout=REACH_SECONDS).raise_for_status()
            reached.set()
            port, token = demo.server_port, demo.share_token
            address = networking.setup_tunnel("127.0.0.1", port, token, None, None)
            _show("public, for up to a week", f"https://{urlsplit(address).netloc}/")
            public.set()
        except Exception as error:  # of the client, the tunnel and the file system, unrelated
            print(f"no public address: {type(error).__name__}: {error}".splitlines()[0], flush=True)
        finally:
            reached.set()
            done.set()

    threading.Thread(target=dig, daemon=True).start()  # a name look-up may hang for long
    if reached.wait(REACH_SECONDS):
        done.wait(TUNNEL_SECONDS)
    if not public.is_set():
        _show("in this network", f"http://{local_address()}:{demo.server_port}/")


def _show(where: str, address: str) -> None:
    code = qr_text(address)
    print(f"{address}  ({where})\n{code if can_show(code) else ''}", flush=True)


def local_address() -> str:
    """This machine's address in its network, or 127.0.0.1 without one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # kept for documentation: no one's (RFC 5737)
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"
