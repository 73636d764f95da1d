"""The screen as panes with commands of their own know it: a note, a prompt, work."""

from collections.abc import Callable

from tui.control.display import Display
from tui.control.prompting import Prompting
from tui.control.worker import Done, Job, Steps, Worker


class Hosting:
    """What panes ask for; it is a ``tui.widgets.host.PaneHost``."""

    def __init__(self, display: Display, prompting: Prompting, worker: Worker) -> None:
        self.display = display
        self.prompting = prompting
        self.worker = worker

    def says(self, note: str) -> None:
        """Set the note."""
        self.display.say(note=note)

    def asks(self, label: str, text: str, past: str, answer: Callable[[str], None]) -> None:
        """Open a prompt beginning with ``text``; ``answer`` gets what is typed."""

        def answered(typed: str) -> None:
            self.display.say(note="")
            answer(typed)

        self.prompting.ask(label, answered, text, past)

    def works(self, steps: Steps, done: Done, doing: str, total: int) -> None:
        """Work in pieces: at once where it is quick, else in a thread that can be stopped."""

        def over(run: Job) -> None:
            self.display.say(busy="")
            done(run)

        self.worker.work(steps, over, doing, total)
