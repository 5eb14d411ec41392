"""How much is tried: a tenth in the suite, all of it by `make torture`."""

import os

TIMES = int(os.environ.get("AIGC_TORTURE", "1"))  # 10: all of it
