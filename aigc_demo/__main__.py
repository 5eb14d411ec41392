"""python -m aigc_demo: the command line."""

import sys

from aigc_demo.cli import main

if __name__ == "__main__":
    sys.exit(main())
