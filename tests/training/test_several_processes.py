"""Trainings shared by two processes, started by PyTorch's own launcher."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from servers import ROOT

from aigc_demo.models.batch import BatchNorm, normal, part, uniform
from aigc_demo.training.log import read_rows

# Full precision, so that the sums differ in their last bits alone.
SCRIPT = """
import sys
from pathlib import Path
import torch
from aigc_demo import training
from aigc_demo.training import run

torch.cpu._is_avx512_bf16_supported = lambda: False
torch.set_num_threads(1)
if "--slowly" in sys.argv and not Path(sys.argv[2], "died").exists():
    import os, time
    run.SAVE_EVERY = 0.0
    write_row = run.Run._write_row

    def slowly(self, step, bar):
        write_row(self, step, bar)
        time.sleep(0.05)
        if step == 30 and self.first:
            Path(sys.argv[2], "died").touch()
            os.kill(os.getpid(), 9)

    run.Run._write_row = slowly
training.train(sys.argv[1], "smoke", None, Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("script") / "train.py"
    path.write_text(SCRIPT)
    return path


def start(script: Path, processes: int, *arguments: object, restarts: int = 0) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launcher += [f"--nproc-per-node={processes}", f"--max-restarts={restarts}"]
    done = subprocess.run(
        [*launcher, script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize(
    ("name", "tolerance"),
    # Relative to the norm. Muon orthogonalises in bfloat16, and adversaries magnify the last bits.
    # These two have all that the sharing must get right: Muon and Adam, two players, batch norm.
    [("shakespeare", 0.1), ("gan", 0.3)],
)
def test_two_processes_end_with_the_weights_of_one(script, tmp_path, name, tolerance):
    for processes in (1, 2):
        start(script, processes, name, tmp_path / str(processes))
    one, two = (load_file(tmp_path / count / "model.safetensors") for count in "12")
    assert set(one) == set(two)
    for key in one:
        apart = (one[key].float() - two[key].float()).norm() / (1e-3 + one[key].float().norm())
        assert apart < tolerance, f"{key}: {apart:.2g}"
    rows = [read_rows(tmp_path / count / "log.jsonl") for count in "12"]
    assert len(rows[0]) == len(rows[1])
    for first, second in list(zip(*rows, strict=True))[:10]:
        assert first["step"] == second["step"]
        for loss in (key for key in first if "loss" in key):
            assert first[loss] == pytest.approx(second[loss], rel=5e-3, abs=5e-3)


def test_a_killed_process_is_started_again_and_ends_with_the_same_weights(script, tmp_path):
    start(script, 2, "vae", tmp_path / "killed", "--slowly", restarts=2)
    assert (tmp_path / "killed" / "died").exists()
    start(script, 2, "vae", tmp_path / "whole")
    weights = [(tmp_path / n / "model.safetensors").read_bytes() for n in ("killed", "whole")]
    assert weights[0] == weights[1]


# One's part of a batch, as the processes see it


@pytest.fixture
def places(monkeypatch):
    """Makes this process the given one of several."""

    def become(rank: int, world: int) -> None:
        monkeypatch.setattr("aigc_demo.models.batch.place", lambda: (rank, world))

    return become


@pytest.mark.parametrize("draw", [uniform, normal])
def test_the_parts_together_are_the_numbers_of_one_process(places, draw):
    torch.manual_seed(0)
    whole = draw(6, 2)
    parts = []
    for rank in range(3):
        places(rank, 3)
        torch.manual_seed(0)
        parts.append(draw(2, 2))
    assert torch.equal(torch.cat(parts), whole)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(places):
    places(0, 3)
    assert part(torch.arange(6)).tolist() == [0, 1]
    with pytest.raises(ValueError, match="share evenly, got 7"):
        part(torch.arange(7))


def test_batch_norm_over_several_processes_is_that_of_torch(places, monkeypatch):
    x = torch.randn(6, 3, 4, 4)
    expected, found = torch.nn.BatchNorm2d(3), BatchNorm(3)
    # two processes that hold the same rows: the sum over them is twice one's own
    monkeypatch.setattr("torch.distributed.nn.functional.all_reduce", lambda moments: 2 * moments)
    places(0, 2)
    torch.testing.assert_close(found(x), expected(torch.cat([x, x]))[:6], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.running_mean, expected.running_mean)
    torch.testing.assert_close(found.running_var, expected.running_var)
    assert found.num_batches_tracked == 1
