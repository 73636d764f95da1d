"""The diagnostics pane: what the doctor has found; Enter goes to the event that shows it."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType

from engine.diagnostics.diagnosis import Diagnosis
from tui.keys.bindings import bindings
from tui.keys.messages import EventChosen
from tui.render.diagnostics import Findings, findings_text, urgent_first
from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.lines import LineList


class DiagnosticsPane(LineList):
    """The findings up to the cursor. The doctor is asked only while the pane is displayed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("diagnostics")
    chosen_finding = 0
    _made: tuple[View, int, int, Sequence[Diagnosis], Findings] | None = None

    def found(self, view: View) -> tuple[Sequence[Diagnosis], Findings]:
        """The findings of a View, urgent ones first, and their lines; made once."""
        key = (view, self.seen_width, self.chosen_finding)
        if self._made is None or self._made[:3] != key:
            found = urgent_first(view.findings or ())
            chosen = min(self.chosen_finding, max(0, len(found) - 1))
            known = found if view.findings is not None else None
            width = self.seen_width
            text = findings_text(known, chosen, width, view.keys, view.looked)
            self._made = (*key, found, text)
        return self._made[3], self._made[4]

    def count(self, view: View) -> int:
        return len(self.found(view)[1].lines)

    def line(self, view: View, y: int, width: int) -> Line:
        return self.found(view)[1].lines[y]

    def watch_view(self, view: View | None) -> None:
        """Ask the doctor where the pane is displayed; what it has not watched yet takes time."""
        if view is not None and self.size.width and self.is_on_screen:
            super().watch_view(view)
            self.refresh()

    def on_show(self, event: events.Show) -> None:
        """Ask the doctor: the View may have come while the pane was hidden."""
        self.watch_view(self.view)

    def on_resize(self) -> None:
        """Make the lines anew for another width."""
        self.watch_view(self.view)

    def move(self, by: int) -> None:
        """Choose the finding ``by`` places on, as far as there are any."""
        if self.view is None or not (places := self.found(self.view)[1].places):
            return
        self.chosen_finding = max(0, min(len(places) - 1, self.chosen_finding + by))
        self.watch_view(self.view)
        self.show_row(self.found(self.view)[1].places[self.chosen_finding])

    def action_go(self) -> None:
        """Jump to the first event that shows the chosen finding, if it has one."""
        if self.view is None:
            return
        found, _ = self.found(self.view)
        if found and (at := found[min(self.chosen_finding, len(found) - 1)].cursor) is not None:
            self.post_message(EventChosen(at))

    def on_click(self, event: events.Click) -> None:
        """Choose the clicked finding."""
        event.prevent_default()  # else Textual calls the handler of the base class as well
        place = event.get_content_offset(self)
        if self.view is None or place is None:
            return
        y = place.y + self.scroll_offset.y
        starts = self.found(self.view)[1].places
        self.move(sum(start <= y for start in starts) - 1 - self.chosen_finding)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(DiagnosticsPane())
