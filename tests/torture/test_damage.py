"""Weights and links that were damaged in any place: refused with a sentence, or harmless."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import tabs
from torture.scale import TIMES

from aigc_demo.explain.history import read_history
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.kit.words import Words
from aigc_demo.weights import BUNDLED, check_folder, read_tensors

FOLDERS = ("judge", "gan-mlp", "vae-beta-0", "flow", "broken-order", "unmask")  # one a family
MODELS, WORDS = Models(TABS), Words()
SHARES = tabs.shares(MODELS, WORDS)
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[[]]],
    {"a": [1]},
]


def _damaged_json(text: str, draw: random.Random) -> str:
    """JSON in which a value at any depth is another, is gone, or the text is cut."""
    if draw.random() < 0.2:
        return text[: draw.randrange(len(text))]
    content = json.loads(text)
    at: Any = content
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = draw.choice(keys)
        if isinstance(at[key], dict | list) and at[key] and draw.random() < 0.7:
            at = at[key]
            continue
        if draw.random() < 0.3:
            del at[key]
        else:
            at[key] = draw.choice(VALUES)
        return json.dumps(content)


def _damage(path: Path, draw: random.Random) -> None:
    data = path.read_bytes()
    if path.suffix == ".json":
        path.write_text(_damaged_json(data.decode(), draw), encoding="utf-8", errors="replace")
        return
    kind = draw.randrange(3)
    if kind == 0:
        data = data[: draw.randrange(len(data))]
    elif kind == 1:
        place = draw.randrange(len(data))
        data = data[:place] + bytes([data[place] ^ (1 << draw.randrange(8))]) + data[place + 1 :]
    else:  # in the head, where the tensors are described
        place = draw.randrange(min(2_000, len(data)))
        data = data[:place] + draw.randbytes(8) + data[place + 8 :]
    path.write_bytes(data)


def _sound(read: Callable[[], Any]) -> None:
    try:
        read()
    except ValueError as error:
        assert 8 < len(str(error)) < 2_000, error


@pytest.mark.parametrize("name", FOLDERS)
def test_damaged_weights_are_refused_with_a_sentence_or_load(name: str, tmp_path: Path) -> None:
    draw = random.Random(name)
    for turn in range(20 * TIMES):
        folder = tmp_path / str(turn)
        folder.mkdir()
        for path in (BUNDLED / name).iterdir():
            if path.is_file():
                shutil.copy(path, folder)
        damaged = draw.choice(["config.json", "config.json", "model.safetensors"])
        _damage(folder / damaged, draw)
        _sound(lambda folder=folder: check_folder(folder))
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["gan-small", "shakespeare", "unmask"])
def test_a_damaged_history_is_none_or_read(name: str, tmp_path: Path) -> None:
    draw = random.Random(name)
    whole = (BUNDLED / name / "history.json").read_text(encoding="utf-8")
    (tmp_path / "config.json").write_bytes((BUNDLED / name / "config.json").read_bytes())
    if (pictures := BUNDLED / name / "history").is_dir():
        shutil.copytree(pictures, tmp_path / "history")
    for _ in range(20 * TIMES):
        text = _damaged_json(whole, draw)
        (tmp_path / "history.json").write_text(text, encoding="utf-8", errors="replace")
        read_history(str(tmp_path))  # None, or what could be read


@pytest.mark.parametrize("table", ["shakespeare/neurons", "shakespeare/overlap", "gan/directions"])
def test_a_damaged_table_is_refused_with_a_sentence_or_read(table: str, tmp_path: Path) -> None:
    draw = random.Random(table)
    source = BUNDLED / f"{table}.safetensors"
    for _ in range(20 * TIMES):
        path = tmp_path / source.name
        shutil.copy(source, path)
        _damage(path, draw)
        _sound(lambda path=path: read_tensors(path))


@pytest.mark.parametrize("tab", tabs.RESULTS)
def test_a_damaged_link_is_read_as_far_as_it_goes(tab: str) -> None:
    draw, share = random.Random(tab), SHARES[tab]
    state = tabs.RESULTS[tab]
    if isinstance(state, dict):
        state = tuple(state.get(name, share.link.first[name]) for name in share.link.names)
    whole = share.link.query(state)
    for _ in range(max(2, 50 * TIMES // len(tabs.RESULTS))):
        pairs = [pair.partition("=") for pair in whole.split("&")]
        place = draw.randrange(len(pairs))
        junk = draw.choice(
            ["", "~", "~AAAA", "1e999", "-0", "%00", "٣", "a" * 5_000, "<script>", "[[", "NaN"]
        )
        kind = draw.randrange(4)
        if kind == 0:
            del pairs[place]
        elif kind == 1:
            pairs[place] = (pairs[place][0], "=", quote(junk))
        elif kind == 2:
            pairs.append((draw.choice(["x", "tab", pairs[place][0]]), "=", quote(junk)))
        else:
            text = pairs[place][2]
            cut = draw.randrange(len(text) + 1)
            pairs[place] = (pairs[place][0], "=", text[:cut] + junk + text[cut:])
        query = "&".join("".join(pair) for pair in pairs)
        try:
            values, left_out = share.link.restore(query, WORDS, "en")
        except UserError as error:
            assert error.key in WORDS.table["en"], error.key
        else:
            assert len(values) == len(share.link.names)
            assert all(isinstance(one, str) for one in left_out)
