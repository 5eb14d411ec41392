"""The machine's surroundings: proxies, temporary folders, ports, consoles.

Knows neither Gradio nor torch, as most of it must be settled before they are imported.
"""

import errno
import io
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import getproxies_environment

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"  # this machine only
EVERYWHERE = "0.0.0.0"  # all addresses of this machine
LOOPBACK = ("localhost", HOST, "::1")


def accept_any_text() -> None:
    """Makes print write \\u6625 on a console that cannot show 春, where it would raise.

    Without any console (stdout or stderr closed), what is printed is dropped. In a file, as of a
    service, the page's address stands as soon as it is printed.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def prepare_environment() -> None:
    """Settles what Gradio reads when it is imported: its variables, working and temporary folder.

    Raises:
        ValueError: there is no folder for temporary files, or a variable makes no sense.
    """
    for name, value in list(os.environ.items()):
        if name.startswith("GRADIO_") and not value.strip():
            del os.environ[name]  # set to nothing, as by a Compose file: the default
    os.environ.pop("GRADIO_DEBUG", None)  # launch would not return
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # kept of 10,000, and never read
    root = os.environ.get("GRADIO_ROOT_PATH", "/")
    if not root.startswith(("/", "http://", "https://")):  # every page would be an error 500
        raise ValueError(f"expected GRADIO_ROOT_PATH as /path or an address, got {root!r}")
    try:
        os.getcwd()
    except OSError:  # it was deleted
        os.chdir(ROOT)
    _choose_temporary_folder()
    _keep_loopback_off_proxies()


def _choose_temporary_folder() -> None:
    """Sets GRADIO_TEMP_DIR where Gradio's usual folder, /tmp/gradio, belongs to another user."""
    named = os.environ.get("GRADIO_TEMP_DIR")
    if named:
        if not _can_write(Path(named)):
            raise ValueError(f"expected GRADIO_TEMP_DIR to be a writable folder, got {named!r}")
        return
    try:
        root = tempfile.gettempdir()
    except OSError:
        wanted = "name a writable one in TMPDIR"
        raise ValueError(f"expected a folder for temporary files, found none: {wanted}") from None
    user = getattr(os, "geteuid", int)()
    for folder in (Path(root, "gradio"), Path(root, f"gradio-{user}")):
        if _can_write(folder) and folder.stat().st_uid == user:
            break
    else:
        folder = Path(tempfile.mkdtemp(prefix="gradio-"))
    os.environ["GRADIO_TEMP_DIR"] = str(folder)


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _keep_loopback_off_proxies() -> None:
    """Adds the loopback addresses to the user's NO_PROXY, if there are proxies at all.

    Otherwise nothing is set: on macOS and Windows, any such variable hides the system's proxies.
    """
    proxies = getproxies_environment()
    if set(proxies) - {"no"}:
        kept = [entry.strip() for entry in proxies.get("no", "").split(",") if entry.strip()]
        missing = [name for name in LOOPBACK if name not in kept and "*" not in kept]
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(kept + missing)


def switched_on(name: str) -> bool:
    """True if one of Gradio's variables says so; it is removed, so that our option decides."""
    return (os.environ.pop(name, None) or "").strip().lower() == "true"


def on_a_space() -> bool:
    """True on a Space, where the page already has a public address."""
    return bool(os.environ.get("SPACE_ID"))


@contextmanager
def loopback_only() -> Iterator[None]:
    """For HTTP requests to loopback: no setting of proxies or of certificates is even read.

    httpx makes a connection pool for every proxy when a client is made, so that SOCKS without its
    package, or an unknown scheme, fails even if the request is to loopback: a list of addresses in
    NO_PROXY is no help. A certificate file that is missing fails there too.
    """
    names = ("no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    saved = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"
    try:
        yield
    finally:
        del os.environ["no_proxy"], os.environ["NO_PROXY"]
        os.environ.update(saved)


def choose_host(host: str | None, port: int | None, share: bool) -> str:
    """The address to listen on, IPv6 in brackets, once the page can listen there.

    host: as asked for; by default all addresses where the page is shared, else GRADIO_SERVER_NAME,
    else this machine only. port: None is the first free one from GRADIO_SERVER_PORT or 7860 on.

    Raises:
        ValueError: another program listens there, this user may not, or there is no such address.
    """
    # Gradio looks for a free port of GRADIO_SERVER_NAME by IPv4, so it must not see any other.
    named = os.environ.pop("GRADIO_SERVER_NAME", None)
    host = (host or (EVERYWHERE if share else named) or HOST).strip("[]")
    first = os.environ.get("GRADIO_SERVER_PORT")
    if first and not (first.isdecimal() and 0 < int(first) < 65_536):
        raise ValueError(f"expected GRADIO_SERVER_PORT from 1 to 65535, got {first!r}")
    try:
        found = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ValueError(f"expected an address of this machine as --host, got {host!r}") from None
    _try_to_listen(found[0][0], found[0][4], host)
    if port is not None:
        _try_to_listen(socket.AF_INET, (HOST, port), HOST)
    return f"[{host}]" if ":" in host else host


def _try_to_listen(family: int, address: tuple, host: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # a port whose last connections are still closing is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            port, why = address[1], f"cannot listen on {host}: {error.strerror}"
            if error.errno == errno.EADDRINUSE:
                why = f"port {port} of {host} is in use: choose another with --port"
            elif error.errno == errno.EACCES:
                why = (
                    f"this user may not listen on port {port}: choose one from 1024 on with --port"
                )
            elif error.errno == errno.EADDRNOTAVAIL:
                why = f"expected an address of this machine as --host, got {host!r}"
            raise ValueError(why) from None


def explain(error: BaseException) -> str:
    """An error as one sentence, with the environment variables whose values it quotes."""
    text = " ".join(str(error).split()) or type(error).__name__
    names = [name for name, value in os.environ.items() if value and repr(value) in text]
    if isinstance(error, ModuleNotFoundError):
        text += "; install what is missing with: pip install -r requirements.txt"
    return f"{text} (the value of {', '.join(names)})" if names else text


def can_show(text: str) -> bool:
    """True if the console has the characters of a text."""
    with suppress(UnicodeError, LookupError):
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        return True
    return False
