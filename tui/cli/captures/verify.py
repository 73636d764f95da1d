"""``gradstep verify`` of a captured script: whether the file is as it was written."""

from collections.abc import Generator, Iterator
from dataclasses import asdict
from typing import TypeVar

import click

from engine.capture.captured import CapturedRun
from engine.capture.mathematics import Checked, check
from engine.capture.opened import opened_capture
from engine.capture.verify import Verdict
from engine.capture.verify import verify as verified
from tui.cli.output import print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

T = TypeVar("T")


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
