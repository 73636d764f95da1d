"""``python -m tui`` is ``gradstep``."""

from tui.cli import main

if __name__ == "__main__":
    main()
