"""Small experiments whose last batch is short: every layer, loss and optimizer of format 1.

``python -m tests.engine.recording.short_batches FILE`` made tests/recordings/v1-short.gradstep.
"""

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.program.compiler import compile_program
from engine.recording.environment import environment
from engine.recording.estimate import estimate
from engine.recording.live import record_run
from engine.recording.writer import Writer
from tests.engine.small_experiments import experiment

ROWS = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
CLASSES = [0, 1, 1, 0, 1, 0, 1]
BATCH, ITERATIONS, SPACING = 2, 6, 4  # the keyframe of iteration 5 follows on a batch of one row

# Each loss with its targets, the layers that stand before the last ones, those, and an optimizer.
CASES: list[tuple[str, Any, list[str], list[str], dict[str, Any]]] = [
    ("mse", ROWS, ["identity", "relu"], [], {"type": "sgd", "momentum": 0.9}),
    ("l1", ROWS, ["leaky_relu", "sigmoid"], [], {"type": "adam", "amsgrad": True}),
    ("huber", ROWS, ["tanh", "softplus"], [], {"type": "adamw"}),
    ("bce", ROWS, ["elu", "silu"], ["sigmoid"], {"type": "adagrad"}),
    ("bce_with_logits", ROWS, ["gelu", "softmax"], [], {"type": "rmsprop", "centered": True}),
    ("cross_entropy", CLASSES, ["log_softmax", "tanh"], [], {"type": "sgd"}),
    ("nll", CLASSES, ["relu"], ["log_softmax"], {"type": "rmsprop", "momentum": 0.5}),
]


def documents() -> list[dict[str, Any]]:
    """The experiments as documents of ``small_experiments.experiment``."""
    return [
        {
            "name": f"{loss}, {optimizer['type']}, last batch short",
            "data": {"y": y, "batch_size": BATCH},
            "layers": [
                {"type": "linear", "out": 3},
                *({"type": kind} for kind in before),
                {"type": "dropout"},
                {"type": "linear", "out": 2},
                *({"type": kind} for kind in last),
            ],
            "loss": {"type": loss},
            "optimizer": optimizer,
            "training": {"epochs": 2, "input_gradient": True},
        }
        for loss, y, before, last, optimizer in CASES
    ]


def make(path: Path, store: str) -> None:
    """Record each of them into a file, run by run."""
    for document in documents():
        program = compile_program(experiment(**document))
        plan = replace(estimate(program, store, ITERATIONS), spacing=SPACING)
        writer = Writer(path, program, plan, environment())
        for _ in record_run(writer, program, ITERATIONS):
            pass
        writer.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), "full")
    sqlite3.connect(sys.argv[1]).execute("VACUUM")
