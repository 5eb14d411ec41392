"""The history of a training: what is bundled, and what a stranger may have put there."""

import json
import shutil
from pathlib import Path

import pytest

from aigc_demo.explain.history import LARGEST_PICTURE, SIGNATURE, read_history
from aigc_demo.weights import BUNDLED

MODELS = sorted(path.parent.name for path in BUNDLED.glob("*/history.json"))
MODELS.remove("judge")  # which makes nothing


@pytest.mark.parametrize("name", MODELS)
def test_a_bundled_history_is_whole(name: str) -> None:
    found = read_history(name)
    assert found is not None
    steps = [one.step for one in found.moments]
    assert steps == sorted(set(steps))
    assert [one.seen for one in found.moments] == sorted({one.seen for one in found.moments})
    assert all(bool(one.picture) != bool(one.text) for one in found.moments)
    assert all(one.picture.startswith(SIGNATURE) for one in found.moments if one.picture)
    assert [one.seconds for one in found.moments] == sorted(one.seconds for one in found.moments)
    for line in found.curves.values():
        assert len(line) > 50 and [step for step, _ in line] == sorted({step for step, _ in line})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(BUNDLED / "gan-small", tmp_path / "mine")
    return tmp_path / "mine"


def change(folder: Path, **changes: object) -> None:
    path = folder / "history.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def moment(**changes: object) -> list[dict[str, object]]:
    return [{"step": 0, "images": 0, "picture": "history/000000.png", **changes}]


@pytest.mark.parametrize(
    "changes",
    [
        {"moments": []},
        {"moments": 7},
        {"moments": [7]},
        {"moments": moment(step=-1)},
        {"moments": moment(step="1")},
        {"moments": moment(images=2**60)},
        {"moments": moment(picture="../config.json")},
        {"moments": moment(picture="history/none.png")},
        {"curves": []},
        {"curves": [{"step": 1, "seconds": "soon", "loss": 2}]},
        {"curves": [{"step": 1, "seconds": 2, "loss": {}}]},
    ],
)
def test_a_damaged_history_is_none(folder: Path, changes: dict[str, object]) -> None:
    assert read_history(folder) is not None
    change(folder, **changes)
    assert read_history(folder) is None


def test_files_outside_and_large_ones_are_not_read(folder: Path) -> None:
    secret = folder.parent / "secret.png"
    secret.write_bytes(SIGNATURE + b"secret")
    change(folder, moments=moment(picture="../../secret.png"))
    assert read_history(folder) is None
    (folder / "history/secret.png").symlink_to(secret)
    change(folder, moments=moment(picture="history/secret.png"))
    assert read_history(folder) is None
    (folder / "history/large.png").write_bytes(SIGNATURE + bytes(LARGEST_PICTURE))
    change(folder, moments=moment(picture="history/large.png"))
    assert read_history(folder) is None


def test_what_is_long_is_cut_and_what_is_no_number_left_out(folder: Path) -> None:
    rows = [{"step": k, "seconds": k, "loss": float("nan") if k == 3 else k} for k in range(5_000)]
    texts = [{"step": k, "tokens": k, "text": 9_000 * "a"} for k in range(60)]
    change(folder, moments=texts, curves=rows)
    found = read_history(folder)
    assert found is not None and found.unit == "tokens"
    assert len(found.moments) == 32 and len(found.moments[0].text) == 2_000
    assert len(found.curves["loss"]) == 1_999  # of 2,000, without the one that is no number
    (folder / "history.json").write_text("[" * 100_000)
    assert read_history(folder) is None
    (folder / "history.json").unlink()
    assert read_history(folder) is None
