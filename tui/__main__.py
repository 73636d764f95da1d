"""``python -m tui`` is ``gradstep``."""

import sys
from pathlib import Path

# -m has put the folder one stands in first, where a file that happens to be named like a library
# would be loaded in its place; only the product itself may stand there.
if not sys.flags.safe_path and Path(sys.path[0]) != Path(__file__).parents[1]:
    del sys.path[0]

from tui.cli import main

if __name__ == "__main__":
    main()
