"""The first look at a derivative of a long network of lines: found out in a thread.

Where it can be non-zero and what computes it holds for the whole run; a step asks for little more.
"""

from collections.abc import Callable
from contextlib import suppress

from textual.widget import Widget

from engine.errors import GradstepError
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from tui.render.jacobian import matrix_of
from tui.view.snapshot import View

MANY = 200  # lines: of fewer a first look takes no longer than a key may
LOOKING = "looking through {} lines …"


class FirstLook:
    """Which derivatives are known of the run on display; ``shown`` is told of one that is now.

    While one is looked for its pane says so in its frame.
    """

    def __init__(self, pane: Widget, shown: Callable[[], object]) -> None:
        self.pane = pane
        self.shown = shown
        self.run: object = None
        self.known: set[object] = set()

    def has(self, view: View) -> bool:
        """Whether the derivative of a View is quickly made; looked for in a thread where not."""
        count = lines_of(view)
        if count < MANY:
            return True
        if view.run is not self.run:
            self.run, self.known = view.run, set()
        key = view.of, view.wrt, view.derivative.sample is None
        if key in self.known:
            return True
        self.pane.border_subtitle = LOOKING.format(f"{count:,}")
        self.pane.run_worker(
            lambda: self.look(view, key), thread=True, group="first-look", exclusive=True
        )
        return False

    def look(self, view: View, key: object) -> None:
        """In a thread: make the derivative and its first entry."""
        with suppress(GradstepError):  # the pane says it
            matrix_of(view).window(range(1), range(1))
        self.pane.call_later(self.found, view, key)

    def found(self, view: View, key: object) -> None:
        """A derivative is known now."""
        if view.run is self.run:
            self.known.add(key)
            self.pane.border_subtitle = ""
            self.shown()


def lines_of(view: View) -> int:
    """The lines of the network; 0 for one of layers, and for a captured run."""
    run = view.run
    if not isinstance(run, Program) or not isinstance(run.network, LineNetwork):
        return 0
    return len(run.network.graph.lines)
