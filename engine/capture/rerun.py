"""A captured command run again, as it was recorded, and held against the recording.

The command is the recording's: whoever runs one again runs what its file says.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from engine.capture.captured import CapturedRun
from engine.capture.differences import Comparison
from engine.capture.differences import Outcome as Difference
from engine.capture.launch import Outcome, Write, launch
from engine.capture.opened import opened_capture
from engine.capture.origin import VARIABLES, chosen, git_state
from engine.capture.plan import Plan
from engine.capture.reasons import reasons
from engine.capture.rows import CapturedProcess
from engine.capture.stored import StoredCapture
from engine.capture.tally import Tally
from engine.capture.writer import CaptureWriter, Command
from engine.errors import GradstepError

MOST_WORDS: Final = 2**16


@dataclass(frozen=True)
class Start:
    """How a command was started: in which directory, with which variables and options.

    ``words`` are the ``arguments`` with the program where it was found.
    """

    name: str
    words: tuple[str, ...]
    arguments: tuple[str, ...]
    directory: Path
    facts: Mapping[str, Any]
    variables: Mapping[str, str]
    plan: Plan

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """An environment in which what was written down is as it was."""
        kept = {name: value for name, value in outer.items() if name not in VARIABLES}
        return kept | dict(self.variables)


@dataclass
class Rerun:
    """What came of running a command again: by process, in how many iterations and what it differs.

    ``differences`` are what is not as it was around it, whether that matters or not; ``ended`` says
    how both ended, where that is not the same.
    """

    processes: list[tuple[CapturedProcess, Difference]] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ended: str = ""

    @property
    def same(self) -> bool:
        """Whether everything that could be compared is the same."""
        return (
            not self.missing and not self.ended and all(found.same for _, found in self.processes)
        )


def recorded_start(run: CapturedProcess, file: Path) -> Start:
    """How a recorded command was started; GradstepError says why it cannot be started again."""

    def refused(why: str) -> GradstepError:
        return GradstepError(f"{file}: cannot be run again: {why}")

    facts, directory = run.command.get("facts"), run.command.get("directory")
    given = run.command.get("arguments")
    words = [word for word in given if isinstance(word, str)] if isinstance(given, list) else []
    known = 0 < len(words) < MOST_WORDS and words == given and isinstance(facts, dict)
    if not known or facts is None or not isinstance(directory, str):
        raise refused("its command was not written down")
    options, variables = facts.get("capture"), facts.get("environment")
    if not isinstance(options, dict) or not isinstance(variables, dict):
        raise refused("it was captured by a gradstep that did not write down how it was started")
    variables = {n: v for n, v in variables.items() if n in VARIABLES and isinstance(v, str)}
    if not os.path.isdir(directory):
        raise refused(f"there is no directory {directory}")
    program = facts.get("program")
    found = program if isinstance(program, str) else words[0]
    if shutil.which(found, path=os.environ.get("PATH")) is None:
        raise refused(f"there is no {found}")
    script = facts.get("script")
    if script == "-":
        raise refused("its script came from standard input")
    if isinstance(script, str) and not (Path(directory) / script).exists():
        raise refused(f"the script {script} is gone from {directory}")
    plan = replace(Plan.read(options), quiet=True)
    again = (found, *words[1:])
    return Start(run.name, again, tuple(words), Path(directory), facts, variables, plan)


def whole_iterations(run: CapturedRun) -> int:
    """How many iterations can be compared: the last one of an interrupted run is not whole."""
    closed = run.stored.run.status == "closed"
    return run.timeline.iterations - (not closed)


def enough(runs: list[CapturedRun]) -> Callable[[Tally], bool]:
    """Whether a second run has come as far as the first one did, which was interrupted."""
    if any(run.stored.run.status == "closed" for run in runs):
        return lambda tally: False
    wanted = [whole_iterations(run) for run in runs]

    def reached(tally: Tally) -> bool:
        told = [one.iterations for one in tally.processes.values() if one.events]
        return len(told) >= len(wanted) and all(
            count >= least for count, least in zip(told, wanted, strict=False)
        )

    return reached


def run_again(
    start: Start,
    target: Path,
    outer: Mapping[str, str],
    write: Write,
    look: Callable[[Tally], bool],
) -> Outcome:
    """Run a command again, in its directory, and record it at ``target``; ``look`` may end it."""
    given = start.environment(outer)
    facts = dict(start.facts) | {"environment": chosen(given)}
    facts.pop("git", None)
    state = git_state(start.directory)
    if state is not None:
        facts["git"] = state
    command = Command(start.name, start.arguments, str(start.directory), facts)
    writer = CaptureWriter(target, command, sources=start.plan.source, limit=start.plan.budget)
    tally = Tally(writer)
    with inside(start.directory):
        words, plan = start.words, start.plan
        found = launch(words, plan, tally, write, given, lambda: look(tally), piped=True)
    if found.why_nothing:
        raise GradstepError(f"nothing was captured of the second run: {found.why_nothing}")
    if found.failed:
        raise GradstepError(f"the second run: its recording ended early: {found.failed}")
    return found


@contextmanager
def inside(directory: Path) -> Iterator[None]:
    """In another working directory."""
    before = Path.cwd()
    try:
        os.chdir(directory)
    except OSError as problem:
        raise GradstepError(f"{directory}: {problem.strerror}") from None
    try:
        yield
    finally:
        os.chdir(before)


def compare(file: Path, other: Path, numbers: list[int], status: int) -> Rerun:
    """Hold runs of a recording, by number, against those of the same ranks in another one."""
    found = Rerun()
    with ExitStack() as stack:
        twins = numbers_by_place(stack.enter_context(opened_capture(str(other))).stored)
        for number in numbers:
            run = stack.enter_context(opened_capture(str(file), number))
            places = {n: place for place, n in numbers_by_place(run.stored).items()}
            twin = twins.get(places[number])
            if twin is None:
                rank = run.stored.run.rank
                found.missing.append(f"rank {rank} was not there in the second run")
                continue
            again = stack.enter_context(opened_capture(str(other), twin))
            hold(found, run, again, status)
    return found


def numbers_by_place(stored: StoredCapture) -> dict[tuple[int, int], int]:
    """The number of each run by its rank, and which of that rank it is."""
    seen: Counter[int] = Counter()
    found = {}
    for run in stored.runs:
        found[run.rank, seen[run.rank]] = run.id
        seen[run.rank] += 1
    return found


def hold(found: Rerun, run: CapturedRun, again: CapturedRun, status: int) -> None:
    """Compare one process of both."""
    process = run.stored.run
    iterations = min(whole_iterations(run), again.timeline.iterations)
    comparison = Comparison(run, again, iterations)
    for _ in comparison.run():
        pass
    found.processes.append((process, comparison.outcome))
    for said in reasons(run, again):
        if not said.startswith("capture.") and said not in found.differences:
            found.differences.append(said)
    before: Any = process.ending.get("exit")
    if process.status == "closed" and before != status and not found.ended:
        found.ended = f"exit status {before} recorded, {status} now"
