"""What keys have led to: the notes of a moment, which stand together, and those before."""

from dataclasses import dataclass, field

MOST_KEPT = 1000
MOST_SHOWN = 3  # of one moment, in the line
BETWEEN = " · "


@dataclass
class Notes:
    """The notes of a session: ``past`` with the events at which they were said, newest last.

    A moment is what one key, one click or the end of a long run leads to. What is said in it does
    not hide what was said before in it; nothing said takes the notes of an earlier moment away.
    """

    past: list[tuple[int, str]] = field(default_factory=list)
    now: list[str] = field(default_factory=list)
    over: bool = False  # whether the next note begins a moment

    def moment(self) -> None:
        """From here on what is said is of another moment."""
        self.over = True

    def tell(self, note: str, event: int) -> str:
        """Take a note, empty for none, and give the line to show."""
        if self.over:
            self.now, self.over = [], False
        if note and note not in self.now:
            self.now = [*self.now, note][-MOST_SHOWN:]
            self.past.append((event, note))
            del self.past[:-MOST_KEPT]
        return BETWEEN.join(self.now)
