"""Widgets made of lines of spans: the roles of the spans become styles of the theme here."""

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.render.line import ROLES, Line, Span
from tui.view import View

CLASSES = {role: f"line--{role}" for role in ROLES}


def strip_of(widget: Widget, line: Iterable[Span], width: int) -> Strip:
    """A line in the widget's own styles, exactly ``width`` cells wide."""
    base = widget.rich_style
    segments = [
        Segment(text, base + widget.get_component_rich_style(CLASSES[role]) if role else base)
        for text, role in line
        if text
    ]
    return Strip(segments).adjust_cell_length(width, base)


class Lines(Widget):
    """A few lines without scrolling, made anew from the View whenever it changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES.values())
    view: reactive[View | None] = reactive(None)

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """The lines to show."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width, height = self.content_size
        if y == 0 or not hasattr(self, "_made"):
            self._made = [] if self.view is None else self.lines(self.view, width, height)
        line = self._made[y] if y < len(self._made) else []
        return strip_of(self, line, width)


class LineList(ScrollView, can_focus=True):
    """A list of lines of which only the visible ones are made."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES.values())
    view: reactive[View | None] = reactive(None)
    row: reactive[int] = reactive(0)

    def count(self, view: View) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, view: View, y: int, width: int) -> Line:
        """The line at ``y``."""
        raise NotImplementedError

    def selectable(self, view: View, y: int) -> bool:
        """Whether the cursor may stand on a line."""
        return True

    def chosen(self, view: View, y: int) -> None:
        """The person has moved the cursor to a line."""

    def watch_view(self, view: View | None) -> None:
        """Keep the size of the list in step with the View."""
        if view is not None:
            self.virtual_size = Size(self.size.width, self.count(view))
        self.refresh()

    def watch_row(self) -> None:
        """Draw the cursor in its new place."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        width, at = self.size.width, y + self.scroll_offset.y
        line: Line = []
        if self.view is not None and at < self.count(self.view):
            line = self.line(self.view, at, width)
        return strip_of(self, line, width)

    def move(self, by: int) -> None:
        """Move the cursor to the next line in a direction on which it may stand."""
        view = self.view
        if view is None:
            return
        last = self.count(view) - 1
        at = max(0, min(last, self.row + by))
        step = 1 if by > 0 else -1
        while 0 <= at <= last and not self.selectable(view, at):
            at += step
        if 0 <= at <= last:
            self.row = at
            self.show_row(at)
            self.chosen(view, at)

    def show_row(self, y: int) -> None:
        """Scroll as little as needed for a line, with its neighbours, to be seen."""
        top, height = self.scroll_offset.y, self.size.height
        if height <= 0:
            return
        margin = min(2, height // 4)
        if y < top + margin:
            self.scroll_to(y=max(0, y - margin), animate=False, force=True)
        elif y >= top + height - margin:
            self.scroll_to(y=y - height + 1 + margin, animate=False, force=True)

    def key_up(self) -> None:
        """Cursor up."""
        self.move(-1)

    def key_down(self) -> None:
        """Cursor down."""
        self.move(1)

    def key_pageup(self) -> None:
        """A page up."""
        self.move(-max(1, self.size.height - 1))

    def key_pagedown(self) -> None:
        """A page down."""
        self.move(max(1, self.size.height - 1))

    def key_home(self) -> None:
        """The first line."""
        self.move(-(2**31))

    def key_end(self) -> None:
        """The last line."""
        self.move(2**31)

    def on_click(self, event: object) -> None:
        """Go to the clicked line."""
        offset = getattr(event, "y", 0) + self.scroll_offset.y
        if self.view is not None and offset < self.count(self.view):
            self.row = offset
            self.move(0)
