"""Widgets made of lines of spans: the roles of the spans become styles of the theme here."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size, Spacing
from textual.reactive import Reactive, reactive
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.render.text.line import ROLES, Line, Span, cells_of
from tui.view.snapshot import View
from tui.widgets.composing import LineCompositor, repaint

CLASSES = {role: f"line--{role}" for role in ROLES}


class LinesScreen(Screen[None]):
    """A screen on which lines stand. It alone holds the roles' styles.

    Textual works them out again at every change of focus or class of a widget that has them.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES.values())

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LineCompositor()


class Styled(Widget):
    """A widget whose spans get the styles of its screen, each found out once.

    Textual works a style out of those of all that a widget stands in, every time that it is asked.
    """

    _styles_of_roles: dict[str, Style] = {}  # noqa: RUF012 - never changed: each widget has its own
    _edges: tuple[Size, Strip, Strip] | None = None

    def notify_style_update(self) -> None:
        """Find the styles out anew: theme, focus or classes have changed, here or around it."""
        super().notify_style_update()
        self._styles_of_roles, self._edges = {}, None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region of the widget, its border included.

        Textual works out for each line what is the same in all of them: border, padding, colours.
        """
        size, gutter = self.outer_size, self.styles.gutter
        top, bottom = gutter.top, size.height - gutter.bottom
        width = size.width - gutter.width
        if width <= 0 or bottom <= top:
            return super().render_lines(crop)
        left, right = self.edges(size, gutter) if gutter.width else ((), ())
        found: list[Strip] = []
        for y in crop.line_range:
            if top <= y < bottom:
                strip = self.render_line(y - top)
                if strip.cell_length != width:
                    strip = strip.adjust_cell_length(width, self.style_of(""))
                if gutter.width:
                    strip = Strip([*left, *strip, *right], size.width)
            else:
                strip = super().render_lines(Region(0, y, size.width, 1))[0]
            found.append(strip)
        if crop.column_span != (0, size.width):
            return [strip.crop(*crop.column_span) for strip in found]
        return found

    def edges(self, size: Size, gutter: Spacing) -> tuple[Strip, Strip]:
        """What stands at the left and at the right of every line of the content."""
        if self._edges is None or self._edges[0] != size:
            row = super().render_lines(Region(0, gutter.top, size.width, 1))[0]
            self._edges = size, row.crop(0, gutter.left), row.crop(size.width - gutter.right)
        return self._edges[1:]

    def style_of(self, role: str) -> Style:
        """The style of a role; that of the widget's own text where there is none."""
        known = self._styles_of_roles
        if role not in known:
            style = self.rich_style
            if role:
                style += self.screen.get_component_rich_style(CLASSES[role], partial=True)
            shown = self.filtered(Strip([Segment("x", style)]))._segments[0].style or style
            if not known:
                known = self._styles_of_roles = {}
            known[role] = shown
        return known[role]

    def filtered(self, strip: Strip) -> Strip:
        """A strip of other styles than those of the roles, as it looks on this terminal."""
        for one in self.get_line_filters():
            strip = strip.apply_filter(one, self.background_colors[1])
        return strip

    def strip_of(self, line: Iterable[Span], width: int) -> Strip:
        """A line in the styles of the screen, exactly ``width`` cells wide.

        Neighbours of one style are one piece.
        """
        known = self._styles_of_roles
        segments: list[Segment] = []
        before: Style | None = None
        whole, size = "", 0
        for text, role in line:
            style = known.get(role)
            if style is None:
                style = self.style_of(role)
                known = self._styles_of_roles
            if style is before:
                whole += text
            elif text:
                if whole:
                    segments.append(Segment(whole, before))
                    size += cells_of(whole)
                before, whole = style, text
        size += cells_of(whole)
        plain = self.style_of("")
        if size < width:
            blank = " " * (width - size)
            if before is plain:
                whole += blank
            else:
                segments += [Segment(whole, before)] if whole else []
                before, whole = plain, blank
            size = width
        segments.append(Segment(whole, before or plain))
        strip = Strip(segments, size)
        return strip if size == width else strip.adjust_cell_length(width)


class Lines(Styled):
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
        room = self.content_size
        if not room:
            self.refresh()
            return
        old, self._made = self._made, self.made()
        self._room, self._fresh = room, True
        differ = [y for y, (a, b) in enumerate(zip_longest(old, self._made)) if a != b]
        if differ:
            repaint(self, [Region(0, y, room.width, 1) for y in differ])

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Paint anew what is drawn now: that may depend on more than the View."""
        self._fresh = False
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of the widget as a strip."""
        room = self.content_size
        if not self._fresh or self._room != room:
            self._made, self._room, self._fresh = self.made(), room, True
        return self.strip_of(self._made[y] if y < len(self._made) else [], room.width)


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


class LineList(Styled, ScrollView, can_focus=True, inherit_bindings=False):
    """A list of lines of which only the visible ones are made, and those that differ painted.

    A scrolling container's own keys would scroll besides moving the cursor.
    """

    view: reactive[View | None] = reactive(None, repaint=False)
    row: reactive[int] = reactive(0, repaint=False)
    # Textual's own declaration lays out and paints the whole screen whenever this changes.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.painted: dict[int, Line] = {}
        self._compared: dict[int, Line] = {}  # lines that have been made, for the next paint

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
        count, top, width = self.count(view), self.scroll_offset.y, self.seen_width
        self.virtual_size = Size(0, count)
        made, differ = dict[int, Line](), list[Region]()
        for y in range(top, top + self.size.height):
            line = made[y] = self.line(view, y, width) if y < count else []
            if self.painted.get(y) != line:
                differ.append(Region(0, y - top, width, 1))  # not the scrollbar beside it
        if differ:
            repaint(self, differ)
        self._compared = made

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """Paint anew what is drawn now: that may depend on more than the View."""
        self._compared = {}
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    @property
    def seen_width(self) -> int:
        """The width in cells without the scrollbar, which lies over the last column."""
        return self.scrollable_content_region.width

    def watch_virtual_size(self, size: Size) -> None:
        """Tell the scrollbars, which are always there, so that nothing jumps."""
        # Where everything is seen the bar is the same, whatever there is: it is not drawn again.
        room = self.scrollable_content_region.size
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = max(size.height, room.height)
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.window_virtual_size = max(size.width, room.width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Move the bar, and paint the lines anew; not the bar where it has not moved."""
        # In place of what Textual does: that paints the bars too.
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        self.moved(old_value, new_value)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Move the bar, and paint the lines anew."""
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.position = new_value
        self.moved(old_value, new_value)

    def moved(self, old: float, new: float) -> None:
        """Paint all lines anew where others stand in their places now."""
        if round(old) != round(new):
            self._compared = {}
            size = self.scrollable_content_region.size
            if size:
                repaint(self, [size.region])

    def watch_row(self, old: int, new: int) -> None:
        """Draw the cursor in its new place."""
        self.refresh_line(old)
        self.refresh_line(new)

    def refresh_line(self, y: int) -> None:
        """Paint a line anew, and not the scrollbar beside it."""
        self._compared = {}
        repaint(self, [Region(0, y - self.scroll_offset.y, self.seen_width, 1)])

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of what is seen as a strip; remembers what is painted."""
        at = y + self.scroll_offset.y
        line = self._compared.get(at)
        if line is None:
            view = self.view
            there = view is not None and at < self.count(view)
            line = self.line(view, at, self.seen_width) if view is not None and there else []
        self.painted[at] = line
        return self.strip_of(line, self.size.width)

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
