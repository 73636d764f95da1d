"""A bar on stderr while the initial values of a large network are drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.cli.output import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from engine.arrays import Shape


class Bar:
    """A bar for each large weight in turn; it is gone when all are drawn."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.task: TaskID | None = None
        self.shape: Shape = ()
        self.done = 0

    def drawn(self, shape: "Shape", done: int) -> None:
        """So many elements of a weight of this shape are drawn by now."""
        if self.progress is None:
            self.progress = self.begun()
        if shape != self.shape or done <= self.done or self.task is None:
            if self.task is not None:
                self.progress.remove_task(self.task)
            size = " × ".join(map(str, shape))
            self.task = self.progress.add_task(f"initial values {size}", total=1)
        self.shape, self.done = shape, done
        rows, cols = shape
        self.progress.update(self.task, completed=done / (rows * cols))

    def begun(self) -> "Progress":
        """The bar on display; nothing of it is imported before it is needed."""
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        to = console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(markup=False),
        )
        found = Progress(*columns, console=to, disable=not to.is_terminal, transient=True)
        found.start()
        return found

    def close(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()


@contextmanager
def drawing() -> Iterator[None]:
    """Show how far the initial values are that are drawn within; for small networks nothing."""
    from engine.nn.initializers import told

    bar = Bar()
    try:
        with told(bar.drawn):
            yield
    finally:
        bar.close()
