"""AIGC Demo: run with `python app.py`, then open the address it prints."""

import gc
import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("error: expected Python 3.11 or newer, got " + sys.version.split()[0])

if "SPACES_ZERO_GPU" in os.environ:
    import spaces  # before torch

    # It reports the start to a ZeroGPU Space, which refuses an app that does not, only if a
    # function is marked for a GPU. This one is never called: these small models stay on the CPU.
    spaces.GPU(lambda: None)

if __name__ == "__main__":
    gc.disable()  # while modules are imported: a fifth of the start; serve enables it again

from aigc_demo.ui import main

if __name__ == "__main__":
    main()
