"""Branches: runs that share their past up to an edit. Each is its journal; the rest follows.

The branch that the cursor is in has the window of recent events; the others keep their losses and a
few keyframes, from which re-execution gives every one of their bits again.
"""

from array import array
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.run.run import Run
from engine.run.source import Ability, Source
from engine.session.changes import changed_names, first_difference
from engine.session.history import History
from engine.session.journal import Journal
from engine.wording import suggestion

MAIN = "main"
PARKED_SHARE = 8  # all parked branches together may hold this fraction of the budget
SCRATCH_BUDGET = 2**24  # bytes of the history of each session that only compares


def is_branch_name(name: str) -> bool:
    """Whether a branch may be called so: letters, digits and ``_ . -``."""
    # A name may come from a recording: no control character shall reach the terminal by it.
    return bool(name) and all(c.isalnum() or c in "_.-" for c in name)


@dataclass(eq=False)
class Branch:
    """One line of history.

    ``fork`` is the event at which it left its parent, ``known`` the furthest event reached, and
    ``losses`` has one number for each loss op that is past, NaN where it was skipped.
    """

    name: str
    history: History
    parent: str | None = None
    fork: int = 0
    journal: Journal = field(default_factory=Journal)
    known: int = 0
    # 8 bytes an iteration, at any length of the run; a list takes several times as much.
    losses: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, eq=False)
class Comparison:
    """How two branches differ: the first cursor position and tensor, with both values.

    ``event`` is None where nothing differs up to ``compared``, the last position known in both.
    ``losses`` has those of each branch, (losses,) of float64.
    """

    names: tuple[str, str]
    compared: int
    losses: tuple[Array, Array]
    event: int | None = None
    tensor: str | None = None
    index: tuple[int, ...] = ()
    values: tuple[float | None, float | None] = (None, None)


class Undoing(Protocol):
    """What takes changes back."""

    def changing(self, what: str) -> AbstractContextManager[None]: ...


class Stepped(Protocol):
    """A session, as far as its branches need it."""

    branch: Branch

    @property
    def undo(self) -> Undoing: ...
    @property
    def run(self) -> Run: ...
    @property
    def event(self) -> int: ...
    @property
    def tensors(self) -> Mapping[str, Array]: ...
    @property
    def history(self) -> History: ...
    @property
    def source(self) -> Source[Branch]: ...

    def losses_at(self, event: int) -> int: ...
    def reenter(self, event: int) -> None: ...
    def travel(self, event: int) -> Iterator[int]: ...
    def step(self) -> int: ...
    def beside(self, budget: int) -> Self: ...
    def need(self, ability: Ability) -> None: ...


