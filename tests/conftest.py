"""Tiny models in weights folders, and the real app in a process of its own, once a session."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from browser.pages import words
from fake_hub import FakeHub
from playwright.sync_api import Browser, Page, expect
from servers import serving
from tiny import PICTURES, coupled_vae, transformer, unmask
from torch import nn

from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.judge import DigitJudge
from aigc_demo.inference.transformer import TextWriter
from aigc_demo.inference.vae import LatentWalker
from aigc_demo.tokenizer import COVERED, CharacterTokenizer
from aigc_demo.training.transformer import poem_tokenizer
from aigc_demo.weights import save_model

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # tests need no network, so no proxy

torch.set_num_threads(1)  # tiny tensors: a second thread only waits, for long on a busy machine

ENGLISH = "\n !,.abcdefghijklmnopqrstuvwxyz"
CHINESE = "，。" + "".join(
    sorted(set("春曉眠不覺處聞啼鳥夜來風雨聲花落知多少萬里裏悲秋常作客干幹戈寥星"))
)


def _lively(make: Callable[[], nn.Module]) -> nn.Module:
    """A model whose every parameter matters: none is left at the 0 or 1 it starts from."""
    torch.manual_seed(0)
    model = make()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """What a test sets in the environment, as the start of the page does, ends with it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory):
    """Family -> its weights folder; "poems" beside them."""
    root = tmp_path_factory.mktemp("tiny")
    for family, make in PICTURES.items():
        save_model(root / family, f"tiny-{family}", family, _lively(make))
    save_model(root / "coupled", "tiny-coupled", "vae", _lively(coupled_vae))
    tokenizers = {
        "transformer": CharacterTokenizer(ENGLISH),
        "poems": poem_tokenizer(CHINESE),
    }
    for name, context in (("transformer", 16), ("poems", 40)):
        tokenizer = tokenizers[name]
        model = _lively(partial(transformer, len(tokenizer), context))
        save_model(root / name, f"tiny-{name}", "transformer", model, tokenizer)
    known = CharacterTokenizer(ENGLISH, [COVERED])
    save_model(
        root / "unmask", "tiny-unmask", "unmask", _lively(partial(unmask, len(known), 16)), known
    )
    return {path.name: path for path in root.iterdir()}


@pytest.fixture(scope="session")
def tiny_gan(tiny_folders):
    return DigitSampler.load(tiny_folders["gan"], "cpu")


@pytest.fixture(scope="session")
def tiny_vae(tiny_folders):
    return LatentWalker.load(tiny_folders["vae"], "cpu")


@pytest.fixture(scope="session")
def tiny_mlp(tiny_folders):
    """A GAN without classes."""
    return DigitSampler.load(tiny_folders["gan-mlp"], "cpu")


@pytest.fixture(scope="session")
def tiny_coupled(tiny_folders):
    """A convolutional VAE with a learned prior."""
    return LatentWalker.load(tiny_folders["coupled"], "cpu")


@pytest.fixture(scope="session")
def tiny_judge(tiny_folders):
    return DigitJudge.load(tiny_folders["judge"], "cpu")


@pytest.fixture(scope="session")
def tiny_writer(tiny_folders):
    """English letters, a context of 16."""
    return TextWriter.load(tiny_folders["transformer"], "cpu")


@pytest.fixture(scope="session")
def tiny_poet(tiny_folders):
    """All four forms; its context of 40 is shorter than a 五律 or 七律."""
    return TextWriter.load(tiny_folders["poems"], "cpu")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub that the client reaches, in this process; its cache is empty, nobody is logged in."""
    from huggingface_hub import constants

    with FakeHub() as hub:
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield hub


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The real app in a process of its own, as a visitor's browser meets it."""
    with serving() as url:
        yield url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The system's Chromium; without one, a failure in CI and a skip elsewhere."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        advice = "no Chromium; install one with: sudo apt-get install -y chromium fonts-noto-cjk"
        pytest.fail(advice) if os.environ.get("CI") else pytest.skip(advice)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return {**browser_type_launch_args, "executable_path": found, "args": quiet}


@pytest.fixture
def visit(browser: Browser, server_url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in some language, size and theme; it must raise no error and ask no other host."""
    language, (width, height), *theme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN" if language == "zh" else "en-US",
        has_touch=width < 500,
    )
    page = context.new_page()
    errors: list[str] = []
    elsewhere: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((server_url, "data:", "blob:"))
            else elsewhere.append(asked.url)
        ),
    )
    page.goto(f"{server_url}?__theme={theme[0]}" if theme else server_url)
    expect(page).to_have_title(words(language)["page.title"], timeout=30_000)
    yield page
    assert errors == []
    assert elsewhere == []
    context.close()
