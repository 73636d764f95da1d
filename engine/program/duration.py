"""A program that runs as long as asked for, whatever the epochs of its experiment."""

from dataclasses import replace

import msgspec

from engine.program.program import Program


def lasting(program: Program, iterations: int) -> Program:
    """The same program with epochs enough for ``iterations``; itself where it has enough.

    Batches and initial values do not depend on the number of epochs, so every event that both
    have is the same.
    """
    if iterations <= program.iterations:
        return program
    epochs = -(-iterations // program.batches.count)
    training = msgspec.structs.replace(program.experiment.training, epochs=epochs)
    return replace(
        program, experiment=msgspec.structs.replace(program.experiment, training=training)
    )
