"""The tensor pane: the head over the grid, and the pane's own commands."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.reactive import reactive

from engine.errors import GradstepError
from tui.control.array_file import array_path, writing
from tui.control.worker import Job
from tui.keys.bindings import bindings
from tui.keys.messages import NumberChosen
from tui.panes.tensor_grid import IndexWanted, TensorGrid
from tui.render.kept import with_corner
from tui.render.op import op_height
from tui.render.tensor import range_text
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text, exact, shape_text
from tui.render.variables import Summaries
from tui.view.display import (
    Face,
    elements_of,
    field_of,
    index_at,
    shown_shape,
    turned,
    value_at,
    why_nothing,
)
from tui.view.find import Hit, Sought, find, work
from tui.view.region import Region, parse_region
from tui.view.snapshot import View
from tui.view.value_range import EXAMPLES, parse_range
from tui.view.versions import Elements, Version, shown_version
from tui.widgets.formatted import FormattedPane
from tui.widgets.host import host_of
from tui.widgets.tensor_heads import OpHead, TensorHead


class TensorPane(FormattedPane):
    """The tensor pane: an op over the head and the grid of its result.

    ``form`` has the choices made in it.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("tensor")
    view: reactive[View | None] = reactive(None, repaint=False)
    shown: reactive[View | None] = reactive(None, repaint=False)
    most = 0  # lines that the op has at most

    def __init__(
        self, summaries: Summaries, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.summaries = summaries

    def compose(self) -> ComposeResult:
        yield OpHead(self.summaries).data_bind(TensorPane.view)
        yield TensorHead(self.summaries).data_bind(TensorPane.view, TensorPane.form)
        yield TensorGrid().data_bind(TensorPane.form, view=TensorPane.shown)

    @property
    def grid(self) -> TensorGrid:
        """The grid of the values, numbers or colours."""
        return self.query_one(TensorGrid)

    def on_resize(self) -> None:
        """Share the lines: those of the op need as many as the operands of the program have."""
        view = self.view
        if view is None or not self.is_mounted:
            return
        self.most = self.most_of_op(view)
        op, head = op_height(view.run, view.listing, self.content_size.height, self.most)
        self.query_one(OpHead).styles.height = op
        self.query_one(TensorHead).styles.height = head

    def most_of_op(self, view: View) -> int:
        """A line where no op made the tensor; beside a picture an op has none of its numbers."""
        if view.shown is None:
            return 1
        return 99 if self.form.shown_face(view) == Face.NUMBERS else 2

    def watch_form(self) -> None:
        """A picture has more room than numbers."""
        self.watch_view()

    # -- the cursor

    def watch_view(self) -> None:
        """The value under the cursor may be another; what is over the grid may need less room."""
        self.shown = with_corner(self.view)
        if self.view is not None and self.most_of_op(self.view) != self.most:
            self.on_resize()
        self.show_value()

    def on_mount(self) -> None:
        """The head follows the cursor at once: a message would be painted by itself, later."""
        for place in ("row", "column"):
            self.watch(self.grid, place, self.show_value, init=False)

    def show_value(self) -> None:
        """Show the index and the exact value under the cursor, while the grid has the focus."""
        if not self.is_mounted or self.view is None:
            return
        grid, form = self.grid, self.form
        texts: tuple[str, ...] = ("",)
        value = value_at(self.view, form, grid.row, grid.column) if grid.has_focus else None
        if value is not None:
            at = ", ".join(map(str, index_at(self.view, form, grid.row, grid.column)))
            texts = (f"[{at}] = {exact(value)}", f"[{at}] = {compact(value)}")
        self.query_one(TensorHead).under = texts

    def on_descendant_focus(self) -> None:
        """Show the value under the cursor."""
        self.show_value()

    def on_descendant_blur(self) -> None:
        """Show no value under the cursor."""
        self.show_value()

    @on(IndexWanted)
    def go_to_index(self, message: IndexWanted) -> None:
        """Show an index of the tensor and go there."""
        message.stop()
        self.go_to(message.index)

    def go_to(self, index: tuple[int, ...]) -> None:
        """Show an index of the tensor, with the same axes as rows and columns."""
        view = self.view
        if view is not None and view.array is not None and view.array.ndim == len(index):
            part = self.form.region(view).showing(shown_shape(view, self.form), index)
            self.show_part(part, index)

    def show_part(self, part: Region, index: tuple[int, ...] = ()) -> None:
        """Show another region, with the cursor at ``index`` if it lies there, else where it was."""
        view = self.view
        if view is None or view.array is None:
            return
        shape = shown_shape(view, self.form)
        index = index or self.grid.index()
        self.form = self.form.with_region(view, part)
        if not index or view.array.size == 0:
            return
        inside = part.showing(shape, index)
        if inside == part:
            self.grid.go_to(*part.place_of(shape, index))

    # -- commands: how it is drawn

    def action_face(self) -> None:
        """Draw numbers, a heat map, or the picture where rows are images."""
        if self.view is not None:
            self.form = self.form.next_face(self.view)
            self.say(str(self.form.face))

    def action_side(self) -> None:
        """The values now, before the selected level, or their difference."""
        version = turned(self.form.version)
        self.form = replace(self.form, version=version)
        level = self.view.level if self.view is not None else "op"
        words = {
            Version.AFTER: "the values now",
            Version.BEFORE: f"the values before this {level}",
            Version.DIFFERENCE: f"what this {level} has added: now − before",
        }
        self.say(words[version])
        self.show_value()

    def action_range(self) -> None:
        """Ask for a range of values."""
        bounds = self.form.bounds
        text = "" if bounds is None else range_text(bounds)
        self.ask(f"values to highlight: {EXAMPLES}", text, "range", self.set_range)

    def action_range_off(self) -> None:
        """Highlight no range of values."""
        self.say("no range of values is set" if self.form.bounds is None else "no range any more")
        self.form = replace(self.form, bounds=None)

    def action_explain(self) -> None:
        """Explain the number under the cursor."""
        self.post_message(NumberChosen())

    # -- commands: which part

    def action_slice(self) -> None:
        """Ask for a NumPy slice."""
        if (view := self.computed()) is not None and view.array is not None:
            label = f"slice of {view.tensor} {shape_text(view.array.shape)}"
            self.ask(label, self.form.region(view).text(), "slice", self.set_slice)

    def action_axes(self, by: int) -> None:
        """Other axes as rows and columns."""
        if (view := self.computed()) is not None:
            here = self.grid.index()
            part = self.form.region(view).other_axes(by)
            index = here or part.axes.index
            self.show_part(replace(part, axes=replace(part.axes, index=index)))
            self.say(f"rows ↓ and columns → {self.form.region(view).label()}")

    def action_transpose(self) -> None:
        """Swap rows and columns."""
        if (view := self.computed()) is not None:
            self.show_part(self.form.region(view).transposed())
            self.say(f"rows ↓ and columns → {self.form.region(view).label()}")

    def action_index(self, by: int) -> None:
        """The next index of the axes that are not shown."""
        view = self.computed()
        if view is None or view.array is None:
            return
        part = self.form.region(view)
        moved = part.other_index(view.array.shape, by)
        if moved == part:
            self.say("every axis is shown: another slice or other axes leave some out")
            return
        row, column = self.grid.row, self.grid.column
        self.form = self.form.with_region(view, moved)
        self.grid.go_to(row, column)
        self.say(moved.label())

    def action_columns(self, by: int) -> None:
        """Move the cursor by a page of columns."""
        column = self.grid.column
        self.grid.page_sideways(by)
        if self.grid.column == column:
            self.say(f"this is the {'last' if by > 0 else 'first'} column")

    def computed(self) -> View | None:
        """The View, if it has a value of the tensor; else None, with a note."""
        if self.view is not None and self.view.array is None:
            hidden = self.view.tensor in self.view.hidden
            self.say(f"{self.view.tensor} is {'hidden' if hidden else 'not computed yet'}")
            return None
        return self.view

    # -- commands: looking for cells

    def key_of(self, command: str) -> str:
        """The key of a command, for what is said."""
        return "" if self.view is None else self.view.keys.get(command, "")

    def action_sought(self, by: int) -> None:
        """Look for another kind of cells."""
        kind = turned(self.form.sought, by)
        self.form = replace(self.form, sought=kind)
        self.say(f"{self.key_of('seek-next')} and {self.key_of('seek-previous')} look for: {kind}")

    def action_seek(self, direction: int) -> None:
        """The next or previous cell of the kind."""
        view, sought = self.computed(), self.form.sought
        if view is None:
            return
        field = field_of(view, self.form)
        if field is None:
            self.say(why_nothing(view, self.form))
        elif sought == Sought.IN_RANGE and self.form.bounds is None:
            self.say(f"no range of values is set: {self.key_of('range')} sets one")
        elif (here := self.grid.index()) or field.size:
            steps = find(field, sought, field.flat_of(here), direction)
            doing = f"looking for {sought}"
            host_of(self).works(steps, self.sought, doing, work(field, sought))
        else:
            self.say(f"{view.tensor} has no elements")

    def sought(self, run: Job) -> None:
        """Go to the cell that a search has found, or say that there is none."""
        what = self.form.sought
        if isinstance(run.result, Hit):
            around = " · around the end" if run.result.wrapped else ""
            if run.result.index == self.grid.index():
                around = " · the only one"
            self.go_to(run.result.index)
            self.say(f"{what} at {list(run.result.index)}{around}")
        else:
            self.say("stopped" if run.cancelled else f"no {what} here")

    # -- commands: taking along

    def action_copy_cell(self) -> None:
        """The value under the cursor to the clipboard."""
        value = self.grid.value()
        if value is None:
            self.say("there is nothing to copy")
            return
        self.app.copy_to_clipboard(exact(value))
        self.say(f"copied {exact(value)}, if the terminal lets programs copy (OSC 52)")

    def action_copy_window(self) -> None:
        """The visible numbers to the clipboard, a line a row, with tabs between."""
        elements = None if self.view is None else elements_of(self.view, self.form)
        if elements is None:
            self.say("there is nothing to copy")
            return
        rows, cols = self.grid.seen()
        part = np.asarray(elements[rows.start : rows.stop, cols.start : cols.stop])
        self.app.copy_to_clipboard("\n".join("\t".join(map(exact, row)) for row in part))
        size = " × ".join(map(count_text, part.shape))
        self.say(f"copied {size} cells, if the terminal lets programs copy (OSC 52)")

    def action_save(self) -> None:
        """Ask for the path of a new file."""
        if (view := self.computed()) is not None:
            label = "save: .npy the whole tensor, .csv the matrix shown"
            self.ask(label, f"{clean(view.tensor)}.npy", "save", self.save)

    def save(self, text: str) -> None:
        """Write a new file: .npy of all elements, .csv of the matrix shown.

        Raises GradstepError where the path cannot be written or there is nothing to write.
        """
        view = self.view
        if view is None or view.array is None:
            return
        path = array_path(text)
        whole = path.suffix.lower() == ".npy"
        found = self.whole(view) if whole else elements_of(view, self.form)
        if found is None:
            raise GradstepError(why_nothing(view, self.form))

        def done(run: Job) -> None:
            if run.error is not None:
                self.say(str(run.error))
            elif run.cancelled:
                run.steps.close()  # type: ignore[attr-defined]  # removes the unfinished file
                self.say(f"stopped: {clean(str(path))} is not written")
            else:
                self.say(f"{clean(view.tensor)} {shape_text(found.shape)} is in {clean(str(path))}")

        total = int(np.prod(found.shape, dtype=object))
        host_of(self).works(writing(path, found), done, "saving", total)

    def whole(self, view: View) -> Elements | None:
        """All elements of the version shown; None where there are none."""
        assert view.array is not None
        return shown_version(
            self.form.version, view.array, None if view.before_lost else view.before
        )

    # -- typing

    def ask(self, label: str, text: str, past: str, answer: Callable[[str], None]) -> None:
        """Open a prompt of this pane's own; ``answer`` may refuse with a GradstepError."""

        def answered(typed: str) -> None:
            try:
                answer(typed)
            except GradstepError as error:
                self.say(str(error))

        host_of(self).asks(label, text, past, answered)

    def set_range(self, text: str) -> None:
        """Highlight a range of values, none where ``text`` is empty; raises GradstepError."""
        self.form = replace(self.form, bounds=parse_range(text) if text else None)

    def set_slice(self, text: str) -> None:
        """Show the region that a NumPy slice names; raises GradstepError where it names none."""
        view = self.view
        if view is not None and view.array is not None:
            self.show_part(parse_region(text, view.array.shape, self.form.region(view)))


if __name__ == "__main__":
    from tui.panes.alone import show

    show(TensorPane(Summaries()))
