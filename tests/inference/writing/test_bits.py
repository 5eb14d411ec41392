"""Pictures have the same bits at every place of a chunk, in any company, by any kernels.

What multiplies pictures chooses its kernels by the processor. Each kind that this one has is tried
in a process of its own, since the choice is made once.
"""

import os
import subprocess
import sys

import pytest
import torch

KINDS = {  # ONEDNN_MAX_CPU_ISA -> whether this processor has it
    "": True,
    "AVX2": torch.cpu._is_avx2_supported(),
    "AVX512_CORE": torch.cpu._is_avx512_supported(),
    "AVX512_CORE_BF16": torch.cpu._is_avx512_bf16_supported(),
}
SWEEP = """
import sys, torch
from aigc_demo.inference.gan import DigitSampler
from aigc_demo.inference.vae import LatentWalker
torch.set_num_threads(int(sys.argv[1]))
for make in (DigitSampler.load("gan", "cpu"), LatentWalker.load("vae", "cpu"),
             LatentWalker.load("vae-2d", "cpu")):
    alone = torch.cat([make.sample([seed]) for seed in range(70)])
    for count in (2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 70):
        assert torch.equal(make.sample(range(count)), alone[:count]), (make, count)
    for place in range(0, 70, 3):  # all places of a chunk of 8, or of any power of 2
        seeds = list(range(70))
        seeds[0], seeds[place] = seeds[place], seeds[0]
        assert torch.equal(make.sample(seeds), alone[seeds]), (make, place)
print(alone.double().sum().item())
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_the_same_bits_at_every_place_and_by_any_threads(kind):
    if not KINDS[kind]:
        pytest.skip(f"this processor has no {kind}")
    environment = dict(os.environ, ONEDNN_MAX_CPU_ISA=kind)
    if not kind:
        del environment["ONEDNN_MAX_CPU_ISA"]
    totals = set()
    for threads in ("1", "2"):
        command = [sys.executable, "-c", SWEEP, threads]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr
        totals.add(done.stdout)
    assert len(totals) == 1
