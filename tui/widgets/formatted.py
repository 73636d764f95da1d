"""A pane of numbers whose form a person chooses: fixed, scientific, hex, and how many digits."""

from dataclasses import replace

from textual.containers import Vertical
from textual.reactive import reactive

from tui.view.display import MAX_DIGITS, Look, turned
from tui.view.number_format import NumberFormat
from tui.widgets.host import host_of


class FormattedPane(Vertical):
    """The commands of the number formats; each pane has its own choice."""

    look: reactive[Look] = reactive(Look(), repaint=False)

    def say(self, note: str) -> None:
        """A word to the person."""
        host_of(self).pane_says(note)

    def action_format(self, by: int) -> None:
        """Another form of the numbers."""
        fmt = turned(self.look.fmt, by)
        self.look = replace(self.look, fmt=fmt)
        self.say(f"numbers: {fmt}")

    def action_digits(self, by: int) -> None:
        """More or fewer digits."""
        digits = max(0, min(MAX_DIGITS, self.look.digits + by))
        if self.look.fmt == NumberFormat.HEX:
            self.say("hexadecimal numbers have all their digits")
        elif digits == self.look.digits:
            self.say(f"{digits} is the {'largest' if by > 0 else 'smallest'} number of digits")
        else:
            self.look = replace(self.look, digits=digits)
            self.say(f"digits: {digits}")
