"""The frame of every training: its folder, steps, log, checkpoints and history.

Everything random in a step follows from (seed, step), so a checkpoint holds no generator and no
position: a killed training that is started again ends with the same weights as one that was not.
Nor does it depend on how many processes share the work (`torchrun`): each takes its rows of every
batch and of the noise for it, and gradients are averaged by DistributedDataParallel.
"""

import contextlib
import json
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from aigc_demo.models.batch import place
from aigc_demo.training.log import read_rows, write_row
from aigc_demo.training.processes import first_process, join_processes, stop_signals
from aigc_demo.training.steps import log_spaced, step_seed
from aigc_demo.weights import SNAPSHOTS, replace_file

MOMENTS = 12  # how often the history looks at what the model makes
LOOK_EVERY = 2.0  # seconds between two looks of a training that has a limit of time
CLOSE = 0.25  # two looks later by less than this share of all steps: the one between is left out
ROWS = 200  # lines of the log, and points of its curves
SAVE_EVERY = 60.0  # seconds between checkpoints


class Run:
    """One training in one folder; starting it again there resumes it.

    Args:
        name: of the model.
        output: the folder that becomes the weights folder.
        recipe: a frozen dataclass with all settings, `steps` and `seed` among them.
        data: the fingerprint of what it reads. A checkpoint of another recipe or of other data is
            refused.
        items: what one step reads of `unit`: images or tokens.

    Raises:
        ValueError: the folder is a file.
    """

    def __init__(
        self, name: str, output: Path, recipe: Any, data: str, items: int, unit: str
    ) -> None:
        self.name, self.output = name, output
        self.settings = {"name": name, "data": data, **asdict(recipe)}
        self.snapshots = self.settings.pop("snapshots", 0)  # which change nothing of the training
        self.total, self.items, self.unit = recipe.steps, items, unit
        self.limit: float = recipe.seconds  # `total` becomes the steps that fit into it
        self._looked = -math.inf  # seconds of training at the last look
        self.device = join_processes()
        _, self.world = place()
        if self.limit and self.world > 1:
            raise ValueError("expected one process for a training with a limit of time")
        self.moments = log_spaced(recipe.steps, MOMENTS)
        self.history: list[dict[str, Any]] = []
        self.seconds = 0.0  # of training, over all sessions
        self._start, self._parts, self._losses = 0, {}, {}  # type: ignore[var-annotated]
        self._whole = False  # True once checkpoint.pt is one of this training
        if output.exists() and not output.is_dir():
            raise ValueError(f"{output}: expected a folder for the weights, got a file")
        output.mkdir(parents=True, exist_ok=True)

    @property
    def first(self) -> bool:
        """True in the process that writes the log, checkpoints and the weights."""
        return first_process()

    def distributed(self, model: nn.Module) -> nn.Module:
        """The model to call in training: its gradients are averaged over the processes."""
        if self.world == 1:
            return model
        return DistributedDataParallel(model, forward_sync_buffers=False)

    @property
    def checkpoint(self) -> Path:
        return self.output / "checkpoint.pt"

    @property
    def earlier(self) -> Path:
        """The checkpoint before the last, should that one be damaged."""
        return self.output / "checkpoint-before.pt"

    @property
    def log(self) -> Path:
        return self.output / "log.jsonl"

    def resume(self, **parts: Any) -> None:
        """Names what a checkpoint holds (anything with a state_dict), and restores it if there.

        Raises:
            ValueError: the folder holds a training with other settings, or no whole checkpoint.
        """
        self._parts = parts
        saved = self._last_saved()
        if saved is None:
            if self.first:
                self.log.unlink(missing_ok=True)
            return
        for what, now in (("threads", torch.get_num_threads()), ("processes", self.world)):
            if saved[what] != now and self.first:
                print(f"{saved[what]} {what} before, now {now}: the last bits will differ")
        self._start, self.seconds = saved["step"], saved["seconds"]
        self.history = saved["history"]
        if not self.first:
            return
        rows = [line for line in read_rows(self.log) if line["step"] <= self._start]
        self.log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        print(f"resumed after step {self._start} of {self.total}")

    def _last_saved(self) -> dict[str, Any] | None:
        """The last whole checkpoint, or None where there is none at all.

        Raises:
            ValueError: what is there is no checkpoint of this training.
        """
        for path in (self.checkpoint, self.earlier, self.log):
            if path.exists() and not path.is_file():
                raise ValueError(f"{path}: expected a file, got a folder: use another --output")
        there = [path for path in (self.checkpoint, self.earlier) if path.is_file()]
        for path in there:
            try:
                saved = self._read(path)
            except Exception:  # whatever torch.load or a part says to what is no such content
                if self.first:
                    instead = "; the one before it is tried" if path != there[-1] else ""
                    print(f"{path}: damaged, or of another program{instead}")
                continue
            if saved["settings"] != self.settings:
                raise ValueError(
                    f"{self.output} holds a training with other settings or data; use another"
                )
            self._whole = path == self.checkpoint
            return saved
        if there:
            names = " or ".join(path.name for path in there)
            raise ValueError(
                f"{self.output}: expected a whole {names}, got a damaged one: delete it, or use "
                "another folder"
            )
        return None

    def _read(self, path: Path) -> dict[str, Any]:
        """A checkpoint, looked at to the last byte; one of this training is put into the parts.

        Raises:
            Exception: of any kind, where it is none.
        """
        with zipfile.ZipFile(path) as archive:  # torch.load does not look at its checksums
            if damaged := archive.testzip():
                raise ValueError(f"{path}: {damaged} is damaged")
        saved = torch.load(path, map_location=self.device, weights_only=True)
        if dict(saved["settings"]) != self.settings:
            return saved
        counts = (saved["step"], saved["threads"], saved["processes"])
        moments = [moment["step"] for moment in saved["history"]]
        if not all(type(number) is int for number in (*counts, *moments)):
            raise ValueError(f"{path}: expected whole numbers")
        if not 0 <= saved["step"] <= self.total or not 0 <= saved["seconds"] < math.inf:
            raise ValueError(f"{path}: expected a step of {self.total}, got {saved['step']}")
        for key, part in self._parts.items():
            part.load_state_dict(saved["parts"][key])
        return saved

    def steps(self) -> Iterator[int]:
        """The steps still to do, each with its own seed; saves between them and at the end.

        Told to stop (Ctrl-C, SIGTERM), it ends the step, saves, and stops; where time is limited,
        it is over then.

        Raises:
            KeyboardInterrupt: it was told to stop; with the number of the signal.
        """
        saved = time.monotonic()
        bar = tqdm(
            initial=self._start * self.items,
            total=self.total * self.items,
            unit=self.unit,
            unit_scale=True,
            desc=self.name,
            mininterval=1.0,
            disable=not self.first,
        )
        step = self._start
        with stop_signals() as signals, contextlib.closing(bar):
            while step < self.total:
                begun = time.monotonic()
                torch.manual_seed(step_seed(self.settings["seed"], step))
                yield step
                step += 1
                self.seconds += time.monotonic() - begun
                stop = self._agreed(max(signals, default=0))
                if self.limit:
                    self._fit(step, stop)
                    bar.total, stop = self.total * self.items, 0
                self._write_row(step, bar)
                bar.update(self.items)
                if stop or time.monotonic() - saved > SAVE_EVERY or step == self.total:
                    self._save(step)
                    saved = time.monotonic()
                if stop:
                    raise KeyboardInterrupt(stop)

    def report(self, **losses: Tensor | float) -> None:
        """Takes the losses of this step, to be averaged into the next row of the log."""
        for key, value in losses.items():
            self._losses.setdefault(key, []).append(
                value.detach() if isinstance(value, Tensor) else value
            )

    def _fit(self, step: int, stop: int) -> None:
        """Sets the steps in all: as many as fit into the limit, or, told to stop, those done."""
        share = self.seconds / self.limit
        if stop or share >= 1 or step == self.total:
            self.total = step
        elif share > 0.01:
            self.total = max(step + 1, round(step / share))

    def due(self, step: int) -> bool:
        """True if this process adds a moment to the history before this step."""
        if self.limit:
            return self.first and self.seconds - self._looked >= LOOK_EVERY
        return self.first and step in self.moments

    def remember(
        self,
        step: int,
        picture: bytes | None = None,
        save: Callable[[Path], None] | None = None,
        **what: Any,
    ) -> None:
        """Adds a moment to the history, with its picture (a PNG) if it has one.

        save: writes the weights into a folder, where snapshots of them are wanted.
        """
        if save is not None and self.snapshots:
            save(self._snapshot(step))
        if picture is not None:
            folder = self.output / "history"
            folder.mkdir(exist_ok=True)
            what["picture"] = f"history/{step:06d}.png"
            replace_file(self.output / what["picture"], picture)
        self.history = [moment for moment in self.history if moment["step"] != step]
        self.history.append({"step": step, self.unit + "s": step * self.items, **what})
        if self.limit:
            self._looked = self.seconds
            self._thin()
            self.write_history()

    def _thin(self) -> None:
        """Leaves out moments that are close to their neighbours, so that early ones stay."""
        while len(self.history) > 3:
            before, between, last = (moment["step"] for moment in self.history[-3:])
            if last - before > CLOSE * last:
                break
            left = self.history.pop(-2)
            if "picture" in left:
                (self.output / left["picture"]).unlink(missing_ok=True)
            shutil.rmtree(self._snapshot(left["step"]), ignore_errors=True)

    def _snapshot(self, step: int) -> Path:
        return self.output / SNAPSHOTS / f"{step:06d}"

    def _choose_snapshots(self) -> None:
        """Keeps those of as many moments as are wanted, the first and the last among them."""
        there = [moment["step"] for moment in self.history]
        last = len(there) - 1
        wanted = {round(last * k / max(1, self.snapshots - 1)) for k in range(self.snapshots)}
        for number, step in enumerate(there):
            if number not in wanted:
                shutil.rmtree(self._snapshot(step), ignore_errors=True)

    def write_history(self) -> None:
        """history.json: the moments, and the curves of the log."""
        if self.snapshots and self.history[-1]["step"] == self.total:
            self._choose_snapshots()
        content = {"moments": self.history, "curves": read_rows(self.log)}
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        replace_file(self.output / "history.json", text.encode())

    def _agreed(self, signal_number: int) -> int:
        """The largest signal number of all processes, so that they stop after the same step."""
        if self.world == 1:
            return signal_number
        number = torch.tensor(signal_number, device=self.device)
        dist.all_reduce(number, dist.ReduceOp.MAX)
        return int(number)

    def _write_row(self, step: int, bar: tqdm) -> None:
        if step % max(1, self.total // ROWS) and step != self.total:
            return
        row: dict[str, Any] = {"step": step, "seconds": round(self.seconds, 1)}
        for key, values in self._losses.items():
            mean = torch.tensor(sum(map(float, values)) / len(values), device=self.device)
            if self.world > 1:
                dist.all_reduce(mean)  # a sum
            row[key] = round(float(mean) / self.world, 5)
            if not math.isfinite(row[key]):
                raise ValueError(f"expected a finite {key}, got {row[key]} after step {step}")
        self._losses.clear()
        if not self.first:
            return
        write_row(self.log, row)
        bar.set_postfix({key: row[key] for key in row if key not in ("step", "seconds")})

    def _save(self, step: int) -> None:
        if not self.first:
            return
        part = self.checkpoint.with_name("checkpoint.tmp")
        content = {
            "settings": self.settings,
            "threads": torch.get_num_threads(),
            "processes": self.world,
            "step": step,
            "seconds": self.seconds,
            "history": self.history,
            "parts": {key: part.state_dict() for key, part in self._parts.items()},
        }
        with open(part, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        if self._whole:  # a damaged one must not take the place of the one before it
            os.replace(self.checkpoint, self.earlier)
        os.replace(part, self.checkpoint)
        self._whole = True
