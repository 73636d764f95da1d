"""``gradstep verify`` of a captured script: whether the file is as it was written."""

import os
import shlex
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.capture.captured import CapturedRun
from engine.capture.mathematics import Checked, check
from engine.capture.opened import opened_capture
from engine.capture.recognized import split_rank
from engine.capture.rerun import Rerun, Start, compare, enough, recorded_start
from engine.capture.rerun import run_again as again
from engine.capture.sink import Stream
from engine.capture.tally import Tally
from engine.capture.verify import Verdict
from engine.capture.verify import verify as verified
from tui.cli.captures.diff import as_object, difference_lines
from tui.cli.output import note, print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

T = TypeVar("T")
MOST_SAID = 2**14  # bytes of a second run's stderr that are kept
SHOWN = 5  # lines of it that are shown where it ended otherwise


def verify(name: str, number: int | None, mathematics: bool, as_json: bool) -> int:
    """Look through a captured recording; 1 where something is not as it was written."""
    with opened_capture(name, number) as run:
        if mathematics:
            return calculated(run, as_json)
        verdict = concluded(verified(run))
    if as_json:
        print_json({"verified": verdict.good, "guarantee": "digests"} | asdict(verdict))
    else:
        for line in lines(verdict):
            click.echo(clean(line))
    return DONE if verdict.good else NO


def run_again(name: str, number: int | None, as_json: bool) -> int:
    """Run the recorded command again and compare; 1 where something differs.

    Of several ranks all are compared, unless one is named.
    """
    from tui.cli.capture import Progress

    file, rank = split_rank(name)
    with opened_capture(name, number) as run:
        start = recorded_start(run.stored.run, file)
        one = rank is not None or number is not None
        numbers = [run.stored.run.id] if one else [it.id for it in run.stored.runs]
        if not as_json:
            note(clean(f"gradstep: runs {shlex.join(start.words)}"))
            note(clean(f"gradstep: in {start.directory}"))
    with ExitStack() as stack:
        runs = [stack.enter_context(opened_capture(str(file), it)) for it in numbers]
        stop = enough(runs)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradstep-again-")))
        said = bytearray()

        def write(stream: Stream, data: bytes) -> None:
            if stream is Stream.STDERR:
                said.extend(data)
                del said[:-MOST_SAID]

        progress: list[Progress] = []

        def look(tally: Tally) -> bool:
            if not progress:
                progress.append(Progress(tally, quiet=as_json))
                progress[0].estimated = True
            progress[0].look()
            return stop(tally)

        target = folder / "again.gradstep"
        outcome = again(start, target, dict(os.environ), write, look)
        if progress:
            progress[0].clear()
        found = compare(file, target, numbers, outcome.status)
        if found.ended and not as_json:
            for line in said.decode(errors="replace").splitlines()[-SHOWN:]:
                note(clean(f"gradstep: its stderr: {line}"))
    if as_json:
        print_json(rerun_object(found, start))
    else:
        for line in rerun_lines(found):
            click.echo(clean(line))
    return DONE if found.same else NO


def rerun_object(found: Rerun, start: Start) -> dict[str, Any]:
    """What came of running a command again, as plain data."""
    return {
        "verified": found.same,
        "guarantee": "rerun",
        "command": list(start.words),
        "directory": str(start.directory),
        "environment_differences": found.differences,
        "missing": found.missing,
        "ended": found.ended,
        "runs": [
            {"run": process.id, "rank": process.rank, "values": outcome.values}
            | as_object(outcome)
            | {"first_op": None if outcome.first_op is None else asdict(outcome.first_op)}
            for process, outcome in found.processes
        ],
    }


def rerun_lines(found: Rerun) -> Iterator[str]:
    """The lines about a command that was run again: A is the recording, B the second run."""
    yield "guarantee   run again: every value that both runs kept is compared"
    for said in found.differences:
        yield f"            {said}"
    for process, outcome in found.processes:
        rank = f" of rank {process.rank}" if len(found.processes) > 1 else ""
        values, iterations = count_text(outcome.values), count_text(outcome.compared)
        title, end = ("ok", " are the same") if outcome.same else ("compared", "")
        yield f"{title:<12}{values} values in {iterations} iterations{rank}{end}"
        if outcome.unknown:
            count = count_text(outcome.unknown)
            yield f"            {count} of them by their statistics and samples alone"
        if outcome.first is not None and outcome.first != outcome.first_op:
            yield from difference_lines("differs", outcome.first, 12)
        if outcome.first_op is not None:
            yield from difference_lines("first op", outcome.first_op, 12)
        if outcome.missing is not None:
            yield from difference_lines("missing op", outcome.missing, 12)
        for said in outcome.drift:
            yield f"shape       {said}"
    for said in found.missing:
        yield f"missing     {said}"
    if found.ended:
        yield f"ended       {found.ended}"
    yield "verified" if found.same else "NOT verified"


def concluded(steps: Generator[int, None, T]) -> T:
    """What comes of steps when they are over."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


def calculated(run: CapturedRun, as_json: bool) -> int:
    """Compute ops again in float64; 1 where a result is not what its operands make."""
    found = concluded(check(run, run.timeline.iterations))
    if as_json:
        about = asdict(found) | {"unknown": dict(found.unknown)}
        print_json({"verified": not found.wrong, "guarantee": "float64 within rounding"} | about)
    else:
        for line in math_lines(found):
            click.echo(clean(line))
    return NO if found.wrong else DONE


def math_lines(found: Checked) -> Iterator[str]:
    """The lines about ops that were computed again."""
    yield "guarantee   computed again in float64, within the rounding of the captured dtype"
    yield f"checked     {count_text(found.checked)} of {count_text(found.ops)} ops"
    if found.not_kept:
        yield f"not kept    the operands or the result of {count_text(found.not_kept)} ops"
    if found.unknown:
        names = [f"{name} ×{count_text(times)}" for name, times in found.unknown.most_common(12)]
        yield f"not known   {', '.join(names)}"
    for one in found.wrong:
        yield f"differs     #{one.event} {one.position}: {one.tensor}{list(one.index)}"
        yield f"            captured {one.captured!r}, computed {one.computed!r}  {one.op}"
    yield "verified" if not found.wrong else "NOT verified"


def lines(verdict: Verdict) -> list[str]:
    """The lines about a verdict for people."""
    found = [
        "guarantee   digests: the file is as it was written; nothing is computed again",
        f"events      {count_text(verdict.events)} in {count_text(verdict.iterations)} iterations, "
        f"{count_text(verdict.values)} different tensors and samples",
    ]
    if verdict.closed:
        found.append("covered     command, ops, values, source files, printed text")
    else:
        found.append(
            "covered     command, ops and values; not the source files and the printed text, "
            "which are bound when a script ends in good order"
        )
    found += [f"damaged     {problem}" for problem in verdict.damage]
    return [*found, "verified" if verdict.good else "NOT verified"]
