"""``gradstep diagnose``: what is wrong with a training loop, with the event that shows it."""

import time

import click

from engine.capture.recognized import is_capture
from engine.diagnostics.doctor import Doctor
from engine.diagnostics.refusals import diagnose_refusal
from engine.errors import ExperimentError
from engine.program.program import Program
from tui.cli.arguments import experiment_argument, iterations_option, json_option
from tui.cli.examination import MOST_ITERATIONS, Examination, as_object, print_examination
from tui.cli.opened import program_of, unedited
from tui.cli.output import console, note, print_json
from tui.cli.status import DONE, INTERRUPTED, NO
from tui.render.text.numbers import count_text

REFRESH = 0.1  # seconds between two looks at the progress


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
