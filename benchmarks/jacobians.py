"""A window of a long chain of Jacobians, beside the dense product that it is a part of."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import DTYPES
from benchmarks.measure import Row, Samples, interleave, versus
from benchmarks.networks import Sizes, Workload
from engine.chain.query import complete_at, query
from engine.session.session import Session

WIDTH, LAYERS, WINDOW = 1000, 10, 8


def jacobians(effort: Effort) -> Iterator[Row]:
    """Time and bytes of ∂ŷ/∂x through ten layers, for one sample."""
    width = WIDTH // effort.scale
    for dtype in DTYPES:
        work = Workload(Sizes((width,) * (LAYERS + 1), 8), dtype)
        session = Session(work.program)
        session.goto(complete_at(work.program))
        window, dense = lazy(session), multiplied(work, session)
        corner = dense()[:WINDOW, :WINDOW]
        if not np.allclose(window(), corner, rtol=1e-3, atol=1e-5 * np.abs(corner).max()):
            raise AssertionError("the window is not that of the product")
        label = f"window 8×8 of a chain across {LAYERS} layers of width {WIDTH:,}"
        samples = interleave([window, dense], effort)
        yield versus(f"{label}: time", dtype, samples, 1, "the dense product")
        sizes = Samples(((allocated(window),), (allocated(dense),)))
        ours, theirs = sizes.median(0), sizes.median(1)
        yield Row(f"{label}: bytes", dtype, "the dense product", ours, theirs, ours / theirs,
                  unit="B")  # fmt: skip


def lazy(session: Session) -> Callable[[], np.ndarray]:
    """The window as the debugger computes it, from the question on."""
    return lambda: query(session, "yhat", "x").corner(WINDOW, WINDOW).values


def multiplied(work: Workload, session: Session) -> Callable[[], np.ndarray]:
    """The whole product in NumPy, from the output back to the input."""
    names = [node.name for node in work.program.network.nodes]

    def run() -> np.ndarray:
        product = None
        for name in reversed(names):
            if name.startswith("relu"):
                before = session.tensors[f"linear{name.removeprefix('relu')}.out"][0]
                product = product * (before > 0)
            else:
                weight = session.tensors[f"{name}.weight"]
                product = weight if product is None else product @ weight
        return product

    return run


def allocated(run: Callable[[], object]) -> float:
    """The most bytes that are allocated at once during a run."""
    tracemalloc.start()
    try:
        run()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
