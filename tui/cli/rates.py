"""``gradstep rates``: a learning-rate range test, as a curve and a number."""

from typing import Any

import click
import numpy as np

from engine.diagnostics.range_test import HIGHEST, LOWEST, STEPS, RangeTest, RangeTester
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tui.cli.arguments import experiment_argument, json_option
from tui.cli.following import followed
from tui.cli.opened import refuse_capture
from tui.cli.output import print_json
from tui.cli.status import DONE, INTERRUPTED, NO
from tui.render.charts.curve import braille_curve
from tui.render.text.clean import clean

WIDTH, HEIGHT = 64, 10  # characters of the curve
MOST_STEPS = 10_000
Rate = click.FloatRange(min=0, min_open=True, max=1e9)


@click.command("rates")
@experiment_argument
@click.option("--from", "low", type=Rate, default=LOWEST, show_default=True, help="The first rate.")
@click.option("--to", "high", type=Rate, default=HIGHEST, show_default=True, help="The last rate.")
@click.option(
    "--steps",
    type=click.IntRange(2, MOST_STEPS),
    default=STEPS,
    show_default=True,
    metavar="N",
    help="Iterations, each with a rate of its own.",
)
@json_option
def rates(experiment: str, low: float, high: float, steps: int, as_json: bool) -> int:
    """Find a learning rate for EXPERIMENT by a range test.

    The rate grows by the same factor in each iteration, from --from to --to, until the loss blows
    up. The number is a tenth of the rate with the lowest loss. Schedules are left out, clipping is
    not. Exit status 1 when no rate lowers the loss.
    """
    if not low < high:
        raise click.UsageError(f"--from {low:g} is not below --to {high:g}: give a smaller one")
    refuse_capture(experiment)
    tester = RangeTester(compile_program(load_experiment(experiment)), low, high, steps)
    complete = followed(tester.run(), steps)
    result, experiment_ = tester.result(), tester.program.experiment
    own = tester.program.optimizer.hyper["lr"]
    if as_json:
        print_json(as_object(experiment_.name, own, result, not complete), indent=1)
    else:
        print_result(experiment_.name, own, result)
    if not complete:
        return INTERRUPTED
    return NO if result.rate is None else DONE


def as_object(name: str, own: float, result: RangeTest, interrupted: bool) -> dict[str, Any]:
    """The result as plain data; ``losses`` has one more than ``rates``, that before any step."""
    return {
        "experiment": name,
        "lr": own,
        "rate": result.rate,
        "steepest": result.steepest,
        "lowest": result.lowest,
        "blown_up": result.blown_up,
        "rates": result.rates.tolist(),
        "losses": result.losses.tolist(),
        "interrupted": interrupted,
    }


def print_result(name: str, own: float, result: RangeTest) -> None:
    """The curve of the loss over the logarithm of the rate, then the numbers."""
    for line in curve(result):
        click.echo(line)
    rows = [
        ("steepest fall at", result.steepest),
        ("lowest loss at", result.lowest),
        ("blown up at", result.blown_up),
        ("the experiment has", own),
    ]
    for label, rate in rows:
        click.echo(f"{label:24}{'–' if rate is None else f'{rate:.2g}'}")
    if result.rate is not None and result.blown_up is None and result.lowest == result.rates[-1]:
        click.echo("the loss still falls at the last rate: a larger --to shows more")
    if result.rate is None:
        click.echo(f"{clean(name)}: no rate lowers the loss; gradstep diagnose may say why")
    else:
        click.echo(f"{clean(name)}: begin with a learning rate of {result.rate:.2g}")


def curve(result: RangeTest) -> list[str]:
    """The lines of the picture: the loss upwards, the rates to the right."""
    losses = result.losses[1:]
    good = losses[np.isfinite(losses)]
    if not len(good):
        return []
    # What has blown up would press all the rest flat.
    top = max(float(result.losses[0]), float(good.min()))
    ends = (float(good.min()), top + 0.5 * (top - float(good.min())) or 1.0)
    shown = np.clip(losses, None, ends[1])
    lines = braille_curve(shown, WIDTH, HEIGHT, between=ends)
    labels = {0: f"{ends[1]:.3g}", HEIGHT - 1: f"{ends[0]:.3g}"}
    drawn = [f"{labels.get(i, ''):>10} {line}" for i, line in enumerate(lines)]
    low, high = f"{result.rates[0]:.1g}", f"{result.rates[-1]:.2g}"
    return [*drawn, f"{'rate':>10} {low}{high.rjust(WIDTH - len(low))}"]
