"""Widgets made of lines of spans: the roles of the spans become styles of the theme here."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.render.text.line import ROLES, Line, Span
from tui.view.snapshot import View

CLASSES = {role: f"line--{role}" for role in ROLES}


class LinesScreen(Screen[None]):
    """A screen on which lines stand. It alone holds the roles' styles.

    Textual works them out again at every change of focus or class of a widget that has them.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES.values())


def strip_of(widget: Widget, line: Iterable[Span], width: int) -> Strip:
    """A line in the styles of the widget's screen, exactly ``width`` cells wide."""
    base, style = widget.rich_style, widget.screen.get_component_rich_style
    segments = [
        Segment(text, base + style(CLASSES[role], partial=True) if role else base)
        for text, role in line
        if text
    ]
    return Strip(segments).adjust_cell_length(width, base)


class Lines(Widget):
    """Lines of a View without scrolling; of a new View only the lines that differ are painted."""

    # No repaint: watch_view refreshes the lines that differ.
    view: reactive[View | None] = reactive(None, repaint=False)
    _made: Sequence[Line] = ()
    _room = Size(0, 0)
    _fresh = False

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        """The lines of a View, ``height`` at most, for a width in cells."""
        raise NotImplementedError

    def made(self) -> list[Line]:
        """The lines of the View at the present size."""
        return [] if self.view is None else self.lines(self.view, *self.content_size)

    def watch_view(self) -> None:
        """Paint the lines that differ; all of them once there is room, where there is none yet."""
        if not self.content_size:
            self._fresh = False
            self.refresh()
            return
        old, self._made = self._made, self.made()
        self._room, self._fresh = self.content_size, True
        for y, (was, line) in enumerate(zip_longest(old, self._made)):
            if was != line:
                self.refresh(Region(0, y, self.content_size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of the widget as a strip."""
        # A full repaint begins with line 0; what is drawn may depend on more than the View. What
        # has just been made of a new one is painted as it is.
        if (y == 0 and not self._fresh) or self._room != self.content_size:
            self._made, self._room = self.made(), self.content_size
        self._fresh = False
        line = self._made[y] if y < len(self._made) else []
        return strip_of(self, line, self.content_size.width)


class Drawn(Lines):
    """Lines that a function draws, for a width and a height in cells: a shell and no more."""

    def __init__(
        self,
        draw: Callable[[View, int, int], list[Line]],
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.draw = draw

    def made(self) -> list[Line]:
        return [] if self.view is None else self.draw(self.view, *self.content_size)


class OneLine(Drawn):
    """A single line that a function draws for a width in cells."""

    def __init__(self, draw: Callable[[View, int], Line], id: str | None = None) -> None:
        super().__init__(lambda view, width, height: [draw(view, width)], id)


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """A list of lines of which only the visible ones are made, and those that differ painted.

    A scrolling container's own keys would scroll besides moving the cursor.
    """

    view: reactive[View | None] = reactive(None, repaint=False)
    row: reactive[int] = reactive(0, repaint=False)
    # Textual's own declaration lays out and paints the whole screen whenever this changes.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0))

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.painted: dict[int, Line] = {}

    def count(self, view: View) -> int:
        """The number of lines of a View."""
        raise NotImplementedError

    def line(self, view: View, y: int, width: int) -> Line:
        """Line ``y``, counted from 0, for a width in cells."""
        raise NotImplementedError

    def selectable(self, view: View, y: int) -> bool:
        """Whether the cursor may stand on a line."""
        return True

    def chosen(self, view: View, y: int) -> None:
        """Called when a key or a click has moved the cursor to a line."""

    def watch_view(self, view: View | None) -> None:
        """Set the length of the list, and refresh the visible lines that differ."""
        if view is None:
            return
        self.virtual_size = Size(0, self.count(view))
        top, width = self.scroll_offset.y, self.seen_width
        for y in range(top, min(top + self.size.height, self.count(view))):
            if self.painted.get(y) != self.line(view, y, width):
                self.refresh_line(y)

    @property
    def seen_width(self) -> int:
        """The width in cells without the scrollbar, which lies over the last column."""
        return self.scrollable_content_region.width

    def watch_virtual_size(self, size: Size) -> None:
        """Tell the scrollbars, which are always there, so that nothing jumps."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.window_virtual_size = size.width
        self.refresh()

    def watch_row(self, old: int, new: int) -> None:
        """Draw the cursor in its new place."""
        self.refresh_line(old)
        self.refresh_line(new)

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of what is seen as a strip; remembers what is painted."""
        at = y + self.scroll_offset.y
        line: Line = []
        if self.view is not None and at < self.count(self.view):
            line = self.painted[at] = self.line(self.view, at, self.seen_width)
        return strip_of(self, line, self.size.width)

    def move(self, by: int) -> None:
        """Move the cursor to the nearest line there on which it may stand, past it if need be."""
        view = self.view
        if view is None:
            return
        last = self.count(view) - 1
        goal = max(0, min(last, self.row + by))
        past = range(goal, last + 1) if by > 0 else range(goal, -1, -1)
        back = range(goal, self.row, -1) if by > 0 else range(goal, self.row)
        at = next((y for y in (*past, *back) if self.selectable(view, y)), None)
        if at is not None:
            self.row = at
            self.show_row(at)
            self.chosen(view, at)

    def show_row(self, y: int) -> None:
        """Scroll as little as needed for a line, with its neighbours, to be seen."""
        top, height = self.scroll_offset.y, self.size.height
        if height <= 0:
            return
        margin = min(2, height // 4) or int(height > 2)
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

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the clicked line, or to the nearest on which it may stand."""
        place = event.get_content_offset(self)
        if place is not None and self.view is not None:
            y = place.y + self.scroll_offset.y
            if y < self.count(self.view):
                self.move(y - self.row)
