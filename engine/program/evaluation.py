"""An evaluation pass: forward and loss over the rows set aside, with nothing learnt."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from engine.arrays import Array
from engine.errors import GradstepError
from engine.experiment.spec import DataSpec
from engine.program.compiler import compile_program
from engine.program.program import CAPTURED, Program
from engine.run.phases import Phase
from engine.run.run import Run

KEPT = ("parameter", "constant", "buffer")  # roles of what an evaluation takes over
LEFT_OUT = (Phase.ZERO_GRAD, Phase.BACKWARD, Phase.UPDATE)


def sets_rows_aside(run: Run) -> bool:
    """Whether there are validation rows; raises GradstepError for a captured run."""
    if not isinstance(run, Program):
        raise GradstepError(CAPTURED)
    return run.data.validation is not None


def evaluation(run: Run, tensors: Mapping[str, Array]) -> Program:
    """One pass in evaluation mode with the parameters that are in ``tensors``.

    It is over the validation rows, or the training rows where none are set aside, in their order,
    in batches of the experiment's size. Raises GradstepError for a captured run.
    """
    if not isinstance(run, Program):
        raise GradstepError(CAPTURED)
    program, experiment = run, run.experiment
    training = msgspec.structs.replace(
        experiment.training, mode="eval", skip=LEFT_OUT, epochs=1, input_gradient=False
    )
    plain = DataSpec(batch_size=experiment.data.batch_size)
    aside = program.data.validation
    rows = replace(program.data, validation=None) if aside is None else aside
    changed = msgspec.structs.replace(
        experiment, name=f"{experiment.name} (evaluation)", data=plain, training=training
    )
    compiled = compile_program(changed, rows)
    values = {
        info.name: tensors[info.name]
        for info in compiled.tensors.values()
        if info.role in KEPT and info.name in tensors
    }
    return replace(compiled, slots=values)
