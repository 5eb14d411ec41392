"""Benchmarks: medians on an otherwise idle machine, beside a peer measured in the same run.

One file a subject; `benchmark` picks it. Rows with a peer state the ratio, the better the larger.
"""

import platform
from collections.abc import Callable
from pathlib import Path

from aigc_demo.benchmark.rows import Row
from aigc_demo.names import SUBJECTS


def benchmark(subject: str) -> list[Row]:
    """The rows of one subject.

    Raises:
        ValueError: an unknown subject, or a peer that is not installed.
    """
    if subject not in SUBJECTS:
        raise ValueError(f"expected one of {', '.join(SUBJECTS)}, got {subject!r}")
    measure: Callable[[], list[Row]]
    if subject == "gan":
        from aigc_demo.benchmark.pictures import measure_gan as measure
    elif subject == "vae":
        from aigc_demo.benchmark.pictures import measure_vae as measure
    elif subject == "text":
        from aigc_demo.benchmark.text import measure
    elif subject == "app":
        from aigc_demo.benchmark.app import measure
    else:
        from aigc_demo.benchmark.load import measure
    return measure()


def hardware() -> str:
    """The processor or GPU, and the versions of what computes, in a line."""
    import onnxruntime
    import torch

    from aigc_demo.devices import choose_device

    device = choose_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else _processor()
    threads = f"{torch.get_num_threads()} threads"
    return f"{name}, {threads}, torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"


def _processor() -> str:
    """The model name of the CPU where Linux tells it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
