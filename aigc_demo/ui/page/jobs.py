"""Trainings that visitors start: each a process of its own, in a queue, with limits and an end.

A training is `python -m aigc_demo train` in a folder of its own below a common one. It ends when
its minutes are over, when it is told to stop, when nobody has looked at it for a while, and with
the server, whose end it notices at its standard input. What it made stays for an hour.
"""

import atexit
import getpass
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aigc_demo import hub
from aigc_demo.ui.catalog.models import TRAINED, Models, Other
from aigc_demo.ui.kit.check import UserError

LEFT = 30.0  # seconds without a look after which a visitor has left
KEPT = 3600.0  # seconds that what a training made can be used,
MOST_KEPT = 30  # of so many, the last
ENDING = 20.0  # seconds that a training which is told to stop may take
BEYOND = 120.0  # seconds beyond its minutes: for its start, its pictures and its card
EVERY = 0.5  # seconds between two looks at all of them
LONGEST_QUEUE, MOST_OF_ONE = 12, 6  # trainings that are not over: in all, and of one address
MEMORY = 3 * 2**30  # bytes that the process may ask for
FILE = 256 * 2**20  # bytes of one file
FILES = 256  # that are open
NICE = 10  # a tenth of what a busy visitor's work gets; at 19 it would never end
ROOT = Path(__file__).parents[3]  # where the package lies
KINDS = {  # what a process says last -> the sentence that a visitor reads
    "No space left": "train.no_disk",
    "inline_container": "train.no_disk",  # PyTorch's writer of checkpoints
    "MemoryError": "train.no_memory",
    "allocate memory": "train.no_memory",
    "out of memory": "train.no_memory",
}


def may_train() -> bool:
    """True if visitors may train here: as AIGC_TRAINING says, else wherever it is not public."""
    asked = os.environ.get("AIGC_TRAINING")
    if not hasattr(os, "killpg"):  # Windows has no groups of processes, nor priorities of ours
        return False
    if asked is not None:
        return asked == "1"
    return not hub.is_public() and not os.environ.get("SPACES_ZERO_GPU")


def at_once() -> int:
    """How many trainings run at a time: AIGC_TRAINING_JOBS.

    Raises:
        ValueError: it is no number from 1 on.
    """
    text = os.environ.get("AIGC_TRAINING_JOBS", "1")
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"expected AIGC_TRAINING_JOBS to be a number from 1 on, got {text!r}")
    return int(text)


@dataclass
class Job:
    """A training of a visitor."""

    model: str  # what `train` calls it
    arguments: Sequence[str]  # of `train`, after the name; paths are relative to the folder
    seconds: float  # of training
    session: str
    address: str
    key: str = field(default_factory=lambda: secrets.token_hex(16))  # only the visitor knows it
    folder: Path = Path()
    stage: str = "waiting"  # running, stopping, done, failed
    error: str = ""  # the key of a sentence, once it failed
    process: subprocess.Popen | None = None
    seen: float = field(default_factory=time.monotonic)  # when the visitor looked last
    due: float = 0.0  # when it must be over, or was
    found: Other | None = None  # what it made

    @property
    def is_over(self) -> bool:
        return self.stage in ("done", "failed")

    @property
    def output(self) -> Path:
        return self.folder / f"{TRAINED}{self.key[:16]}"

    def command(self, output: str) -> str:
        """The line that makes the same again."""
        words = ["python", "-m", "aigc_demo", "train", self.model, *self.arguments]
        return shlex.join([*words, "--output", output])


def common_folder() -> Path:
    """Where the folders of all trainings of this user are."""
    return Path(tempfile.gettempdir()) / f"aigc-trainings-{getpass.getuser()}"


