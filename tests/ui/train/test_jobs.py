"""Trainings that visitors start, in real processes: queue, limits, ends, what is left of them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import ROOT

from aigc_demo.inference.vae import LatentWalker
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.kit.check import UserError
from aigc_demo.ui.page import jobs as module
from aigc_demo.ui.page.jobs import Job, Jobs, common_folder

LONG = 90.0  # seconds until something must have happened


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = Jobs(Models(TABS))
    yield made
    made.close()
    assert not common_folder().exists()


def started(jobs: Jobs, minutes: float = 0.03, session: str = "a", address: str = "") -> Job:
    arguments = ["--preset", "small", "--minutes", str(minutes)]
    job = Job("vae-2d", arguments, 60 * minutes, session, address)
    jobs.start(job, jobs.folder())
    return job


def until(jobs: Jobs, met: Callable[[], bool], *seen: Job) -> None:
    limit = time.monotonic() + LONG
    while not met():
        assert time.monotonic() < limit, [(job.stage, job.error) for job in seen]
        for job in seen:
            jobs.look(job.key)
        time.sleep(0.1)


def learns(job: Job) -> bool:
    return (job.output / "log.jsonl").is_file()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_training_becomes_a_model_that_only_its_visitor_can_name(jobs: Jobs) -> None:
    job = started(jobs)
    until(jobs, lambda: job.process is not None, job)
    assert os.getpriority(os.PRIO_PROCESS, job.process.pid) == module.NICE
    until(jobs, lambda: job.is_over, job)
    assert job.stage == "done" and job.process.returncode == 0
    assert job.found.name.startswith("own/mine-") and job.found.secret
    assert jobs.models.trained(job.found.name) is job.found
    assert jobs.models.get(job.found.name, LatentWalker.load).sample([1]).isfinite().all()
    with pytest.raises(UserError) as refused:
        jobs.models.known("another", ("vae-2d", "vae"))
    assert "mine" not in refused.value.values["allowed"]
    assert not list(job.output.glob("checkpoint*"))


def test_stop_keeps_what_was_learnt(jobs: Jobs) -> None:
    job = started(jobs, minutes=5)
    until(jobs, lambda: learns(job), job)
    jobs.stop(job.key)
    jobs.stop(job.key)  # pressed again
    until(jobs, lambda: job.is_over, job)
    assert job.stage == "done"


def test_one_at_a_time_and_the_others_see_their_place(jobs: Jobs) -> None:
    first, second, third = (started(jobs, 5, name) for name in "abc")
    until(jobs, lambda: first.process is not None, first, second, third)
    assert [jobs.place(job) for job in (first, second, third)] == [0, 1, 2]
    assert second.process is None and jobs.find("b") is second
    jobs.stop(second.key)  # who waits leaves at once
    assert jobs.look(second.key) is None and jobs.place(third) == 1
    until(jobs, lambda: learns(first), first, third)
    jobs.stop(first.key)
    until(jobs, lambda: third.process is not None, first, third)
    assert first.is_over


def test_who_leaves_leaves_nothing_behind(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job, waiting = started(jobs, 5, "a"), started(jobs, 5, "b")
    until(jobs, lambda: learns(job), job, waiting)
    process, folder = job.process.pid, job.folder
    monkeypatch.setattr(module, "LEFT", 0.5)
    until(jobs, lambda: not folder.exists() and not waiting.folder.exists())
    assert jobs.look(job.key) is None and jobs.look(waiting.key) is None
    assert not is_alive(process)


def test_what_was_trained_is_gone_after_an_hour(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = started(jobs)
    until(jobs, lambda: job.is_over, job)
    name = job.found.name
    monkeypatch.setattr(module, "KEPT", 0.0)
    until(jobs, lambda: jobs.look(job.key) is None)
    assert name not in jobs.models.others and not job.folder.exists()
    with pytest.raises(UserError, match="trained_gone"):
        jobs.models.trained(name)


def test_a_training_that_is_killed_says_so_and_the_next_one_runs(jobs: Jobs) -> None:
    job, other = started(jobs, 5, "a"), started(jobs, session="b")
    until(jobs, lambda: learns(job), job, other)
    os.kill(job.process.pid, signal.SIGKILL)
    until(jobs, lambda: other.is_over, job, other)
    assert (job.stage, job.error, other.stage) == ("failed", "train.killed", "done")
    assert not job.folder.exists()


def test_a_training_that_never_ends_is_ended(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEYOND", -290.0)
    job = started(jobs, 5)
    until(jobs, lambda: job.is_over, job)
    assert (job.stage, job.error) == ("failed", "train.killed")


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process has such limits")
@pytest.mark.parametrize(("limit", "most"), [("MEMORY", 350 * 2**20), ("FILE", 999)])
def test_a_training_that_wants_too_much_fails_alone(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(module, limit, most)
    job = started(jobs)
    until(jobs, lambda: job.is_over, job)
    assert job.stage == "failed" and job.error in ("train.no_memory", "train.failed")
    until(jobs, lambda: not job.folder.exists())


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("error: [Errno 28] No space left on device: 'history/000001.png'", "train.no_disk"),
        (
            "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos",
            "train.no_disk",
        ),
        ("RuntimeError: DefaultCPUAllocator: can't allocate memory", "train.no_memory"),
        ("torch.OutOfMemoryError: CUDA out of memory.", "train.no_memory"),
        ("MemoryError", "train.no_memory"),
        ("error: data: expected different pictures, got one 40 times", "train.no_pictures"),
    ],
)
def test_what_went_wrong_is_told_by_what_the_training_said_last(said: str, error: str) -> None:
    job = Job("gan", ["--images", "data"], 60, "a", "")
    assert module._kind(said, job) == error


def test_limits_of_the_queue_and_of_an_address(jobs: Jobs) -> None:
    for _ in range(module.MOST_OF_ONE):
        started(jobs, 5, address="198.51.100.7")
    with pytest.raises(UserError, match="train.of_one"):
        started(jobs, 5, address="198.51.100.7")
    for place in range(module.LONGEST_QUEUE - module.MOST_OF_ONE):
        started(jobs, 5, address=f"198.51.100.{10 + place}")
    with pytest.raises(UserError, match="train.full"):
        started(jobs, 5)
    for folder in common_folder().iterdir():
        if not any(one.folder == folder for one in jobs._jobs.values()):
            folder.rmdir()  # of the two that were refused


SERVER = """
import sys, tempfile, time
from pathlib import Path
from aigc_demo.ui.app import TABS
from aigc_demo.ui.catalog.models import Models
from aigc_demo.ui.page.jobs import Job, Jobs, common_folder
jobs = Jobs(Models(TABS))
job = Job("vae-2d", ["--preset", "small", "--minutes", "5"], 300, "a", "")
jobs.start(job, jobs.folder())
while not (job.output / "log.jsonl").is_file():
    jobs.look(job.key)
    time.sleep(0.1)
print(job.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_a_training_ends_with_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None and server.stdin is not None
    training = int(server.stdout.readline())
    if killed:
        server.kill()
    server.stdin.close()
    server.wait(LONG)
    limit = time.monotonic() + LONG
    while is_alive(training):
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert common_folder().exists() == killed
    for folder in tmp_path.glob("aigc-trainings-*/*"):  # an hour later the next server removes it
        os.utime(folder, (0, 0))
    Jobs(Models(TABS))
    while common_folder().exists():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_where_trainings_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIGC_TRAINING", "AIGC_PUBLIC", "SPACES_ZERO_GPU"):
        monkeypatch.delenv(name, raising=False)
    assert module.may_train()
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    assert not module.may_train()
    monkeypatch.delenv("SPACES_ZERO_GPU")
    monkeypatch.setenv("AIGC_PUBLIC", "1")
    assert not module.may_train()
    monkeypatch.setenv("AIGC_TRAINING", "1")
    assert module.may_train()
    monkeypatch.setenv("AIGC_TRAINING_JOBS", "3")
    assert module.at_once() == 3
    monkeypatch.setenv("AIGC_TRAINING_JOBS", "0")
    with pytest.raises(ValueError, match="AIGC_TRAINING_JOBS"):
        module.at_once()
