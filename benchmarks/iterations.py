"""One iteration through Session.step, with events and history, against the bare computation."""

from collections.abc import Iterator
from itertools import product

from benchmarks.effort import Effort
from benchmarks.measure import Row, Run, interleave, versus
from benchmarks.networks import DEEP, LARGE, MIDDLE, SMALL, Sizes, Workload
from benchmarks.plain import ManyLayers, TwoLayers, products
from engine.run.position import Granularity
from engine.session.session import Session

NUMPY, TORCH, FLOOR = "plain NumPy", "PyTorch eager", "its five matrix products"
BOUNDS = {
    SMALL: {NUMPY: 1.9, TORCH: 0.35},
    MIDDLE: {NUMPY: 1.06, TORCH: 1.10},
    LARGE: {NUMPY: 1.05, FLOOR: 2.0, TORCH: None},
    DEEP: {NUMPY: 1.5, TORCH: None},
}
DTYPES = ("float32", "float64")
# Up to some 100 layers the tensors of an iteration leave one cache after the other, and an op of
# plain NumPy becomes slower too; what growth there is with depth itself shows beyond.
DEPTHS = ((50, 100), (200, 400))
TOLERANCE = 1.1  # of the time an op in a network twice as deep


class Disagreement(Exception):
    """Rivals that do not compute the same thing."""


def stepping(work: Workload) -> Run:
    """An iteration of a session as a run."""
    session = Session(work.program)
    return lambda: session.step(1, Granularity.ITERATION)


def rivals(work: Workload) -> dict[str, Run]:
    """Who else does this iteration."""
    deep = len(work.network.sizes) > 3
    plain = ManyLayers(work) if deep else TwoLayers(work)
    found: dict[str, Run] = {NUMPY: plain.iteration}
    try:
        from benchmarks.eager import Eager

        found[TORCH] = Eager(work).iteration
    except ImportError:
        pass  # the table then lacks PyTorch, and says so
    if FLOOR in BOUNDS.get(work.network, {}):
        found[FLOOR] = products(work)
    return found


def agree(work: Workload, iterations: int = 3) -> None:
    """Raise a Disagreement unless all rivals have the same losses, to within rounding."""
    session = Session(work.program)
    losses = []
    for _ in range(iterations):
        session.step(1, Granularity.ITERATION)
        losses.append(session.loss)
    for name, run in rivals(work).items():
        if name == FLOOR:
            continue
        theirs = [run() for _ in range(iterations)]
        for ours, other in zip(losses, theirs, strict=True):
            if not abs(ours - other) <= 1e-4 * abs(other):
                raise Disagreement(f"{work.network.name} {work.dtype} {name}: {losses} {theirs}")


def iterations(effort: Effort) -> Iterator[Row]:
    """Every network in both number types."""
    for network, bounds in BOUNDS.items():
        for dtype in DTYPES:
            work = Workload(network.smaller(effort.scale), dtype)
            agree(work)
            others = rivals(work)
            samples = interleave([stepping(work), *others.values()], effort)
            for i, name in enumerate(others, 1):
                label = f"one iteration of {network.name}"
                yield versus(label, dtype, samples, i, name, bounds.get(name))
    yield from depths(effort)


def depths(effort: Effort) -> Iterator[Row]:
    """The time an op in a deep network, beside that in one of half the depth; plain NumPy's too."""
    for dtype, (shallow, deep) in product(DTYPES, DEPTHS):
        works = [Workload(Sizes((64,) * (depth + 1), 32), dtype) for depth in (shallow, deep)]
        ops = [len(work.program.ops) for work in works]
        plain = [ManyLayers(work).iteration for work in works]
        samples = interleave([*map(stepping, works), *plain], effort)
        for first, name, bound in (
            (0, "time an op", TOLERANCE),
            (2, "the same in plain NumPy", None),
        ):
            half, whole = (samples.median(first + i) / ops[i] for i in range(2))
            ratio = samples.ratio(first + 1, first) * ops[0] / ops[1]
            work = f"{name}, {deep} layers of width 64"
            yield Row(work, dtype, f"{shallow} layers", whole, half, ratio, bound)
