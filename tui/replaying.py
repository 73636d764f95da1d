"""The screen on a recording, also while it is still being written."""

from collections.abc import Callable
from pathlib import Path

from engine.capture.captured import CapturedRun
from engine.capture.opened import debugger_of
from engine.capture.opened import follow as take_in
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.hidden import hidden_of
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.run.position_text import parse_position
from engine.session.branches import MAIN
from tui.app import GradstepApp, outlive_terminal, run_and_keep
from tui.control.viewing import conceal
from tui.render.tensor_tree import tree_of
from tui.render.text.clean import clean
from tui.render.variables import columns_of
from tui.settings.folders import config_file
from tui.settings.recent import remember
from tui.settings.saved import restore
from tui.settings.settings import load_settings

POLL = 0.25  # seconds between two looks at a recording that grows


class FollowingApp(GradstepApp):
    """The debugger on a recording that grows: a cursor at its end stays at its end."""

    def __init__(
        self,
        debugger: Debugger,
        grown: Callable[[], bool],
        latest: Callable[[], str] = lambda: MAIN,
    ) -> None:
        super().__init__(debugger, load_settings(config_file()))
        self.grown = grown  # takes in what came since; whether there was anything
        self.latest = latest  # the branch that has grown last
        self.followed, self.declined = MAIN, ""  # the branch that is followed; one that was left
        self.main.parts.following = True
        self.lost = ""  # why the file cannot be followed at present

    def on_mount(self) -> None:
        """Poll the file every POLL seconds."""
        # No super(): Textual calls the on_mount of every class of the MRO itself.
        self.set_interval(POLL, self.poll)

    def poll(self) -> None:
        """Take in the events recorded since the last poll; a cursor at the end follows them."""
        if self.main.job is not None:  # a thread moves the session: the next poll is soon enough
            return
        at_end, branch = self.session.event == self.session.known, self.session.branch.name
        if branch != self.followed:  # a person has gone to another one, and stays there
            self.followed, self.declined = branch, self.latest()
        try:
            grown = self.grown()
        except GradstepError as problem:
            self.tell(f"no longer followed: {problem}")
            return
        self.tell("")
        if grown and self.main.is_mounted:
            for known in (tree_of, columns_of):  # of the tensors that there were
                known.cache_clear()
        other = self.latest() not in (branch, self.declined)
        self.main.parts.elsewhere = self.latest() if other else ""
        if at_end and other and self.main.is_mounted:
            self.follow_branch(self.latest())
        elif grown and self.main.is_mounted and at_end and self.session.event < self.session.known:
            self.main.parts.movement.go_to(self.session.known)
        elif grown and self.main.is_mounted:
            self.main.parts.follow.refresh()
        if self.main.whole:
            self.hide()

    def hide(self) -> None:
        """Hide what the lesson hides that is recorded, for as long as it does."""
        parts, hidden = self.main.parts, hidden_of(self.debugger.views.hidden)
        if hidden != parts.follow.hidden:
            conceal(hidden, parts.follow, parts.panes, self.main)

    def follow_branch(self, name: str) -> None:
        """Go to the end of another branch, on which the run goes on."""
        self.session.branches.switch(name)
        self.followed, self.main.parts.elsewhere = name, ""
        self.main.moment()
        self.main.parts.movement.go_to(self.session.known)
        self.main.show_now(f"the run goes on on branch {clean(name)}")

    def tell(self, lost: str) -> None:
        """Show why the file cannot be followed, or that it can be again; once, and keep polling."""
        if lost == self.lost or not self.main.is_mounted:
            return
        self.lost = lost
        self.main.moment()
        self.main.show_now(clean(lost) if lost else "followed again")


def open_recording(recording: Recording, at: str | None, follow: bool, budget: int) -> int:
    """Open the debugger on a recording; the exit status.

    With ``follow`` it begins at the last known event and polls the file. ``at`` is a position as a
    person types it, ``budget`` the bytes of the history. Raises GradstepError where ``at`` is none.
    """
    debugger, playback = open_debugger(recording, budget)
    path = recording.reader.path
    return shown(debugger, path, playback.refresh, at, follow, lambda: playback.latest)


def open_captured(run: CapturedRun, at: str | None, follow: bool, budget: int) -> int:
    """Open the debugger on a captured script, in the same way."""
    debugger = debugger_of(run, budget)
    if at == "end" and run.failed is not None:  # on the op that ended the script, not behind it
        at = f"#{run.failed[0]}"
    path = run.stored.reader.path
    return shown(debugger, path, lambda: take_in(debugger.session, run), at, follow)


def shown(
    debugger: Debugger,
    path: Path,
    grown: Callable[[], bool],
    at: str | None,
    follow: bool,
    latest: Callable[[], str] = lambda: MAIN,
) -> int:
    """Show a debugger on a file, which it may follow while that grows; the exit status."""
    problems = restore(debugger)
    remember(str(path))
    target = debugger.session.known if follow else 0
    if at is not None:
        target = parse_position(at, debugger)
    settings = load_settings(config_file())
    outlive_terminal()
    app = FollowingApp(debugger, grown, latest) if follow else GradstepApp(debugger, settings)
    app.begin_at(target)
    app.main.parts.diary.thing = str(path)
    app.main.problems += problems
    return run_and_keep(app)
