"""A user's own folders as guests: their names, and those that are none."""

import json
import shutil
from pathlib import Path

import pytest

from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.hub_models import HubModels
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.check import UserError


def put(source: Path, folder: Path, *names: str) -> None:
    for name in names:
        shutil.copytree(source, folder / name)


def owns(models: Models) -> list[str]:
    return [other.own for other in models.others.values()]


def test_a_guest_never_takes_the_name_of_another_model(tiny_folders, tmp_path: Path) -> None:
    put(tiny_folders["gan"], tmp_path, "gan", "flow", "a b", "a-b")
    models = Models(TABS, tmp_path)
    assert owns(models) == ["a-b", "a-b-2", "flow-2", "gan-2"]
    others = HubModels(models)
    assert others.bring("gan", "gan") == "gan" and others.bring("flow", "flow") == "flow"
    for own, name in zip(owns(models), models.others, strict=True):
        assert others.bring(own, "gan") == name == models.known(name, ("gan",))


def test_names_of_any_language_stay(tiny_folders, tmp_path: Path) -> None:
    names = ["Straße", "我的 模型", "手写数字", "хорошо"]
    put(tiny_folders["gan"], tmp_path, *names)
    models = Models(TABS, tmp_path)
    assert owns(models) == [name.replace(" ", "-") for name in sorted(names)]
    for name in models.others:
        assert models.known(name, ("gan",)) == name
    assert HubModels(models).bring("我的 模型", "gan").startswith("own/我的-模型@")
    with pytest.raises(UserError) as refused:
        models.known("no such model", ("gan",))
    assert "我的-模型" in refused.value.values["allowed"].split(", ")


def test_what_is_no_model_is_left_out_with_a_line(
    tiny_folders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tiny_folders["gan"], tmp_path, "good")
    put(tiny_folders["judge"], tmp_path, "judge")
    for name, text in (("cut", '{"format": 1'), ("strange", "[]"), ("empty", "{}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(text)
    config = json.loads((tiny_folders["gan"] / "config.json").read_text())
    put(tiny_folders["gan"], tmp_path, "future")
    (tmp_path / "future" / "config.json").write_text(json.dumps({**config, "format": 99}))
    put(tiny_folders["gan"], tmp_path, "damaged", "without")
    weights = tmp_path / "damaged" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    (tmp_path / "without" / "model.safetensors").unlink()
    assert owns(Models(TABS, tmp_path)) == ["good"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 7 and all(line.startswith("left out: ") for line in lines)
    with pytest.raises(ValueError, match="expected a model that a tab shows, got a judge"):
        Models(TABS, tmp_path / "judge")
    shutil.rmtree(tmp_path / "good")
    with pytest.raises(ValueError, match="all were left out"):
        Models(TABS, tmp_path)
