"""The page starts wherever it is, or ends with one sentence: real processes in hostile places."""

import argparse
import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from gradio_client import Client
from huggingface_hub.utils import httpx
from servers import ROOT, free_port, wait_for

from aigc_demo.data.files import data_folder
from aigc_demo.hub.errors import explained
from aigc_demo.ui.serving import surroundings
from aigc_demo.ui.serving.surroundings import can_show, loopback_only

NOBODY = 65534
APP = [sys.executable, str(ROOT / "app.py")]
COMMANDS = [sys.executable, "-m", "aigc_demo"]
IN_A_DELETED_FOLDER = ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"']
WITHOUT_A_CONSOLE = ["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh"]
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that refuses everything: its address (host:port), and what it was asked."""
    asked: list[str] = []

    class Refuse(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(502)

        do_GET = do_HEAD = do_POST = do_CONNECT = refuse

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """A bare environment, its home in a folder of the test's."""
    kept = {key: os.environ[key] for key in ("PATH", "OMP_NUM_THREADS") if key in os.environ}
    return {**kept, "HOME": str(folder), **variables}


def draw(command: list[str], variables: dict[str, str], host: str = "127.0.0.1") -> str:
    """Starts a page, has it draw a digit, and returns what it printed."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://{host}:{port}/"
            wait_for(url, process, log)
            client = Client(url, verbose=False)
            picture = client.predict(labels="7", count=1, seed=0, api_name="/gan_sample")
            assert Path(picture).is_file()
        finally:
            process.terminate()
            process.wait(20)
        log.seek(0)
        printed = log.read().decode()
    assert "Traceback" not in printed and "rror" not in printed
    return printed


def test_behind_an_http_proxy_in_a_deleted_folder_on_an_ascii_console(proxy, tmp_path) -> None:
    address, asked = proxy
    proxies = dict.fromkeys(("http_proxy", "HTTPS_PROXY"), f"http://{address}")
    console = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "NO_PROXY": "example.org"}
    gone = tmp_path / "工作 folder"
    gone.mkdir()
    printed = draw(
        [*IN_A_DELETED_FOLDER, str(gone), *APP], environment(tmp_path, **proxies, **console)
    )
    assert not gone.exists()
    assert "http://127.0.0.1:" in printed
    assert asked == []


@functools.cache
def as_nobody() -> bool:
    """Whether another user can be tried: by root, and if that user reaches this Python."""
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    command = [*AS_NOBODY, sys.executable, "-c", f"open({APP[1]!r})"]
    return subprocess.run(command, cwd="/", capture_output=True).returncode == 0


def test_behind_socks_without_home_and_certificates_in_a_taken_temporary_folder() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # as /tmp is; and in it, Gradio's folder as another user left it
        if other := as_nobody():
            (folder / "gradio").mkdir(mode=0o755)
        else:
            (folder / "gradio").write_text("no folder")
        (folder / "home").mkdir(mode=0o555)
        home = folder / "home" if other else folder / "none"
        empty = ("GRADIO_SERVER_PORT", "GRADIO_SERVER_NAME", "GRADIO_NUM_PORTS")
        variables = {
            "ALL_PROXY": "socks5://127.0.0.1:9",
            "SSL_CERT_FILE": str(folder / "none.pem"),
            "TMPDIR": name,
            "HF_HOME": str(home / "hf"),
            "GRADIO_DEBUG": "1",
            **dict.fromkeys(empty, ""),
        }
        draw([*(AS_NOBODY if other else []), *APP], environment(home, **variables))
        # Its pictures lay there; a server that ends empties it.
        assert (folder / f"gradio-{NOBODY if other else os.geteuid()}").is_dir()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_with_proxies_of_no_sense_by_the_command_on_ipv6_without_a_console(tmp_path) -> None:
    variables = {
        "http_proxy": "http://h:port",
        "all_proxy": "socks4://h",
        "no_proxy": "[z,fd00::/8",
    }
    host = "::1" if has_ipv6() else "127.0.0.1"
    command = [*WITHOUT_A_CONSOLE, *COMMANDS, "demo", "--host", host]
    draw(command, environment(tmp_path, **variables), f"[{host}]" if ":" in host else host)


def sentence(command: list[str], variables: dict[str, str]) -> str:
    """What a command says on its one line of stderr."""
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, timeout=60)
    said = done.stderr.decode().strip().splitlines()
    assert done.returncode == 1 and len(said) == 1 and said[0].startswith("error: "), said
    return said[0]


WRONG = [
    (["--host", "192.0.2.7"], {}, "expected an address of this machine as --host, got '192.0.2.7'"),
    (["--host", "no host"], {}, "expected an address of this machine as --host, got 'no host'"),
    ([], {"GRADIO_SERVER_NAME": "192.0.2.7"}, "expected an address of this machine"),
    ([], {"GRADIO_SERVER_PORT": "abc"}, "GRADIO_SERVER_PORT from 1 to 65535, got 'abc'"),
    ([], {"GRADIO_SERVER_PORT": "70000"}, "GRADIO_SERVER_PORT from 1 to 65535, got '70000'"),
    ([], {"GRADIO_TEMP_DIR": str(ROOT / "app.py")}, "GRADIO_TEMP_DIR to be a writable folder"),
    ([], {"GRADIO_ROOT_PATH": "app"}, "GRADIO_ROOT_PATH as /path or an address, got 'app'"),
    ([], {"HF_HUB_ETAG_TIMEOUT": "soon"}, "'soon' (the value of HF_HUB_ETAG_TIMEOUT)"),
]


@pytest.mark.parametrize(("options", "variables", "expected"), WRONG)
def test_where_it_cannot_start_one_sentence_says_why(
    options, variables, expected, tmp_path
) -> None:
    assert expected in sentence([*APP, *options], environment(tmp_path, **variables))


@pytest.mark.parametrize("port", ["0", "-1", "70000", "http"])
def test_a_port_that_there_is_not_is_refused(port: str) -> None:
    done = subprocess.run([*APP, "--port", port], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"argument --port: expected a port from 1 to 65535, got {port!r}" in done.stderr


def test_a_taken_port_is_named_before_anything_is_loaded(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for command in (APP, [*COMMANDS, "demo"]):
            said = sentence([*command, "--port", str(port)], environment(tmp_path))
            assert said.endswith(f"port {port} of 127.0.0.1 is in use: choose another with --port")


def test_a_port_for_root_alone_is_named(tmp_path) -> None:
    if not as_nobody():
        pytest.skip("only root can try another user, one who reaches this Python")
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("everyone may listen on every port here")
    said = sentence([*AS_NOBODY, *APP, "--port", "80"], environment(tmp_path, TMPDIR="/tmp"))
    assert "this user may not listen on port 80" in said


@pytest.mark.parametrize("name", ["app.py", "aigc_demo/__main__.py"])
def test_an_older_python_is_named(name: str) -> None:
    code = (
        "import runpy, sys; sys.version_info, sys.version = (3, 10, 9), '3.10.9 of old'; "
        f"runpy.run_path({name!r}, run_name='__main__')"
    )
    said = sentence([sys.executable, "-c", code], dict(os.environ))
    assert said == "error: expected Python 3.11 or newer, got 3.10.9"


def test_a_package_that_is_missing_is_named() -> None:
    code = "import sys; sys.modules['gradio'] = None; from aigc_demo.ui import main; main([])"
    said = sentence([sys.executable, "-c", code], dict(os.environ))
    assert "gradio" in said and "pip install -r requirements.txt" in said


def test_a_poem_is_printed_on_any_console(tmp_path) -> None:
    command = [*COMMANDS, "sample", "poems", "--form", "五绝", "--title", "春", "--seed", "1"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path, PYTHONIOENCODING="ascii"), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(rb"\\u[0-9a-f]{4}", done.stdout)) >= 20


def test_the_hub_behind_a_proxy_of_no_use_is_one_sentence(tmp_path) -> None:
    variables = environment(tmp_path, ALL_PROXY="socks5://127.0.0.1:9")
    said = sentence([*COMMANDS, "sample", "alice/digits"], variables)
    assert "the proxy that the environment names is of no use here" in said
    assert "socksio" in said


@pytest.mark.parametrize("url", ["socks4://h:1", "http://h:port"])
def test_other_proxies_of_no_use_are_told_from_what_the_hub_answers(url: str) -> None:
    with pytest.raises((ValueError, httpx.InvalidURL)) as caught:
        httpx.Client(proxy=url)
    assert explained("alice/digits", caught.value).kind == "proxy"


def test_the_users_no_proxy_is_kept_and_set_only_beside_a_proxy(monkeypatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("https_proxy", "HTTPS_PROXY", "ftp_proxy", "FTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    surroundings._keep_loopback_off_proxies()
    assert "no_proxy" not in os.environ and "NO_PROXY" not in os.environ
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "example.org, localhost")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.delenv("no_proxy")
    surroundings._keep_loopback_off_proxies()
    expected = "example.org,localhost,127.0.0.1,::1"
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == expected


def test_what_is_hidden_while_the_page_asks_itself_comes_back(monkeypatch) -> None:
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("SSL_CERT_FILE", "/none")
    before = dict(os.environ)
    with loopback_only():
        assert (os.environ["no_proxy"], os.environ["NO_PROXY"]) == ("*", "*")
        assert "SSL_CERT_FILE" not in os.environ
    assert dict(os.environ) == before


def test_tools_that_could_not_call_the_page_are_refused(monkeypatch) -> None:
    from aigc_demo.ui import app

    monkeypatch.setattr(app, "find_spec", lambda name: name)  # as if the extra were installed
    options = argparse.Namespace(mcp=True, auth=None)
    app._check_mcp(options)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1,::1")
    with pytest.raises(ValueError, match="expected proxies that httpx knows with --mcp"):
        app._check_mcp(options)


def test_a_user_without_a_home_is_told_to_name_a_folder_for_the_data(monkeypatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("AIGC_DATA", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(ValueError, match="AIGC_DATA"):
        data_folder()


def test_without_any_temporary_folder_the_page_says_so(monkeypatch) -> None:
    def none() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(ValueError, match="name a writable one in TMPDIR"):
        surroundings.prepare_environment()


def test_a_qr_code_is_for_consoles_that_have_its_blocks(monkeypatch) -> None:
    assert can_show("\u2588")
    with open(os.devnull, "w", encoding="ascii") as console:
        monkeypatch.setattr(sys, "stdout", console)
        assert not can_show("\u2588")


DEBIAN = """#!/bin/sh
# Debian's Python without the package python3-venv: there is no ensurepip.
case "$*" in
  *ensurepip*) exit 1 ;;
  "-m venv"*) mkdir -p .venv/bin; ln -s "{python}" .venv/bin/python; exit 1 ;;
