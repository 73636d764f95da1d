"""``gradstep export`` of a captured script."""

from collections.abc import Iterator
from pathlib import Path

from engine.capture.as_experiment import described, experiment_of
from engine.capture.captured import CapturedRun
from engine.capture.export import arrays, main_script, report
from engine.capture.lines import trace_lines
from engine.errors import GradstepError
from engine.experiment.reader import read_experiment
from engine.files import naming, replacing
from engine.program.compiler import compile_program
from engine.recording.as_toml import experiment_toml, table_toml
from engine.recording.scalars import Scalars
from engine.run.position import Granularity
from engine.session.branches import MAIN
from engine.strict_json import strict_json
from engine.toml_text import read_toml
from tui.cli.npz import npz
from tui.render.text.clean import clean

FEW = 10_000  # numbers that stand in the text of an experiment


def experiment_beside(run: CapturedRun, output: Path) -> tuple[str, Path | None, list[str]]:
    """The text of an experiment, the file beside it that has its numbers, and what is to be said.

    That file is written here: its name is OUTPUT's with ``.npz``. Raises GradstepError where the
    script is no experiment.
    """
    found = described(run)
    if found.numbers <= FEW:
        return experiment_toml(experiment_of(run)), None, found.notes
    beside = output.with_suffix(".npz")
    if beside == output:
        raise GradstepError(f"{output}: an experiment is FILE.toml")
    with naming(beside), replacing(beside) as file:
        file.write(npz(found.arrays))
    text = table_toml(found.beside(beside.name))
    # What is written must be an experiment: a problem is said now, not when it is opened.
    compile_program(read_experiment(read_toml(text), str(output), output.stem, str(output.parent)))
    return text, beside, found.notes


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
