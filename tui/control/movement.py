"""Movements of the cursor: what step keys and places that are chosen ask of the words."""

from functools import partial

from engine.errors import GradstepError
from engine.session.session import Session
from tui.control.display import Acts, Display
from tui.control.follow import Follow
from tui.control.pointing import Pointing
from tui.control.words import Words
from tui.control.worker import Job, Worker
from tui.keys.table import BY_ID, COMMANDS
from tui.view.snapshot import View


class Movement:
    """Runs the words that move the cursor, and says what there is to say where it has come to."""

    def __init__(
        self,
        session: Session,
        words: Words,
        worker: Worker,
        display: Display,
        follow: Follow,
        pointing: Pointing,
    ) -> None:
        self.session = session
        self.words = words
        self.worker = worker
        self.display = display
        self.follow = follow
        self.pointing = pointing

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        # Without another meaning, a word that leads somewhere is gone to.
        plain = {c.id: c.word for c in COMMANDS if c.word and "{" not in c.word}
        return {
            **{name: partial(self.go, word) for name, word in plain.items()},
            "continue": partial(self.words.typed, BY_ID["continue"].word),
            "reverse": partial(self.words.typed, BY_ID["reverse"].word),
            "undo": partial(self.words.typed, BY_ID["undo"].word),
            "run-to": self.run_to,
            "next-change": partial(self.change, "next-change"),
            "previous-change": partial(self.change, "previous-change"),
            "visited-back": partial(self.visited, "visited-back", "no place before"),
            "visited-forward": partial(self.visited, "visited-forward", "no place further on"),
            "chapter": partial(self.chapter, "chapter", "after"),
            "chapter-back": partial(self.chapter, "chapter-back", "before"),
        }

    def go(self, line: str, said: str = "", refused: str = "") -> None:
        """Run a line that goes to a place, with a note there; at that place already, say why.

        ``refused`` is the note where the line is refused; without one the console tells why.
        """
        if not self.display.free:
            return
        try:
            target = self.words.line.leads(line)
        except GradstepError as error:
            self.refuse(error, refused)
            return
        if target == self.session.event:
            self.display.show_now(self.edge(target))
        else:
            self.run(line, target, said)

    def run(self, line: str, target: int | None, said: str = "") -> None:
        """Run a line that goes to ``target``, and show where it has led to."""
        steps, before = self.words.line.run(line), self.display.view
        self.worker.begin(steps, partial(self.arrived, said=said, before=before), target)

    def refuse(self, error: GradstepError, refused: str) -> None:
        """Say why a line is refused."""
        if refused:
            self.display.show_now(refused)
        else:
            self.words.failed(error)

    def go_to(self, event: int, said: str = "") -> None:
        """Go to an event."""
        self.go(f"goto #{event}", said)

    def edge(self, event: int) -> str:
        """The note where a step led to the event that it began at."""
        if event == 0:
            return "at the first event"
        return "at the end of the run" if event >= self.session.timeline.end else "already there"

    def arrived(self, run: Job, said: str = "", before: View | None = None) -> None:
        """Show where a movement has led to from the View ``before``, or why it failed."""
        if run.error is not None:
            self.words.failed(run.error)
            return
        if self.follow.selection.row is not None:
            self.follow.next_op()
        self.display.show_now(run.left_at(self.session.event) if run.cancelled else said)
        now = self.display.view
        if before is not None and now is not None and left_recording(before, now):
            self.display.say(note="the recording is over: from here on everything is computed live")

    # -- keys with a meaning of their own

    def run_to(self) -> None:
        """Run to the next occurrence of the selected op."""
        op = self.pointing.op()
        if not op:
            return
        timeline, here = self.session.timeline, self.session.event
        target = timeline.next(here, op=op)
        later = target is not None and timeline.iteration(target) > timeline.iteration(here)
        self.go(
            BY_ID["run-to"].line(op=op),
            "an iteration later: the same op again" if later else "",
            "this op does not come again before the end of the run",
        )

    def change(self, name: str) -> None:
        """To the next or previous change of the tensor, or of the selected element."""
        self.words.typed(BY_ID[name].line(value=self.pointing.value()))

    def visited(self, name: str, refused: str) -> None:
        """The place before the last jump, or forward again."""
        target = self.led(name, refused)
        if target is not None:  # also where that is here: the jump list moves on
            self.run(BY_ID[name].word, target)

    def chapter(self, name: str, side: str) -> None:
        """To the next or the previous bookmark, with its text."""
        marks = self.words.debugger.bookmarks
        none = f"no bookmarks yet: {self.display.keys['mark']} makes one"
        target = self.led(name, f"no bookmark {side} this place" if marks else none)
        if target is not None:
            # Said on arrival: until then there is only what was there before.
            self.run(BY_ID[name].word, target, self.bookmark(target))

    def led(self, name: str, refused: str) -> int | None:
        """Where the word of a key leads; None, and why, where it leads nowhere."""
        if not self.display.free:
            return None
        try:
            return self.words.line.leads(BY_ID[name].word)
        except GradstepError as error:
            self.refuse(error, refused)
            return None

    def bookmark(self, event: int) -> str:
        """The name and text of the bookmark at an event, the last one; empty without one."""
        marks = self.words.debugger.bookmarks.values()
        here = [mark for mark in marks if mark.event == event]
        return f"'{here[-1].name}  {here[-1].text}" if here else ""

    def scrub(self, iteration: int) -> None:
        """Jump to the beginning of an iteration, the nearest that there is."""
        timeline = self.session.timeline
        self.go_to(timeline.begin(max(0, min(timeline.iterations, iteration))))


def left_recording(before: View, now: View) -> bool:
    """Whether a step has led out of a recording; an edit that makes a branch live is no step."""
    return before.replayed and not now.replayed and before.lineage == now.lineage