esac
exec "{python}" "$@"
"""
OLD = '#!/bin/sh\ncase "$*" in *version_info*) exit 1 ;; esac\necho "Python 3.9.2"\n'


def make(folder: Path, python: str | Path) -> tuple[int, list[str]]:
    """Makes the virtual environment alone; the exit status, and stderr but for make's own lines."""
    command = ["make", ".venv/bin/pip", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return done.returncode, lines


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_names_the_package_for_venv_and_works_once_it_is_there(tmp_path) -> None:
    folder = tmp_path / "有 空格"
    (folder / ".venv/bin").mkdir(parents=True)  # half-made by an earlier try
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(ROOT / "Makefile", folder)
    debian, old = tmp_path / "debian", tmp_path / "old"
    debian.write_text(DEBIAN.format(python=sys.executable))
    old.write_text(OLD)
    debian.chmod(0o755)
    old.chmod(0o755)

    status, said = make(folder, old)
    assert status == 2 and len(said) == 1
    assert "expected Python 3.11 or newer" in said[0] and "Python 3.9.2" in said[0]

    status, said = make(folder, debian)
    assert status == 2 and len(said) == 1
    assert "apt install python3-venv" in said[0]
    assert f"python3.{sys.version_info.minor}-venv" in said[0]
    assert not (folder / ".venv").exists()

    assert make(folder, sys.executable) == (0, [])
    done = subprocess.run([folder / ".venv/bin/python", "-m", "pip", "--version"])
    assert done.returncode == 0
