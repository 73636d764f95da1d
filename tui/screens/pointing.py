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
    """Tensors and elements by name, by selection and by cursor."""

    debugger: Debugger

    @property
    def session(self) -> Session:
        """What the debugger steps."""
        return self.debugger.session

    @property
    @abstractmethod
    def current_view(self) -> View | None:
        """What is shown."""

    @abstractmethod
    def snapshot(self) -> View:
        """A new snapshot of the session."""

    @property
    @abstractmethod
    def focused_pane(self) -> str:
        """The pane that a person works in."""

    def found(self, text: str) -> list[str]:
        """The tensors whose name or symbol holds a text."""
        infos = self.session.run.tensors.values()
        return [i.name for i in infos if text.lower() in i.name.lower() or text in i.symbol]

    def grid(self) -> MatrixGrid | None:
        """The grid that the focused pane shows."""
        if self.focused_pane not in ("tensor", "jacobian"):
            return None
        return self.query_one(f"#{self.focused_pane}").query_one(MatrixGrid)

    def expression(self) -> str:
        """The selected tensor, or its element under the cursor of the grid."""
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
