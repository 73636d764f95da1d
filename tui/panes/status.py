"""The lines at the top: position, the five steps, what comes next, the tabs."""

from textual import events

from tui.keys.bound import Bound, pane_title
from tui.keys.command import PANES, to_pane
from tui.keys.messages import PaneChosen
from tui.render.op import next_line
from tui.render.status import message_line, phase_strip, position_line
from tui.render.text.line import Line, width_of
from tui.widgets.lines import Lines, OneLine


class PositionLine(OneLine):
    """One line: experiment, position, loss, mode."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(position_line, id)


class PhaseStrip(OneLine):
    """One line: the five phases of the iteration and how far they are."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(phase_strip, id)


class EquationLine(OneLine):
    """One dim line: what comes next, the equation of the op about to run and its shapes."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(next_line, id)


class MessageLine(OneLine):
    """One line: the notes that the last key has led to; ``key`` shows all that was said."""

    def __init__(self, key: str, id: str | None = None) -> None:
        super().__init__(lambda view, width: message_line(view, width, key), id)


# The names of the panes where the whole ones do not fit.
SHORT = {
    "program": "Prog",
    "jacobian": "Jac",
    "variables": "Vars",
    "watches": "Watch",
    "console": "Cons",
    "timeline": "Time",
    "diagnostics": "Doc",
}


class TabLine(Lines):
    """The names of the panes that share a place; a click or the number goes there."""

    def __init__(self, keys: Bound, id: str | None = None) -> None:
        super().__init__(id=id)
        self.keys = keys

    tabs: tuple[str, ...] = ()
    active: str = ""

    def show(self, tabs: tuple[str, ...], active: str) -> None:
        """Show the tabs of these panes, the one of ``active`` marked."""
        self.tabs, self.active = tabs, active
        self.refresh()

    def parts(self) -> list[tuple[str, str]]:
        """The pane and the text of each tab; shorter ones where the whole ones do not fit."""
        short = [SHORT.get(key, PANES[key].title) for key in self.tabs]
        digits = [self.keys[to_pane(key)] for key in self.tabs]
        parts = []
        for texts in (
            [f" {pane_title(self.keys, key)} " for key in self.tabs],
            [f" {key} {name}" for key, name in zip(digits, short, strict=True)],
            [f" {name}" for name in short],
        ):
            parts = list(zip(self.tabs, texts, strict=True))
            if sum(width_of([(text, "")]) for text in texts) <= self.content_size.width:
                break
        return parts

    def made(self) -> list[Line]:
        return [[(text, "tab-active" if k == self.active else "tab") for k, text in self.parts()]]

    def on_click(self, event: events.Click) -> None:
        """Go to the clicked tab."""
        x = 0
        for key, text in self.parts():
            x += width_of([(text, "")])
            if event.x < x:
                self.post_message(PaneChosen(key))
                return


if __name__ == "__main__":
    from textual.containers import Vertical

    from tui.panes.alone import show

    show(Vertical(PositionLine(), PhaseStrip(), EquationLine(), MessageLine("M")))
