"""``gradstep diagnose``: what is wrong with a training loop, with the event that shows it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from engine.capture.opened import is_capture
from engine.diagnostics.diagnosis import Diagnosis
from engine.diagnostics.doctor import Doctor
from engine.diagnostics.refusals import diagnose_refusal
from engine.errors import ExperimentError
from engine.program.program import Program
from tui.cli.arguments import experiment_argument, iterations_option, json_option
from tui.cli.opened import program_of, unedited
from tui.cli.output import console, note, print_json
from tui.cli.status import DONE, INTERRUPTED, NO
from tui.render.reports.findings import print_findings
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

MOST_ITERATIONS = 1000  # of a run that the experiment itself has longer
REFRESH = 0.1  # seconds between two looks at the progress


@dataclass
class Examination:
    """The findings of a watched run. ``problems`` are refusals that no finding explains."""

    experiment: str
    findings: list[Diagnosis]
    iterations: int = 0
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def serious(self) -> bool:
        """Whether any finding is serious."""
        return any(one.serious for one in self.findings)


@click.command("diagnose")
@experiment_argument
@iterations_option(f"Watch N iterations.  [default: the whole run, at most {MOST_ITERATIONS}]")
@json_option
def diagnose(experiment: str, iterations: int | None, as_json: bool) -> int:
    """Say what is wrong with the training loop of EXPERIMENT.

    Runs it and watches every op: each finding has its evidence in numbers, the first event that
    shows it, the likely cause and what to change. Exit status 1 when anything serious is found.
    """
    if is_capture(experiment):
        from tui.cli.captures.diagnose import diagnose as diagnose_capture

        return diagnose_capture(experiment, iterations, as_json)
    result = examine(experiment, iterations)
    if as_json:
        print_json(as_object(result), indent=1)
    else:
        print_examination(result)
    if result.interrupted:
        return INTERRUPTED
    return NO if result.serious else DONE


def examine(name: str, iterations: int | None) -> Examination:
    """Run the experiment of that name and watch; or explain why it is refused.

    Raises ExperimentError where the refusal is no mistake of the training loop.
    """
    unedited(name, "diagnose")
    try:
        program = program_of(name)
    except ExperimentError as error:
        findings = diagnose_refusal(error)
        if not findings:
            raise
        said = {one.evidence for one in findings}
        others = [str(problem) for problem in error.problems if problem.message not in said]
        return Examination(name, findings, problems=others)
    wanted = iterations or min(program.timeline.iterations, MOST_ITERATIONS)
    return watched(program.lasting(wanted), wanted)


def watched(program: Program, iterations: int) -> Examination:
    """Run a program under the eyes of the doctor, with a bar on stderr where that is a terminal."""
    from rich.progress import Progress

    doctor = Doctor(program, thorough=True)
    to = console(stderr=True)
    done, due, interrupted = 0, 0.0, False
    with Progress(console=to, disable=not to.is_terminal) as bar:
        task = bar.add_task("", total=iterations)
        try:
            for done in doctor.run(iterations):
                if time.monotonic() >= due:
                    bar.update(task, completed=done)
                    due = time.monotonic() + REFRESH
        except KeyboardInterrupt:
            interrupted = True
            note(f"interrupted after {count_text(done)} of {count_text(iterations)} iterations")
    name = program.experiment.name
    return Examination(name, doctor.findings(), done, interrupted=interrupted)


def as_object(result: Examination) -> dict[str, Any]:
    """An examination as plain data."""
    return {
        "experiment": result.experiment,
        "iterations": result.iterations,
        "serious": sum(one.serious for one in result.findings),
        "refused": not result.iterations and not result.interrupted,
        "problems": result.problems,
        "findings": [finding(one) for one in result.findings],
    }


def finding(one: Diagnosis) -> dict[str, Any]:
    """A finding as plain data; ``event`` is null where nothing was run."""
    return {
        "name": one.name,
        "title": one.title,
        "severity": one.severity,
        "certainty": one.certainty,
        "subject": one.subject,
        "event": one.event,
        "place": one.place,
        "evidence": one.evidence,
        "numbers": dict(one.numbers),
        "cause": one.cause,
        "remedy": one.remedy,
        "follows": one.follows or None,
    }


def print_examination(result: Examination) -> None:
    """Print the findings, then a line that sums them up."""
    out = console()
    print_findings(out, result.findings)
    for problem in result.problems:
        out.print(f"also refused: {clean(problem)}", overflow="fold")
    out.print(summary(result), style="red" if result.serious else "green", overflow="fold")


def summary(result: Examination) -> str:
    """How many findings of which severity there are, and over what."""
    what = ", ".join(counted(result.findings)) or "nothing is wrong"
    over = f"{count_text(result.iterations)} iterations" if result.iterations else "refused"
    return f"{clean(result.experiment)}: {what} ({over})"


def counted(findings: Sequence[Diagnosis]) -> list[str]:
    """``2 serious``, ``1 warning``, ``3 notes``."""
    severities = [one.severity.value for one in findings]
    return [
        f"{n} {word}{'s' if n > 1 and word != 'serious' else ''}"
        for word in ("serious", "warning", "note")
        if (n := severities.count(word))
    ]
