"""``gradstep diagnose`` of a captured script."""

import click

from engine.capture.opened import opened_capture
from engine.diagnostics.capture_doctor import CANNOT_TELL, CaptureDoctor
from tui.cli.examination import Examination, as_object, print_examination
from tui.cli.output import print_json
from tui.cli.status import DONE, INTERRUPTED, NO


def diagnose(name: str, iterations: int | None, as_json: bool) -> int:
    """Print what is wrong with the training loop of a script; 1 where anything is serious."""
    with opened_capture(name) as run:
        doctor, done, interrupted = CaptureDoctor(run), 0, False
        try:
            for _ in doctor.run(iterations or run.timeline.iterations):
                done += 1
        except KeyboardInterrupt:
            interrupted = True
        result = Examination(run.name, doctor.findings(), done, interrupted=interrupted)
    if as_json:
        print_json(as_object(result) | {"cannot_tell": dict(CANNOT_TELL)}, indent=1)
    else:
        print_examination(result)
        click.echo("cannot tell from a capture:")
        for what, why in CANNOT_TELL.items():
            click.echo(f"  {what}: {why}")
    if result.interrupted:
        return INTERRUPTED
    return NO if result.serious else DONE
