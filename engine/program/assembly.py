"""What a compiler has made of an experiment, put together to a program."""

from engine.errors import Problem
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.failing import failed
from engine.experiment.spec import Experiment
from engine.program.declared import Declared
from engine.program.graph import Network
from engine.program.program import Program
from engine.run.op import Op


def assembled(
    experiment: Experiment,
    data: Dataset,
    cut: Batches,
    network: Network,
    declared: Declared,
    ops: tuple[Op, ...],
) -> Program:
    """The program; an ExperimentError where nothing is left to run."""
    if not ops:
        problem = Problem("training.skip", "leaves nothing to run: skip fewer steps")
        raise failed(experiment, [problem])
    return Program(
        experiment,
        data,
        cut,
        network,
        declared.optimizer,
        declared.tensors,
        ops,
        declared.scalars,
        declared.slots,
    )
