"""python -m aigc_demo: the command line."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("error: expected Python 3.11 or newer, got " + sys.version.split()[0])

from aigc_demo.cli import main

if __name__ == "__main__":
    sys.exit(main())
