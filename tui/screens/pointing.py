"""What a word, the selection or the cursor of a grid points at.

An abstract base of the main screen.
"""

from abc import abstractmethod

from engine.debugger import Debugger
from engine.session.session import Session
from tui.panes.tensor import TensorPane
from tui.panes.tensor_grid import TensorGrid
from tui.render.text.numbers import exact
from tui.view.snapshot import View
from tui.widgets.grid import MatrixGrid
from tui.widgets.lines import LinesScreen


class Pointing(LinesScreen):
    """Resolves tensors and elements by name, by selection and by the cursor of a grid."""

    debugger: Debugger

    @property
    def session(self) -> Session:
        """The session that the debugger steps."""
        return self.debugger.session

    @property
    @abstractmethod
    def current_view(self) -> View | None:
        """The View on display; None before the first."""

    @abstractmethod
    def snapshot(self) -> View:
        """A new View of the session; while a thread moves it, the View before."""

    @property
    @abstractmethod
    def focused_pane(self) -> str:
        """The id of the pane with the focus, or that had it before the prompt."""

    def found(self, text: str) -> list[str]:
        """The names of the tensors whose name (in any case) or symbol holds a text."""
        infos = self.session.run.tensors.values()
        return [i.name for i in infos if text.lower() in i.name.lower() or text in i.symbol]

    def grid(self) -> MatrixGrid | None:
        """The grid of the focused pane; None where it has none."""
        if self.focused_pane not in ("tensor", "jacobian"):
            return None
        return self.query_one(f"#{self.focused_pane}").query_one(MatrixGrid)

    def expression(self) -> str:
        """The selected tensor as an expression; in the tensor pane its element under the cursor."""
        view = self.snapshot()
        return self.selected_value()[0] if self.focused_pane == "tensor" else view.tensor

    def selected_value(self) -> tuple[str, str]:
        """The selected element as it is written in an expression, and its value."""
        view = self.snapshot()
        array = view.array
        if array is None or array.ndim == 0:
            return view.tensor, "" if array is None else exact(array)
        index = self.tensor_grid(view).index()
        if len(index) != array.ndim:  # nothing of it can be seen, so that there is no cursor
            index = (0,) * array.ndim
        inside = tuple(min(i, size - 1) for i, size in zip(index, array.shape, strict=True))
        return f"{view.tensor}[{', '.join(map(str, inside))}]", exact(array[inside])

    def tensor_grid(self, view: View) -> TensorGrid:
        """The grid of the tensor pane on this View, which a hidden pane has not got by itself."""
        pane = self.query_one(TensorPane)
        pane.view = view
        return pane.grid
