"""Healthy experiments by chance, in which the doctor must find nothing serious.

``python -m tests.engine.diagnostics.healthy 100 --seed 3`` tries as many as one likes. Whether one
is healthy is measured without the doctor: by R² or accuracy on the rows trained on, and on those
set aside. One that has not learnt is no evidence, and is left out.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.diagnostics.diagnosis import Diagnosis
from engine.diagnostics.doctor import Doctor
from engine.experiment.reader import read_experiment
from engine.measure.metrics import evaluate
from engine.program.compiler import compile_program
from engine.program.program import Program

GOOD = 0.6  # of the way from a constant answer to a perfect one
Table = dict[str, Any]


def classes(rng: np.random.Generator, kinds: int, rows: int, size: int) -> tuple[Any, Any]:
    """Gaussian clouds (rows, size), with class indices (rows,) in random order."""
    y = rng.integers(kinds, size=rows)
    y[:kinds] = np.arange(kinds)
    middles = rng.normal(size=(kinds, size)) * 3
    return middles[y] + rng.normal(size=(rows, size)), y


def document(seed: int) -> Table:  # noqa: PLR0912
    """An experiment of which everything is chosen by ``seed``, each choice a sound one."""
    rng = np.random.default_rng((seed, 1))
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    rows, size = int(rng.integers(40, 160)), int(rng.integers(2, 7))
    task = pick("numbers", "numbers", "classes", "classes", "yes-no", "several", "bounded")
    last: list[Table] = []
    loss: Table
    if task == "numbers":
        outputs = int(rng.integers(1, 4))
        x = rng.normal(size=(rows, size))
        inner = x @ rng.normal(size=(size, outputs)) / np.sqrt(size)
        y: Any = np.sin(1.5 * inner) + 0.3 * inner + 0.05 * rng.normal(size=inner.shape)
        y = (y * pick(0.5, 1, 3) + pick(0, 0, 1, -2)).tolist()
        loss = {"type": pick("mse", "mse", "huber", "l1")}
    elif task == "bounded":
        outputs = 1
        x = rng.normal(size=(rows, size))
        inner = x @ rng.normal(size=(size, 1))
        kind = pick("sigmoid", "tanh", "softplus")
        y = {"sigmoid": 1 / (1 + np.exp(-inner)), "tanh": np.tanh(inner)}.get(
            kind, np.log1p(np.exp(inner))
        )
        y, last, loss = y.tolist(), [{"type": kind}], {"type": "mse"}
    elif task == "classes":
        outputs = int(rng.integers(2, 6))
        x, labels = classes(rng, outputs, rows, size)
        y = labels.tolist()
        loss = pick(
            {"type": "cross_entropy"},
            {"type": "cross_entropy", "label_smoothing": 0.1},
            {"type": "nll"},
        )
        if loss["type"] == "nll":
            last = [{"type": "log_softmax"}]
        counts = np.bincount(labels, minlength=outputs)
        if pick(True, False, False) and not loss.get("label_smoothing"):
            loss["weight"] = (rows / (outputs * counts)).tolist()
    elif task == "yes-no":
        outputs = 1
        x, labels = classes(rng, 2, rows, size)
        y = labels[:, None].astype(float).tolist()
        loss = pick({"type": "bce"}, {"type": "bce_with_logits"})
        if loss["type"] == "bce":
            last = [{"type": "sigmoid"}]
        elif pick(True, False):
            loss["pos_weight"] = [float(np.sum(labels == 0) / max(np.sum(labels == 1), 1))]
    else:
        outputs = 3
        x = rng.normal(size=(rows, size))
        y = (x @ rng.normal(size=(size, outputs)) > 0).astype(float).tolist()
        loss = {"type": "bce_with_logits"}
    batch = pick(None, None, 8, 16, 32)
    if pick(True, False, False):
        loss["reduction"] = pick("batch_mean", "sum")
    optimizer = pick(
        {"type": "sgd", "lr": 0.1},
        {"type": "sgd", "lr": 0.05, "momentum": 0.9},
        {"type": "sgd", "lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        {"type": "adam", "lr": 0.01},
        {"type": "adam", "lr": 0.003, "weight_decay": 1e-4},
        {"type": "adamw", "lr": 0.01},
        {"type": "rmsprop", "lr": 0.003},
        {"type": "adagrad", "lr": 0.1},
    )
    if loss.get("reduction") == "sum" and optimizer["type"] == "sgd":
        optimizer = optimizer | {"lr": optimizer["lr"] / (batch or rows)}
    bend = pick("relu", "tanh", "elu", "silu", "gelu", "leaky_relu")
    drop = pick(0, 0, 0, 0.1, 0.25)
    layers: list[Table] = []
    for _ in range(int(rng.integers(1, 4))):
        init = "xavier_uniform" if bend == "tanh" else pick("kaiming_uniform", "kaiming_normal")
        layers += [{"type": "linear", "out": int(rng.integers(12, 49)), "init": init}]
        layers += [{"type": bend}]
        layers += [{"type": "dropout", "p": drop}] if drop else []
    end: Table = {"type": "linear", "out": outputs}
    if pick(True, False, False, False):
        end["init"] = "zeros"
    epochs = int(rng.integers(40, 100))
    if batch is None:
        epochs *= 4
    raw: Table = {
        "seed": int(rng.integers(1000)),
        "dtype": pick("float64", "float64", "float32"),
        "data": {"x": np.asarray(x).tolist(), "y": y, "shuffle": batch is not None},
        "layers": [*layers, end, *last],
        "loss": loss,
        "optimizer": optimizer,
        "training": {"epochs": epochs},
    }
    if batch is not None:
        raw["data"] |= {"batch_size": batch, "shuffle": pick(True, True, False)}
    if pick(True, False, False):
        raw["data"] |= {"standardize": True}
    if pick(True, False, False):
        raw["data"] |= {"validation": 0.25}
    if pick(True, False, False):
        raw["schedule"] = pick(
            {"type": "cosine", "t_max": epochs},
            {"type": "exponential", "gamma": 0.98},
            {"type": "step", "step_size": max(epochs // 3, 1), "gamma": 0.3},
            {"type": "linear_warmup", "iterations": 10},
        )
    if pick(True, False, False, False):
        raw["clip"] = pick({"norm": 1.0}, {"norm": 5.0}, {"value": 1.0})
    return raw


@dataclass(frozen=True)
class Trial:
    """An experiment after its run: how well it has learnt, and what the doctor says."""

    seed: int
    program: Program
    scores: tuple[float, ...]
    findings: list[Diagnosis]

    @property
    def healthy(self) -> bool:
        """Whether it has learnt, on the rows set aside too."""
        return min(self.scores) >= GOOD

    @property
    def serious(self) -> list[Diagnosis]:
        return [one for one in self.findings if one.serious]


def score(program: Program, tensors: Any, data: Any) -> float:
    """R², or accuracy beyond that of the most frequent answer: 0 for a constant, 1 for perfect."""
    found = evaluate(program, tensors, data=data)
    if "r2" in found:
        return found["r2"]
    y = data.y if data.y.ndim == 1 else data.y[:, 0]
    most = np.unique(y, return_counts=True)[1].max() / len(y)
    return float((found["accuracy"] - most) / (1 - most)) if most < 1 else found["accuracy"]


def trial(seed: int) -> Trial:
    """Run an experiment to its end under the doctor's eyes."""
    program = compile_program(read_experiment(document(seed), f"healthy-{seed}.toml"))
    doctor = Doctor(program)
    for _ in doctor.run(program.timeline.iterations):
        pass
    sets = [program.data, *([program.data.validation] if program.data.validation else [])]
    scores = tuple(score(program, doctor.tensors, data) for data in sets)
    return Trial(seed, program, scores, doctor.findings())


def trials(count: int, first: int = 0) -> Iterator[Trial]:
    """So many trials, of the seeds from ``first`` on."""
    for seed in range(first, first + count):
        yield trial(seed)


def main() -> None:
    """Try as many as are asked for, and print what is serious."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    healthy = wrong = 0
    loud: dict[str, int] = {}
    for one in trials(asked.count, asked.seed):
        healthy += one.healthy
        for name in {f"{f.severity} {f.name}" for f in one.findings if one.healthy}:
            loud[name] = loud.get(name, 0) + 1
        if one.healthy and one.serious:
            wrong += 1
            for found in one.serious:
                print(one.seed, found.name, found.subject, found.evidence)
    print(f"{healthy} of {asked.count} have learnt, {wrong} of them with a serious finding")
    for name, times in sorted(loud.items()):
        print(f"{times:5} {name}")


if __name__ == "__main__":
    main()
