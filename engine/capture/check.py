"""Is a command the same with and without the tracer? Both are run, and compared.

Compared are the lines of stdout and stderr, the exit status and the files that the command wrote in
its folder. A line that differs is held against more runs without the tracer: what plain runs do not
agree about (a time, say) tells nothing, and is counted.
"""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.capture.launch import launch
from engine.capture.plan import Plan
from engine.capture.sink import Stream
from engine.capture.tally import Tally
from engine.errors import GradstepError

MOST_PLAIN = 4  # a time in milliseconds is easily the same in two runs
MOST_FILES = 20_000
MOST_HASHED = 2**30  # bytes of a file that are compared
LEFT_OUT = frozenset((".git", ".venv", "venv", "__pycache__", "node_modules"))
Seen = dict[str, tuple[int, int]]


@dataclass
class Run:
    """What a run did: its lines by stream, its exit status, digests of the files that it wrote."""

    lines: dict[Stream, list[str]]
    status: int
    files: dict[str, str]
    whole: bool = True
    iterations: int = 0


@dataclass
class Comparison:
    """What two runs have in common, and ``differences``, a sentence each."""

    lines: int = 0
    files: int = 0
    iterations: int = 0
    whole: bool = True
    unsteady: int = 0  # lines and files that two plain runs do not agree about either
    differences: list[str] = field(default_factory=list)


class Counted(Tally):
    """Counts, and keeps what was printed; ``enough`` once so many iterations are over."""

    def __init__(self, iterations: int | None) -> None:
        super().__init__()
        self.limit = iterations
        self.printed: dict[Stream, list[str]] = {stream: [] for stream in Stream}

    def text(self, stream: Stream, text: str) -> None:
        """Keep what was printed."""
        self.printed[stream].append(text)

    def enough(self) -> bool:
        """Whether the iterations that were asked for are over."""
        return self.limit is not None and self.iterations >= self.limit


def compare(
    command: Sequence[str],
    plan: Plan,
    iterations: int | None,
    outer: Mapping[str, str],
    folder: Path,
) -> Comparison:
    """Run a command captured and plain, for so many iterations or to its end, and compare.

    Raises GradstepError where it cannot be started, or nothing of it was captured.
    """
    # Where a run is ended early, what it printed must not wait in a buffer.
    given = dict(outer) if iterations is None else dict(outer) | {"PYTHONUNBUFFERED": "1"}
    captured = traced(command, plan, iterations, given, folder)
    first = plain(command, given, folder, None if captured.whole else captured)
    found = differences(captured, first)
    others: list[Run] = []
    while found.differences and len(others) < MOST_PLAIN - 1:
        others.append(plain(command, given, folder, None if captured.whole else captured))
        found = differences(captured, first, others)
    return found


def forget(stream: Stream, data: bytes) -> None:
    """What is printed is compared, and not shown."""


def traced(
    command: Sequence[str],
    plan: Plan,
    iterations: int | None,
    outer: Mapping[str, str],
    folder: Path,
) -> Run:
    """The captured run."""
    before = seen(folder)
    sink = Counted(iterations)
    # A plain run is read through pipes too: where both streams are one, their lines would mix.
    outcome = launch(command, plan, sink, forget, outer, sink.enough, piped=True)
    if outcome.why_nothing:
        raise GradstepError(f"nothing was captured: {outcome.why_nothing}")
    lines = {stream: split("".join(parts)) for stream, parts in sink.printed.items()}
    whole = not sink.enough() or outcome.status != 128 + 9
    return Run(lines, outcome.status, written(folder, before), whole, sink.iterations)


def plain(command: Sequence[str], outer: Mapping[str, str], folder: Path, like: Run | None) -> Run:
    """A run without the tracer; where another one was ended early, as many lines as that had."""
    before = seen(folder)
    try:
        process = subprocess.Popen(
            list(command),
            env=dict(outer),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if like is None else subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
    except OSError as problem:
        raise GradstepError(f"{command[0]}: cannot be started: {problem.strerror}") from None
    with process:
        if like is None:
            out, err = process.communicate()
            lines = {
                Stream.STDOUT: split(out.decode(errors="replace")),
                Stream.STDERR: split(err.decode(errors="replace")),
            }
        else:
            lines = {Stream.STDOUT: some_lines(process, len(like.lines[Stream.STDOUT]))}
            process.kill()
    code = process.returncode
    return Run(lines, 128 - code if code < 0 else code, written(folder, before), like is None)


def some_lines(process: subprocess.Popen[bytes], count: int) -> list[str]:
    """The first lines that a process prints."""
    found: list[str] = []
    if process.stdout is not None:
        while len(found) < count and (line := process.stdout.readline()):
            found.append(line.decode(errors="replace").rstrip("\n"))
    return found


def split(text: str) -> list[str]:
    """The lines of a text."""
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []


def seen(folder: Path) -> Seen:
    """The files of a folder, with their sizes and times."""
    found: Seen = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if one not in LEFT_OUT and not one.startswith(".")]
        for name in files:
            path = os.path.join(root, name)
            try:
                status = os.stat(path)
            except OSError:
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
            if len(found) >= MOST_FILES:
                return found
    return found


def written(folder: Path, before: Seen) -> dict[str, str]:
    """Digests of the files of a folder that are new or changed."""
    found = {}
    for path, status in seen(folder).items():
        if before.get(path) != status and status[1] <= MOST_HASHED:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "blake2b").hexdigest()
            found[os.path.relpath(path, folder)] = digest
    return found


def differences(captured: Run, first: Run, others: Sequence[Run] = ()) -> Comparison:
    """What is not the same in a captured and a plain run, but is in all plain ones."""
    found = Comparison(iterations=captured.iterations, whole=captured.whole)
    for stream, lines in first.lines.items():
        more = [one.lines[stream] for one in others]
        compare_lines(found, stream, captured.lines[stream], lines, more)
    if not captured.whole:
        return found
    if captured.status != first.status:
        if any(one.status != first.status for one in others):
            found.unsteady += 1
        else:
            found.differences.append(
                f"exit status: {captured.status} captured, {first.status} plain"
            )
    for name in sorted(captured.files.keys() | first.files.keys()):
        mine, plain_one = captured.files.get(name), first.files.get(name)
        if mine == plain_one:
            found.files += 1
        elif any(one.files.get(name) != plain_one for one in others):
            found.unsteady += 1
        else:
            what = "differs" if mine and plain_one else "is written by one of them only"
            found.differences.append(f"file {name}: {what}")
    return found


def compare_lines(
    found: Comparison,
    stream: Stream,
    mine: list[str],
    plain_lines: list[str],
    others: Sequence[list[str]],
) -> None:
    """Compare the lines of a stream; where one run was ended early, those that both have."""
    if found.whole and len(mine) != len(plain_lines):
        if any(len(other) != len(plain_lines) for other in others):
            found.unsteady += 1
        else:
            count = f"{len(mine)} lines captured, {len(plain_lines)} plain"
            found.differences.append(f"{stream}: {count}")
    for number, (one, line) in enumerate(zip(mine, plain_lines, strict=False)):
        if one == line:
            found.lines += 1
        elif any(number >= len(other) or other[number] != line for other in others):
            found.unsteady += 1
        else:
            found.differences.append(
                f"{stream}, line {number + 1}: {one!r} captured, {line!r} plain"
            )
