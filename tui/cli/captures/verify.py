"""``gradstep verify`` of a captured script: whether the file is as it was written."""

from dataclasses import asdict

import click

from engine.capture.opened import opened_capture
from engine.capture.verify import Verdict
from engine.capture.verify import verify as verified
from tui.cli.output import print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text


def verify(name: str, number: int | None, as_json: bool) -> int:
    """Look through a captured recording; 1 where something is not as it was written."""
    with opened_capture(name, number) as run:
        steps = verified(run)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                verdict: Verdict = end.value
                break
    if as_json:
        print_json({"verified": verdict.good, "guarantee": "digests"} | asdict(verdict))
    else:
        for line in lines(verdict):
            click.echo(clean(line))
    return DONE if verdict.good else NO


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
