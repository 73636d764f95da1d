"""``gradstep overfit``: can the network learn one batch?"""

from typing import Any

import click

from engine.diagnostics.one_batch import ITERATIONS, Attempt, Overfit
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tui.cli.arguments import experiment_argument, iterations_option, json_option
from tui.cli.following import followed
from tui.cli.opened import refuse_capture
from tui.cli.output import console, print_json
from tui.cli.status import DONE, INTERRUPTED, NO
from tui.render.reports.findings import print_findings
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text


@click.command("overfit")
@experiment_argument
@iterations_option("Take at most N iterations.", ITERATIONS)
@json_option
def overfit(experiment: str, iterations: int, as_json: bool) -> int:
    """Try whether the network of EXPERIMENT can learn one batch by heart.

    What cannot learn 8 to 32 rows will not learn the others. Network, loss and optimizer are the
    experiment's; dropout and the schedule are left out. Learnt is what has left 5 % of the way from
    the best constant answer to the lowest loss that is possible. Exit status 1 when it cannot, with
    what the doctor says about it.
    """
    refuse_capture(experiment)
    attempt = Attempt(compile_program(load_experiment(experiment)), iterations)
    name = attempt.program.experiment.name
    complete = followed(attempt.run(), iterations)
    result = attempt.result()
    if as_json:
        print_json(as_object(name, result, not complete), indent=1)
    else:
        print_result(name, result)
    if not complete:
        return INTERRUPTED
    return DONE if result.learnt else NO


def as_object(name: str, result: Overfit, interrupted: bool) -> dict[str, Any]:
    """The result as plain data."""
    return {
        "experiment": name,
        "learnt": result.learnt,
        "rows": result.rows,
        "iterations": result.iterations,
        "loss": {
            "first": result.first,
            "lowest": result.lowest,
            "possible": result.floor,
            "constant": result.constant,
        },
        "left": result.share,
        "findings": [
            {"name": one.name, "severity": one.severity, "evidence": one.evidence}
            for one in result.findings
        ],
        "interrupted": interrupted,
    }


def print_result(name: str, result: Overfit) -> None:
    """The answer in a line, the numbers, and where it is no, what the doctor says."""
    rows = [
        ("rows", count_text(result.rows)),
        ("loss at first", figure(result.first)),
        ("lowest loss", figure(result.lowest)),
        ("of a constant answer", figure(result.constant)),
        ("lowest possible", figure(result.floor)),
        ("left of the way", "unknown" if result.share is None else f"{result.share:.1%}"),
    ]
    for label, text in rows:
        click.echo(f"{label:24}{text}")
    out = console()
    loud = [one for one in result.findings if one.serious]
    if not result.learnt and loud:
        out.print()
        print_findings(out, loud)
    out.print(sentence(name, result), style="green" if result.learnt else "red", overflow="fold")


def sentence(name: str, result: Overfit) -> str:
    """The answer in a sentence."""
    after = f"{count_text(result.iterations)} iterations"
    if result.learnt:
        return f"{clean(name)}: yes, it learns {result.rows} rows by heart in {after}"
    if result.share is None and result.written:
        return (
            f"{clean(name)}: cannot tell: how low the loss can get is not known of these lines; "
            f"it went from {figure(result.first)} to {figure(result.lowest)}"
        )
    if result.share is None:
        return f"{clean(name)}: no: the loss has no lowest value for these targets and outputs"
    more = "" if any(one.serious for one in result.findings) else "; more --iterations may help"
    return f"{clean(name)}: no, not in {after}{more}"


def figure(value: float | None) -> str:
    """A loss, or none."""
    return "none" if value is None else f"{value:.6g}"
