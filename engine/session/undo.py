"""What has been changed in a session, so that it can be taken back: edits, skips, branches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from engine.errors import GradstepError
from engine.session.branches import Branch, Branches
from engine.session.journal import Journal

MAX_CHANGES = 100


@dataclass(frozen=True, eq=False)
class Kept:
    """A branch as it was: where it came from, what was edited, how far it was known."""

    branch: Branch
    parent: str | None
    fork: int
    journal: Journal
    known: int
    losses: int


@dataclass(frozen=True, eq=False)
class Change:
    """The session before a change: what is taken back, its branches, the current one, its place."""

    what: str
    branches: tuple[Kept, ...]
    current: Branch
    event: int


class Changed(Protocol):
    """A session, as far as it is taken back."""

    branch: Branch
    branches: Branches

    @property
    def event(self) -> int: ...
    def reenter(self, event: int) -> None: ...


class Undo:
    """The changes of a session, the last MAX_CHANGES of them, newest last."""

    def __init__(self, session: Changed) -> None:
        self._session = session
        self.changes: list[Change] = []

    @contextmanager
    def changing(self, what: str) -> Iterator[None]:
        """Keep what the session was before a change, which ``what`` names, if it is made."""
        session = self._session
        kept = tuple(
            Kept(b, b.parent, b.fork, b.journal, b.known, len(b.losses)) for b in session.branches
        )
        before = Change(what, kept, session.branch, session.event)
        yield
        self.changes.append(before)
        del self.changes[:-MAX_CHANGES]

    def take_back(self) -> Change:
        """Take the last change back; the cursor goes where it stood when that was made.

        What was computed after it on the branch of an edit is forgotten, and computed again as one
        steps. Raises GradstepError where there is nothing to take back.
        """
        if not self.changes:
            raise GradstepError("nothing was edited, skipped or switched: there is nothing to undo")
        change, session = self.changes.pop(), self._session
        for kept in change.branches:
            branch = kept.branch
            branch.parent, branch.fork = kept.parent, kept.fork
            if branch.journal != kept.journal:
                # An edit is made where its branch ends: from there on all is as it was before.
                branch.journal, branch.known = kept.journal, kept.known
                branch.history.unedit(change.event)
                del branch.losses[kept.losses :]
        session.branches.restore(kept.branch for kept in change.branches)
        if session.branch is not change.current:
            session.branch.history.restart(0)  # the current branch alone has a window
        session.branch = change.current
        session.reenter(change.event)
        return change
