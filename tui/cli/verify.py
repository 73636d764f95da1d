"""``gradstep verify``: execute a recording again and compare it at every event."""

from dataclasses import asdict
from typing import Any

import click

from engine.capture.recognized import is_capture
from engine.recording.environment import environment
from engine.recording.verify import Divergence, Verdict, Verification
from tui.cli.arguments import json_option
from tui.cli.output import print_json
from tui.cli.recordings import opened, recording_argument, run_option
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text, exact


@click.command("verify")
@recording_argument
@run_option
@click.option(
    "--math",
    "mathematics",
    is_flag=True,
    help="Of a captured script: compute the ops again whose functions are known here.",
)
@click.option(
    "--rerun",
    is_flag=True,
    help="Of a captured script: run the recorded command again. It is what the file says.",
)
@json_option
def verify(file: str, number: int | None, mathematics: bool, rerun: bool, as_json: bool) -> int:
    """Execute the recording FILE again and compare every event; 1 at the first divergence.

    Bit by bit where NumPy, BLAS, its threads and the CPU are the recorded ones, else within a
    tolerance, which is said. Of a captured script the digests are looked through.
    """
    if is_capture(file):
        from tui.cli.captures.verify import run_again
        from tui.cli.captures.verify import verify as verify_capture

        if rerun and mathematics:
            raise click.UsageError("--rerun and --math: one after the other")
        if rerun:
            return run_again(file, number, as_json)
        return verify_capture(file, number, mathematics, as_json)
    if mathematics:
        raise click.UsageError("--math: an experiment is always executed again, to the bit")
    with opened(file, number) as recording:
        steps = Verification(recording, environment()).run()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                verdict: Verdict = end.value
                break
    if as_json:
        print_json(as_object(verdict))
    else:
        for line in lines(verdict):
            click.echo(clean(line))
    return DONE if verdict.good else NO


def as_object(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data."""
    found = verdict.divergence
    about = {
        "verified": verdict.good,
        "guarantee": "bit-exact" if verdict.exact else "tolerance",
        "tolerance": verdict.tolerance,
        "environment_differences": verdict.differences,
        "events": verdict.events,
        "rounded": verdict.rounded,
        "uncompared": verdict.uncompared,
        "damage": verdict.damage,
        "covered": list(verdict.covered),
        "not_covered": list(verdict.uncovered),
    }
    return about | {"divergence": None if found is None else asdict(found)}


def lines(verdict: Verdict) -> list[str]:
    """The lines about a verdict for people."""
    if verdict.exact:
        found = ["guarantee   bit-exact: the environment is the recorded one"]
    else:
        found = [
            f"guarantee   within {verdict.tolerance:g} of the largest element of each tensor: "
            "the environment is another one",
            *[f"            {difference}" for difference in verdict.differences],
        ]
    found.append(f"events      {count_text(verdict.events)} are the same")
    if verdict.rounded:
        found.append(f"            {count_text(verdict.rounded)} tensors within the tolerance")
    if verdict.uncompared:
        found.append(
            f"            {count_text(verdict.uncompared)} tensors differ in their bits and are "
            "not stored: compared at the next keyframe"
        )
    found.append(f"covered     {', '.join(verdict.covered)}")
    if verdict.uncovered:
        found.append(f"not covered {', '.join(verdict.uncovered)}: {verdict.why}")
    found += [f"damaged     {problem}" for problem in verdict.damage]
    if verdict.divergence is not None:
        found += divergence_lines(verdict.divergence)
    found.append("verified" if verdict.good else "NOT verified")
    return found


def divergence_lines(found: Divergence) -> list[str]:
    """The lines about the first divergence for people."""
    where = f"#{found.event} {found.position} of branch {found.branch}"
    index = "" if found.index is None else str(list(found.index)) if found.index else ""
    first = f"diverges    {where}: {found.tensor}{index}"
    if found.recorded is None or found.recomputed is None:
        return [first, "            the recorded tensor is not stored or has another shape"]
    ulps = "" if found.ulps is None else f", {count_text(found.ulps)} ULPs apart"
    return [
        first,
        f"            recorded {exact(found.recorded)}, recomputed {exact(found.recomputed)}{ulps}",
    ]
