"""``gradstep export`` of a captured script."""

from collections.abc import Iterator

from engine.capture.as_experiment import experiment_of
from engine.capture.captured import CapturedRun
from engine.capture.export import arrays, main_script, report
from engine.capture.lines import trace_lines
from engine.errors import GradstepError
from engine.recording.as_toml import experiment_toml
from engine.recording.scalars import Scalars
from engine.run.position import Granularity
from engine.session.branches import MAIN
from engine.strict_json import strict_json
from tui.cli.npz import npz
from tui.render.text.clean import clean


def scalars(run: CapturedRun, name: str) -> Scalars:
    """The loss of each iteration, and the learning rate of its first update."""
    found = Scalars(name, MAIN)
    for iteration, row in enumerate(run.stored.index):
        if row.loss is not None:
            found.put(iteration + 1, "loss", row.loss)
        rate = rate_of(run, iteration)
        if rate is not None:
            found.put(iteration + 1, "lr", rate)
        found.epochs[iteration + 1] = 1
    return found


def rate_of(run: CapturedRun, iteration: int) -> float | None:
    """The learning rate of the first update of an iteration; None where there is none."""
    for facts in run.stored.facts(iteration).values():
        rate = facts.get("lr")
        if isinstance(rate, int | float):
            return float(rate)
    return None


def pieces(run: CapturedRun, form: str) -> Iterator[bytes]:
    """The bytes of an export, one after the other."""
    match form:
        case "jsonl":
            for line in trace_lines(run, Granularity.OP, run.timeline.iterations, values=True):
                yield strict_json(line).encode() + b"\n"
        case "npz":
            yield npz(arrays(run))
        case "markdown":
            for i, (heading, lines) in enumerate(report(run)):
                head = f"{'#' if i == 0 else '##'} {heading}"
                yield "\n".join(map(clean, [head, "", *lines, "", ""])).encode()
        case "toml":
            yield experiment_toml(experiment_of(run)).encode()
        case "script":
            yield main_script(run).encode()
        case _:
            raise GradstepError(f"a captured script is not exported to {form}")
