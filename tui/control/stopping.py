"""Breakpoints and watches at what is selected: the words of keys that set and remove them."""

from typing import TYPE_CHECKING

from tui.control.display import Acts, Display
from tui.control.pointing import Pointing
from tui.control.words import Words
from tui.keys.table import BY_ID
from tui.view.veil import WHY

if TYPE_CHECKING:
    from engine.words.language import Result


class Stopping:
    """Runs words about the selected op and the selected watch."""

    def __init__(self, words: Words, display: Display, pointing: Pointing) -> None:
        self.words = words
        self.display = display
        self.pointing = pointing

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {"break": self.toggle}

    def toggle(self) -> None:
        """A breakpoint on the selected op, or none."""
        if not self.display.free:
            return
        if self.words.follow.hidden.next_op:  # it would be named
            self.display.show_now(WHY)
            return
        op = self.pointing.op()
        if not op:
            self.display.show_now("the run is over: select an op of the program first")
            return

        def note(result: "Result") -> str:
            gone = result.reply.facts["deleted"]
            return "breakpoint removed" if gone else result.lines[0]

        self.words.act(BY_ID["break"].line(op=op), note)

    def refold(self) -> None:
        """The line of the selected op gives way to its functions, or is folded again."""
        op = self.pointing.op()
        if op and self.display.free:
            name = op.partition(":")[2] or op
            self.words.typed(BY_ID["unfold"].line(op=name))

    def unwatch_point(self, number: int) -> None:
        """Remove a watchpoint."""
        self.words.act(BY_ID["stop-delete"].line(stop=str(number)), lambda said: said.lines[0])

    def unwatch(self, text: str) -> None:
        """Watch an expression no longer; ``text`` is empty where nothing is watched."""
        if not text:
            key = self.display.keys["watch"]
            self.display.show_now(f"nothing is watched: {key} watches an expression")
        else:
            self.words.act(
                BY_ID["unwatch"].line(watch=text), lambda _: f"no longer watched: {text}"
            )
