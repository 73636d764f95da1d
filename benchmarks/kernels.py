"""Pieces of work that two revisions of gradstep are compared by; imports nothing of this tree.

``python -m benchmarks.kernels TREE NAME`` imports the product from TREE and then answers every line
on standard input with the seconds that a round of the work takes.
"""

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Names, and the modules that have had them: the newest place first.
PLACES = {
    "Session": ("engine.session.session", "engine.session"),
    "Granularity": ("engine.run.position", "engine.position"),
    "compile_program": ("engine.program.compiler", "engine.program"),
    "load_experiment": ("engine.experiment.reader", "engine.experiment"),
    "read_experiment": ("engine.experiment.reader", "engine.experiment_reader"),
    "Dataset": ("engine.experiment.dataset", "engine.data"),
    "run_iteration": ("engine.run.drive", "engine.training"),
    "record_run": ("engine.recording.live",),
    "Writer": ("engine.recording.writer",),
    "estimate": ("engine.recording.estimate",),
    "environment": ("engine.recording.environment",),
    "continue_": ("engine.stops.run_control", "engine.running"),
    "StopKind": ("engine.stops.stop", "engine.stop"),
    "Debugger": ("engine.debugger",),
    "badge": ("engine.session.badges", "engine.badges"),
}
Round = Callable[[], object]


def find(name: str) -> Any:
    """A part of the product, wherever it is."""
    for place in PLACES[name]:
        try:
            return getattr(importlib.import_module(place), name)
        except (ModuleNotFoundError, AttributeError):
            continue
    raise ImportError(f"{name} is in none of {', '.join(PLACES[name])}")


def network(sizes: tuple[int, ...], batch: int, dtype: str = "float64") -> Any:
    """The program of a perceptron with ReLU and random data, an endless run."""
    import numpy as np

    rng = np.random.default_rng(0)
    layers: list[dict[str, Any]] = []
    for width in sizes[1:]:
        layers += [{"type": "linear", "out": width}, {"type": "relu"}]
    document = {
        "dtype": dtype,
        "data": {"x": [[0.0]], "y": [[0.0]], "batch_size": batch},
        "layers": layers[:-1],
        "loss": {"type": "mse"},
        "optimizer": {"type": "sgd", "lr": 1e-4},
        "training": {"epochs": 10**8},
    }
    x, y = (rng.normal(size=(4 * batch, n)).astype(dtype) for n in (sizes[0], sizes[-1]))
    for array in (x, y):
        array.setflags(write=False)
    return find("compile_program")(
        find("read_experiment")(document, "kernel"), find("Dataset")(x, y)
    )


def iterations(sizes: tuple[int, ...], batch: int, count: int) -> Round:
    """Iterations of a session."""
    session, size = find("Session")(network(sizes, batch)), find("Granularity").ITERATION

    def work() -> None:
        for _ in range(count):
            session.step(1, size)

    return work


def ops_both_ways(count: int) -> Round:
    """Single ops forwards and back."""
    session = find("Session")(network((2, 16, 1), 32))
    session.goto(200)

    def work() -> None:
        for _ in range(count):
            session.step(1)
        for _ in range(count):
            session.step(-1)

    return work


def goto(count: int) -> Round:
    """Far jumps in both directions."""
    session = find("Session")(network((64, 32, 10), 32))
    session.goto(60_000)

    def work() -> None:
        for place in range(count):
            session.goto(7919 * (place + 1) % 60_000)

    return work


def train(count: int) -> Round:
    """Iterations without a past."""
    program, run = network((2, 16, 1), 32), find("run_iteration")
    state = {"tensors": program.initial(), "done": 0}

    def work() -> None:
        for _ in range(count):
            state["tensors"] = run(program, state["tensors"], state["done"])
            state["done"] += 1

    return work


def record(count: int) -> Round:
    """Digits recorded with keyframes."""
    program = find("compile_program")(find("load_experiment")("digits"))
    folder = tempfile.mkdtemp()
    names = iter(range(10**9))

    def work() -> None:
        plan = find("estimate")(program, "keyframes", count)
        path = Path(folder, f"{next(names)}.gradstep")
        writer = find("Writer")(path, program, plan, find("environment")())
        for _ in find("record_run")(writer, program, count):
            pass
        writer.commit()
        writer.close()
        path.unlink()

    return work


def stops(count: int) -> Round:
    """Continue over breakpoints with a condition that never holds."""
    session = find("Session")(network((2, 16, 1), 32))
    try:
        debugger = find("Debugger")(session)
        kept, arguments = debugger.stops, (debugger.stops,)
    except ImportError:
        kept, arguments = session.stops, ()
    kept.add(find("StopKind").OP, "linear2.weight.grad", condition="loss < 0")

    def work() -> None:
        run = find("continue_")(session, *arguments)
        goal = session.event + 21 * count
        while session.event < goal:
            next(run)
        run.close()

    return work


def badges(count: int) -> Round:
    """The badges of every parameter of a deep network."""
    session = find("Session")(network((16,) * 21, 8))
    session.goto(700)
    names = [info.name for info in session.program.parameters]

    def work() -> None:
        for _ in range(count):
            for name in names:
                find("badge")(session, name)

    return work


KERNELS: dict[str, Callable[[], Round]] = {
    "iteration 2-16-1": lambda: iterations((2, 16, 1), 32, 400),
    "iteration 784-256-10": lambda: iterations((784, 256, 10), 64, 6),
    "iteration of 100 layers": lambda: iterations((64,) * 101, 32, 3),
    "ops forwards and back": lambda: ops_both_ways(3000),
    "goto": lambda: goto(12),
    "train 2-16-1": lambda: train(400),
    "record digits": lambda: record(120),
    "continue over stops": lambda: stops(300),
    "badges": lambda: badges(10),
}


def main() -> None:
    """Answer each line with the seconds of a round."""
    tree, name = sys.argv[1:]
    sys.path.insert(0, tree)
    work = KERNELS[name]()
    found = Path(importlib.import_module("engine").__file__ or "")
    assert found.is_relative_to(Path(tree).resolve()), found
    work()
    for _ in sys.stdin:
        begin = time.perf_counter()
        work()
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