class Jobs:
    """The trainings of one server, looked after by a thread that ends when there is nothing left.

    Whoever starts one gets its key, and may look at it and stop it by that.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self._jobs: dict[str, Job] = {}  # by key, in the order they were started
        self._lock = threading.RLock()
        self._watching: threading.Thread | None = None
        self._wake = threading.Event()
        self.places = at_once()
        atexit.register(self.close)
        if common_folder().is_dir():  # a server that was killed may have left something
            self._watch()

    def folder(self) -> Path:
        """A new folder for a training and its data.

        Raises:
            OSError: there is no room.
        """
        with self._lock:
            common_folder().mkdir(mode=0o700, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=common_folder()))

    def find(self, session: str) -> Job | None:
        """The training of a session that is not over."""
        with self._lock:
            return next((job for job in self._open() if job.session == session), None)

    def _open(self) -> list[Job]:
        """Those that are not over, in the order they were started."""
        return [job for job in self._jobs.values() if not job.is_over]

    def start(self, job: Job, folder: Path) -> None:
        """Puts a training at the end of the queue. folder: its own, with its data.

        Raises:
            UserError: too many wait, or this address has enough of them.
        """
        with self._lock:
            open_ones = self._open()
            mine = [one for one in open_ones if job.address and one.address == job.address]
            if len(open_ones) >= LONGEST_QUEUE:
                raise UserError("train.full")
            if len(mine) >= MOST_OF_ONE:
                raise UserError("train.of_one", most=MOST_OF_ONE)
            job.folder = folder
            self._jobs[job.key] = job
        self._watch()

    def look(self, key: str) -> Job | None:
        """A training by its key, whose visitor is there."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None:
                job.seen = time.monotonic()
            return job

    def place(self, job: Job) -> int:
        """How many are before a training that waits."""
        with self._lock:
            open_ones = self._open()
            return open_ones.index(job) if job in open_ones else 0  # it may be over by now

    def stop(self, key: str) -> None:
        """Ends a training; what it has learnt so far is kept."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.is_over or job.stage == "stopping":
                return
            if job.process is None:
                self._remove(job)
                return
            job.stage, job.due = "stopping", time.monotonic() + ENDING
            _signal(job.process, signal.SIGTERM)

    def close(self) -> None:
        """Ends all of them at once, and removes what they made."""
        with self._lock:
            for job in list(self._jobs.values()):
                self._remove(job)
            with suppress(OSError):  # another server's are there
                common_folder().rmdir()

    def _remove(self, job: Job) -> None:
        """Kills a training if it still runs, and forgets all of it."""
        self._jobs.pop(job.key, None)
        if job.process is not None and job.process.poll() is None:
            _signal(job.process, signal.SIGKILL)
            job.process.wait()
        if job.found is not None:
            self.models.forget(job.found.name)
        shutil.rmtree(job.folder, ignore_errors=True)

    def _watch(self) -> None:
        with self._lock:
            if self._watching is None or not self._watching.is_alive():
                self._watching = threading.Thread(target=self._run, name="trainings", daemon=True)
                self._watching.start()
            self._wake.set()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._tick(time.monotonic())
                left = _sweep(common_folder(), {job.folder for job in self._jobs.values()})
                if not self._jobs and not left:
                    with suppress(OSError):  # something has come
                        common_folder().rmdir()
                    self._watching = None
                    return
                soon = EVERY if self._jobs else 60.0
            self._wake.wait(soon)
            self._wake.clear()

    def _tick(self, now: float) -> None:
        over = [job for job in self._jobs.values() if job.is_over]
        for job in list(self._jobs.values()):
            if job.is_over:
                if now - job.due > KEPT or job in over[:-MOST_KEPT]:
                    self._remove(job)
            elif now - job.seen > LEFT:
                self._remove(job)
            elif job.process is not None:
                if job.process.poll() is not None:
                    self._finish(job)
                elif now > job.due:
                    _signal(job.process, signal.SIGKILL)
        waiting = [job for job in self._open() if job.stage == "waiting"]
        running = len(self._open()) - len(waiting)
        for job in waiting[: max(0, self.places - running)]:
            self._begin(job)

    def _begin(self, job: Job) -> None:
        command = [sys.executable, "-m", "aigc_demo", "train", job.model, *job.arguments]
        threads = str(os.cpu_count() or 1)
        try:
            with open(job.folder / "said.txt", "wb") as said:
                job.process = subprocess.Popen(
                    [*command, "--attended", "--output", job.output.name],
                    cwd=job.folder,
                    env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads},
                    stdin=subprocess.PIPE,  # ends with this server
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
            _limit(job.process.pid, job.seconds)
            job.stage, job.due = "running", time.monotonic() + job.seconds + BEYOND
        except OSError as error:
            print(f"error: a training could not be started: {error}", file=sys.stderr)
            if job.process is not None:
                _signal(job.process, signal.SIGKILL)
                job.process.wait()
            job.stage, job.error, job.due = "failed", "train.no_disk", time.monotonic()

    def _finish(self, job: Job) -> None:
        """What the process made becomes a model of the page, or the visitor reads why not."""
        assert job.process is not None and job.process.stdin is not None
        job.process.stdin.close()
        job.due = time.monotonic()
        try:
            if job.process.returncode:
                raise ValueError(_last_words(job.folder / "said.txt"))
            job.found = self.models.add_own(job.output, secret=True)
            job.stage = "done"
            for path in job.output.glob("checkpoint*.pt"):
                path.unlink()
        except (ValueError, OSError) as error:
            print(
                f"error: a training ended with {job.process.returncode}: {error}", file=sys.stderr
            )
            ended = {-signal.SIGKILL: "train.killed", -signal.SIGTERM: "train.too_early"}
            job.error = ended.get(job.process.returncode) or _kind(str(error), job)
            job.stage = "failed"
            shutil.rmtree(job.folder, ignore_errors=True)


def _kind(said: str, job: Job) -> str:
    """The sentence for what a process said last."""
    known = [key for mark, key in KINDS.items() if mark in said]
    own = {"--images": "train.no_pictures", "--text": "train.no_text"}
    return [*known, *(own[name] for name in own if name in job.arguments), "train.failed"][0]


def _last_words(path: Path) -> str:
    """The end of what a process wrote."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 2_000))
        lines = file.read().decode(errors="replace").replace("\r", "\n").splitlines()
    return " ".join(lines[-3:])


def _signal(process: subprocess.Popen, number: int) -> None:
    """Sends a signal to a process and those it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _limit(pid: int, seconds: float) -> None:
    """Makes a process give way to all others, and bounds what it may use."""
    os.setpriority(os.PRIO_PROCESS, pid, NICE)
    if not hasattr(os, "pidfd_open"):  # only Linux sets limits of another process
        return
    import resource

    cpu = int((seconds + BEYOND) * (os.cpu_count() or 1))
    limits = {
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
    }
    if not any(Path("/dev").glob("nvidia*")):  # a GPU's driver maps far more than is used
        limits[resource.RLIMIT_DATA] = MEMORY
    for kind, most in limits.items():
        resource.prlimit(pid, kind, (most, most))


def _sweep(common: Path, used: set[Path]) -> bool:
    """Removes what a server that was killed has left, an hour after; True if more is there."""
    left = False
    now = time.time()
    for folder in common.iterdir() if common.is_dir() else ():
        with suppress(FileNotFoundError):  # another server removed it
            if folder in used:
                os.utime(folder)
            elif now - folder.stat().st_mtime > KEPT:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                left = True
    return left
