"""The timeline pane: where the cursor is in the run; keys and clicks scrub."""

from functools import partial

from textual import events

from tui.keys.messages import IterationChosen
from tui.render.timeline import AXIS, Axis, Known, timeline_lines
from tui.widgets.lines import Drawn


class TimelinePane(Drawn, can_focus=True):
    """The losses and phases over the iterations of the run, with marks and the cursor."""

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(partial(timeline_lines, known=Known()), id, classes)

    def scrub(self, by: int) -> None:
        """Go some iterations forwards or backwards."""
        if self.view is not None:
            self.post_message(IterationChosen(self.view.position.iteration - 1 + by))

    def key_left(self) -> None:
        """An iteration back."""
        self.scrub(-1)

    def key_right(self) -> None:
        """An iteration forwards."""
        self.scrub(1)

    def key_pageup(self) -> None:
        """A tenth of the axis back."""
        self.scrub(-self.tenth())

    def key_pagedown(self) -> None:
        """A tenth of the axis forwards."""
        self.scrub(self.tenth())

    def tenth(self) -> int:
        """A tenth of the iterations on the axis."""
        if self.view is None:
            return 1
        return max(1, Axis.of(self.view, self.content_size.width).span // 10)

    def on_click(self, event: events.Click) -> None:
        """Go to the clicked iteration."""
        place = event.get_content_offset(self)
        if self.view is not None and place is not None and place.x >= AXIS:
            axis = Axis.of(self.view, self.content_size.width)
            self.post_message(IterationChosen(axis.iteration(place.x - AXIS)))


if __name__ == "__main__":
    from tui.panes.alone import show

    show(TimelinePane())
