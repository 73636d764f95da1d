"""The chain pane: the product behind a derivative; the cursor steps along its factors."""

from typing import TYPE_CHECKING

from textual import events

from engine.program.program import Program
from tui.keys.messages import FactorChosen
from tui.panes.first_look import FirstLook
from tui.render.chain import ChainText, chain_text
from tui.render.chain_numbers import Room
from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.lines import LineList

if TYPE_CHECKING:
    from tui.render.captured import PathText

AROUND = 6  # lines of the screen above and below a pane that is shown alone


def made(view: View, room: Room) -> "ChainText | PathText":
    """The lines of a View: of a captured script its paths."""
    if isinstance(view.run, Program):
        return chain_text(view, room)
    from tui.render.captured import path_text

    return path_text(view, room.width)


class ChainPane(LineList):
    """The product behind the selected derivative; the cursor is on one of its factors."""

    _made: "tuple[View, Room, ChainText | PathText] | None" = None

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.first = FirstLook(self, self.drawn_anew)

    @property
    def room(self) -> Room:
        """The cells without the scrollbar, here and where the pane is shown alone."""
        seen, frame = self.scrollable_content_region.size, self.outer_size
        width, height = self.screen.size
        spare = frame.width - seen.width, frame.height - seen.height + AROUND
        return Room(seen.width, seen.height, (width - spare[0], height - spare[1]))

    def text(self, view: View) -> "ChainText | PathText":
        """The lines for a View and a size, made once."""
        room = self.room
        if not self.first.has(view):
            return ChainText([])
        if self._made is None or self._made[0] is not view or self._made[1] != room:
            self._made = (view, room, made(view, room))
        return self._made[2]

    def count(self, view: View) -> int:
        return len(self.text(view))

    def line(self, view: View, y: int, width: int) -> Line:
        top = y == self.scroll_offset.y  # what the product is stays in sight
        return self.text(view).line(0 if top else y)

    def watch_view(self, view: View | None) -> None:
        """Draw the View where the pane has a size; for a hidden one no product is computed."""
        if view is not None and self.size.width:
            super().watch_view(view)

    def drawn_anew(self) -> None:
        """Draw what has become known of the View."""
        self.painted.clear()
        self.watch_view(self.view)
        self.refresh()

    def on_resize(self) -> None:
        """Make the lines anew for another size."""
        self.watch_view(self.view)

    def move(self, by: int) -> None:
        """Select the factor ``by`` places on, as far as there are any."""
        view = self.view
        if view is None or not (places := self.text(view).places):
            return
        factor = max(0, min(len(places) - 1, min(view.derivative.factor, len(places) - 1) + by))
        self.show_row(places[factor])
        self.post_message(FactorChosen(factor))

    def key_left(self) -> None:
        """Select the factor before."""
        self.move(-1)

    def key_right(self) -> None:
        """Select the next factor."""
        self.move(1)

    def on_click(self, event: events.Click) -> None:
        """Select the clicked factor."""
        event.prevent_default()  # else Textual calls the handler of the base class as well
        place = event.get_content_offset(self)
        y = -1 if place is None else place.y + self.scroll_offset.y
        if self.view is not None and y in (places := self.text(self.view).places):
            self.post_message(FactorChosen(places.index(y)))


if __name__ == "__main__":
    from tui.panes.alone import show

    show(ChainPane())