class Branches:
    """The branches of a session by name, in the order in which they were made."""

    def __init__(self, session: Stepped, first: Branch) -> None:
        self._session = session
        self._all = {first.name: first}

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def add(self, branch: Branch) -> None:
        """Take in a branch of a recording; its parent must be here already."""
        self._all[branch.name] = branch

    def find(self, name: str) -> Branch:
        """The branch of a name; a GradstepError lists those there are."""
        if name not in self._all:
            hint = suggestion(name, self._all)
            raise GradstepError(f"no branch {name!r}{hint}; there are: {', '.join(self._all)}")
        return self._all[name]

    def fork(self, name: str | None = None) -> Branch:
        """Leave the current branch at the cursor: the new one is current and equal up to here.

        Without a name it gets a number. It can be taken back. Raises GradstepError for a name that
        is taken or is none, and for a run that has no branches.
        """
        with self._session.undo.changing(f"branch {name or ''}".strip()):
            return self.split(name)

    def split(self, name: str | None = None) -> Branch:
        """What ``fork`` does, as a part of an edit, with which it is taken back."""
        session, old = self._session, self._session.branch
        session.need(Ability.BRANCH)
        name = self._named(name, old.name)
        event = session.event
        new = Branch(name, old.history.taken(event), old.name, event, old.journal.until(event))
        new.known = event
        new.losses = old.losses[: session.losses_at(event)]
        self._all[name] = new
        session.branch = new
        self._thin(old)
        return new

    def switch(self, name: str) -> Branch:
        """Make a branch current; the cursor stays at its event, or goes to the last one known.

        Raises GradstepError for an unknown name.
        """
        session, old = self._session, self._session.branch
        new = self.find(name)
        if new is not old:
            with session.undo.changing(f"switch {name}"):
                event = min(session.event, new.known)
                session.branch = new
                old.history.restart(0)  # the current branch alone has a window
                self._thin(old)
                session.reenter(event)
        return new

    def delete(self, name: str) -> None:
        """Forget a branch; its children become its parent's.

        Raises GradstepError for the current branch and for an unknown name.
        """
        gone = self.find(name)
        if gone is self._session.branch:
            raise GradstepError(f"{name} is the current branch: switch to another one first")
        with self._session.undo.changing(f"branch delete {name}"):
            for branch in self:
                if branch.parent == name:
                    # What a child shares with its grandparent ends where the first of the two
                    # left it.
                    branch.parent, branch.fork = gone.parent, min(branch.fork, gone.fork)
            del self._all[name]
        while len(gone.history.keyframes) > 1:  # it is kept for undo alone
            gone.history.thin()

    def restore(self, branches: Iterable[Branch]) -> None:
        """Have these branches and no others."""
        self._all = {branch.name: branch for branch in branches}

    def compare(self, left: str, right: str) -> Generator[int, None, Comparison]:
        """Find the first difference of two branches; yields the event reached now and then.

        The cursor stays where it is. Raises GradstepError for an unknown name.
        """
        branches = self.find(left), self.find(right)
        a, b = branches
        end = min(a.known, b.known)
        losses = np.array(a.losses), np.array(b.losses)
        sessions = self._scratch(a), self._scratch(b)
        # Up to the first entry that only one journal has, both are the same to the bit.
        start = min(first_divergence(a.journal, b.journal), end)
        for session in sessions:
            yield from session.travel(start)
        names: set[str] | None = None  # at first all of them
        while True:
            found = differing(sessions[0], sessions[1], names)
            if found:
                return Comparison((left, right), end, losses, sessions[0].event, *found)
            if sessions[0].event >= end:
                return Comparison((left, right), end, losses)
            for session in sessions:
                session.step()
            names = changed_names(sessions[0]) | changed_names(sessions[1])
            if sessions[0].event % 1024 == 0:
                yield sessions[0].event

    def _scratch(self, branch: Branch) -> Stepped:
        """A second session on a branch, to look at it without moving the cursor."""
        session = self._session.beside(SCRATCH_BUDGET)
        copy = session.branch
        copy.journal, copy.known = branch.journal, branch.known
        # The keyframes themselves, not copies: arrays never change.
        copy.history.keyframes.update(branch.history.keyframes)
        copy.history.whole.update(branch.history.whole)
        copy.history.spacing, copy.history.swept = branch.history.spacing, branch.history.swept
        return session

    def _named(self, name: str | None, parent: str) -> str:
        if name is None:
            return next(n for i in range(1, len(self) + 2) if (n := f"{parent}-{i}") not in self)
        if name in self._all:
            raise GradstepError(f"there is a branch {name!r} already")
        if not is_branch_name(name):
            raise GradstepError(f"branch {name!r}: a name has letters, digits and _ . - only")
        return name

    def _thin(self, branch: Branch) -> None:
        """Let a branch that is no longer current keep only its share of the memory."""
        history = branch.history
        share = history.budget // PARKED_SHARE // len(self)
        while len(history.keyframes) > 1 and history.kept_bytes > share:
            history.thin()


def first_divergence(a: Journal, b: Journal) -> int:
    """The first event at which two journals differ; where they do not, far beyond any run."""
    differ = [entry.event for entry in a if entry not in b.entries]
    differ += [entry.event for entry in b if entry not in a.entries]
    return min(differ, default=2**62)


Found = tuple[str, tuple[int, ...], tuple[float | None, float | None]]


def differing(a: Stepped, b: Stepped, names: set[str] | None) -> Found | None:
    """The first tensor and index at which two sessions differ, in the order of the program."""
    order = [*a.run.tensors, *(a.tensors.keys() - a.run.tensors.keys())]
    for name in order if names is None else [name for name in order if name in names]:
        left, right = a.tensors.get(name), b.tensors.get(name)
        if left is None or right is None:
            if left is not right:
                return name, (), (only(left), only(right))
            continue
        index = first_difference(left, right)
        if index is not None:
            return name, index, (float(left[index]), float(right[index]))
    return None


def only(value: Array | None) -> float | None:
    """The first element of a tensor that the other branch does not have; None for no element."""
    return None if value is None or not value.size else float(np.ravel(value)[0])
