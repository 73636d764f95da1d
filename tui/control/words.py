"""Lines of the command language, run by keys and at the command line, and their answers."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from engine.debugger import Debugger
from engine.errors import GradstepError
from tui.control.display import Display
from tui.control.follow import Follow
from tui.control.layout import Layout
from tui.control.pointing import Pointing
from tui.control.worker import Job, Worker
from tui.keys.bound import Bound
from tui.keys.command import to_pane
from tui.view.snapshot import followed
from tui.view.veil import WHY

if TYPE_CHECKING:
    from engine.words.language import CommandLine, Result

QUIT = ("q", "quit", "exit")
SAVE = ["save", "lesson"]
# What goes on with another run is none of the recording under way, and what takes branches from
# under it neither.
RERUNNING = ("unfold", "fold", "refold", "open", "reload", "undo")
RECORDED = "a recording is being written: {record} closes it, then this can be done"


class Console(Protocol):
    """Where commands answer."""

    def begin(self, command: str) -> None:
        """Append a command; what is said from here on is its answer."""

    def say(self, texts: Sequence[str], role: str = "") -> None:
        """Append texts in a role."""


class Words:
    """Runs lines: a typed one answers in the console, that of a key where the key says.

    ``console`` is mounted after the first paint; ``leave`` ends the debugger. ``keep`` saves what
    a line may have changed: stops, watches and bookmarks.
    """

    def __init__(
        self,
        debugger: Debugger,
        worker: Worker,
        display: Display,
        follow: Follow,
        pointing: Pointing,
        panes: Layout,
        console: Callable[[], Console],
        leave: Callable[[], None],
    ) -> None:
        self.debugger = debugger
        self.worker = worker
        self.display = display
        self.follow = follow
        self.pointing = pointing
        self.panes = panes
        self.console = console
        self.leave = leave
        self.keep: Callable[[], None] = lambda: None
        self.go_on_with: Callable[[Debugger, Sequence[str]], None] = lambda debugger, said: None
        self.own: Mapping[str, Callable[[], None]] = {}  # words of the screen, which has the tour
        self.recording: Callable[[], bool] = lambda: False
        self.save: Callable[[str], str] = lambda path: ""  # what was done, as a lesson
        # A screen for the answer of a word, where there is one.
        self.shows: Callable[[object], bool] = lambda found: False

    def load(self) -> None:
        """Load the command language, so that the first key need not wait for it."""
        self.line  # noqa: B018

    @cached_property
    def line(self) -> "CommandLine":
        """The command language, loaded with the first word."""
        from engine.words.language import CommandLine

        return CommandLine(self.debugger)

    def typed(self, line: str) -> None:
        """Run a line as it is typed: it and its answer stand in the console."""
        if not self.display.free:
            return
        if line.strip() in QUIT:
            self.leave()
            return
        if line.strip() in self.own:
            self.own[line.strip()]()
            return
        if line.split()[:2] == SAVE:
            self.save_lesson(line.split(maxsplit=2)[2:])
            return
        if self.follow.hidden:
            self.moves_alone(line)
            return
        self.console().begin(line)
        word = line.lstrip("+-0123456789 ").partition(" ")[0]
        if word in RERUNNING and self.recording():
            self.failed(GradstepError(RECORDED.format_map(self.display.keys)))
            return
        self.worker.begin(self.line.run(line), self.answered, self.leads(line))

    def complete(self, line: str) -> list[str]:
        """What a line may become; what stands behind its word is not told while a lesson hides."""
        if self.follow.hidden and " " in line.lstrip():
            return []
        return self.line.complete(line)

    def leads(self, line: str) -> int | None:
        """Where a line leads, as far as that can be said before it is run."""
        try:
            return self.line.leads(line)
        except GradstepError:  # told when it is run
            return None

    def save_lesson(self, path: list[str]) -> None:
        """Write what was done into the file of a lesson."""
        self.console().begin(" ".join([*SAVE, *path]))
        try:
            if not path:
                raise GradstepError("a file is missing: `save lesson FILE`")
            said = self.save(path[0].strip())
        except GradstepError as error:
            self.failed(error)
            return
        self.console().say([said])
        self.display.show_now(said)

    def moves_alone(self, line: str) -> None:
        """A typed line while a lesson hides something: one that moves is run, and none tells."""
        try:
            target = self.line.leads(line)
        except GradstepError as error:
            if not self.follow.hidden.next_op:  # what there is to go to would be told
                self.failed(error)
                return
            target = None
        if target is None:
            self.display.show_now(WHY)
        else:
            self.quiet(line)

    def quiet(self, line: str) -> None:
        """Run a line of the list of stops, which shows itself what has come of it."""

        def done(run: Job) -> None:
            if run.error is None:
                self.keep()
            else:
                self.failed(run.error)

        if self.display.free:
            self.worker.begin(self.line.run(line), done)

    def act(self, line: str, note: "Callable[[Result], str]", refused: str = "") -> None:
        """Run the line of a key that moves nothing; ``note`` makes a note of its result.

        ``refused`` is the note where the line is refused; without one the console tells why.
        """

        def done(run: Job) -> None:
            if run.error is None:
                self.keep()
                self.display.show_now(note(run.result))
            elif refused:
                self.display.show_now(refused)
            else:
                self.failed(run.error)

        if self.display.free:
            self.worker.begin(self.line.run(line), done)

    # -- what has come of it

    def answered(self, run: Job) -> None:
        """Put the answer of a typed line into the console, and its first line into the note."""
        from engine.words.language import Result

        if run.error is not None:
            self.failed(run.error)
            return
        result = run.result if isinstance(run.result, Result) else Result("")
        said = result.lines or tuple(run.logs)  # an answer repeats what was logged on the way
        self.console().say(said, "" if result.ok else "bad")
        facts = result.reply.facts
        if result.word == "compare" and "branches" in facts:
            self.follow.compare(facts["branches"])
        note = headline(result.word, said, self.display.keys)
        if run.cancelled:
            note = run.left_at(self.debugger.session.event)
        if result.reply.opened is not None:
            self.line.debugger = self.debugger  # this screen stays with its own
            if result.word == "open":
                said = (*said, *taken_up(result.reply.opened, facts["thing"]))
            self.go_on_with(result.reply.opened, said)
            return
        if self.shows(result.reply.found):
            self.keep()
            return
        self.show_hit(facts.get("hits", ()), note)
        if len(result.lines) > 1 and result.reply.place is None:
            self.panes.go_to("console")  # an answer to read
        self.keep()

    def show_hit(self, hits: Sequence[Mapping[str, Any]], note: str) -> None:
        """Show the session; the tensor of a stop that was hit, with the cursor on its element."""
        session = self.debugger.session
        tensors = session.run.tensors
        hit = next((hit for hit in hits if hit.get("tensor") in tensors), None)
        if hit is None or hit["tensor"] == followed(session):
            self.display.show_now(note)
        else:
            self.follow.tensor(hit["tensor"], note)
        if hit is not None:
            self.pointing.show_index(hit["index"])

    def failed(self, error: GradstepError) -> None:
        """Put an error into the console, and what it says into the note, without the line."""
        from engine.words.command import CommandError

        self.console().say([str(error)], "bad")
        said = error.message if isinstance(error, CommandError) else str(error)
        self.display.show_now(said.strip().splitlines()[-1])


def taken_up(debugger: Debugger, thing: str) -> list[str]:
    """Remember what has been opened, and give it its saved stops; what of them does not fit."""
    from tui.settings.recent import remember
    from tui.settings.saved import restore

    remember(thing)
    return restore(debugger)


def headline(word: str, lines: Sequence[str], keys: Bound) -> str:
    """The first line of the answer of a command, for the note."""
    if word == "help" and len(lines) > 1:
        return f"what there is to type: pane {keys[to_pane('console')]}"
    return lines[0] if lines else ""
