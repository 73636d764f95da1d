"""A run that is followed: a bar on stderr where that is a terminal, once it has taken a second."""

import time
from collections.abc import Iterator

from tui.cli.output import console, note
from tui.render.text.numbers import count_text

PATIENCE = 1.0  # seconds before a bar is shown
REFRESH = 0.1  # seconds between two looks at it


def followed(steps: Iterator[int], total: int) -> bool:
    """Take the steps, which yield how many of ``total`` are done; False where Ctrl-C ended them."""
    from rich.progress import Progress

    to = console(stderr=True)
    begun = time.monotonic()
    due, done, bar = begun + PATIENCE, 0, None
    try:
        for done in steps:
            now = time.monotonic()
            if now < due or not to.is_terminal:
                continue
            if bar is None:
                bar = Progress(console=to)
                bar.start()
                task = bar.add_task("", total=total)
            bar.update(task, completed=done)
            due = now + REFRESH
    except KeyboardInterrupt:
        return interrupted(done, total)
    finally:
        if bar is not None:
            bar.stop()
    return True


def interrupted(done: int, total: int) -> bool:
    """Say how far it came."""
    note(f"interrupted after {count_text(done)} of {count_text(total)} iterations")
    return False
