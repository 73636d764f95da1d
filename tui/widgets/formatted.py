"""A pane of numbers whose form a person chooses: fixed, scientific, hex, and how many digits."""

from dataclasses import replace

from textual.containers import Vertical
from textual.reactive import reactive

from tui.view.display import MAX_DIGITS, TensorDisplay, turned
from tui.view.number_format import NumberFormat
from tui.widgets.host import host_of


class FormattedPane(Vertical):
    """A pane with the commands of the number formats; ``form`` is its own choice."""

    form: reactive[TensorDisplay] = reactive(TensorDisplay(), repaint=False)

    def say(self, note: str) -> None:
        """Set the note."""
        host_of(self).says(note)

    def action_format(self, by: int) -> None:
        """Another form of the numbers."""
        fmt = turned(self.form.fmt, by)
        self.form = replace(self.form, fmt=fmt)
        self.say(f"numbers: {fmt}")

    def action_digits(self, by: int) -> None:
        """More or fewer digits."""
        digits = max(0, min(MAX_DIGITS, self.form.digits + by))
        if self.form.fmt == NumberFormat.HEX:
            self.say("hexadecimal numbers have all their digits")
        elif digits == self.form.digits:
            self.say(f"{digits} is the {'largest' if by > 0 else 'smallest'} number of digits")
        else:
            self.form = replace(self.form, digits=digits)
            self.say(f"digits: {digits}")
