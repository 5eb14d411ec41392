"""AIGC Demo: run with `python app.py`, then open the address it prints."""

try:
    import spaces  # there on ZeroGPU Spaces; before torch
except ImportError:
    pass
else:
    spaces.GPU(lambda: None)  # a ZeroGPU Space must have one such function; these models need none

from aigc_demo.ui.app import main

if __name__ == "__main__":
    main()
