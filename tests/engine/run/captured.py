"""A run that no program made: iterations with different ops, written down while they happened.

The tests' own second timeline. It was written against the protocol, not beside ``Periodic``: its
answers come from lists and a scan over iterations, and it grows op by op while it is looked at.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, frozen
from engine.run.op import Op, TensorInfo
from engine.run.phases import Phase
from engine.run.position import Granularity, Position
from engine.run.source import Ability, Keyframe
from engine.run.timeline import Listing, Where, Which

EPOCH = 3  # iterations


class Trace:
    """Which op was at an event, by prefix sums over the iterations so far."""

    def __init__(self) -> None:
        self.starts: list[int] = [0]  # of each iteration, and the end of the last
        self.known: dict[tuple[str, ...], Listing] = {}
        self.order: list[Listing] = []
        self.under_way: list[Op] = []
        self.over = False

    # -- growing

    def append(self, op: Op) -> None:
        """One more op of the iteration under way."""
        self.under_way.append(op)
        listing = Listing(self.under_way)
        if len(self.under_way) == 1:
            self.order.append(listing)
            self.starts.append(self.starts[-1])
        self.order[-1] = listing
        self.starts[-1] += 1

    def end_iteration(self) -> None:
        """The iteration under way is over: like ones share a listing."""
        key = tuple(op.key for op in self.under_way)
        self.order[-1] = self.known.setdefault(key, self.order[-1])
        self.under_way = []

    # -- answers

    @property
    def length(self) -> int | None:
        return self.end if self.over else None

    @property
    def end(self) -> int:
        return self.starts[-1]

    @property
    def iterations(self) -> int:
        return len(self.order)

    @property
    def listings(self) -> Sequence[Listing]:
        return list(dict.fromkeys(self.order)) or [Listing(())]

    def op(self, event: int) -> Op:
        if not 0 <= event < self.end:
            raise IndexError(event)
        iteration = self.iteration(event)
        return self.order[iteration].ops[event - self.starts[iteration]]

    def stretch(self, start: int, stop: int) -> Sequence[Op]:
        return [self.op(event) for event in range(start, stop)]

    def position(self, event: int) -> Position:
        iteration = self.iteration(event)
        place = min(event, self.end) - self.begin(iteration)
        epoch, batch = divmod(iteration, EPOCH)
        return Position(event, epoch + 1, iteration + 1, batch, place)

    def iteration(self, event: int) -> int:
        return max(0, min(bisect_right(self.starts, event), len(self.order)) - 1)

    def begin(self, iteration: int) -> int:
        return self.starts[min(iteration, len(self.starts) - 1)]

    def listing(self, iteration: int) -> Listing:
        return self.order[iteration] if self.order else Listing(())

    def boundary(self, event: int, granularity: Granularity, count: int) -> int:
        step = 1 if count > 0 else -1
        for _ in range(abs(count)):
            event += step
            while 0 < event < self.end and not self.is_boundary(event, granularity):
                event += step
        return max(0, min(self.end, event))

    def is_boundary(self, event: int, granularity: Granularity) -> bool:
        iteration = self.iteration(event)
        begins = event == self.starts[iteration]
        match granularity:
            case Granularity.OP:
                return True
            case Granularity.PHASE:
                return begins or self.op(event).phase != self.op(event - 1).phase
            case Granularity.ITERATION:
                return begins
            case Granularity.EPOCH:
                return begins and iteration % EPOCH == 0

    def last(
        self,
        before: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        return self.last_place(before, Which(op, writes, phase))

    def next(
        self,
        after: int,
        *,
        op: str | None = None,
        writes: str | None = None,
        phase: Phase | None = None,
    ) -> int | None:
        return self.next_place(after, Which(op, writes, phase))

    def events_at(self, where: Where) -> list[int]:
        return [
            self.starts[number] + place
            for number, listing in enumerate(self.order)
            for place in listing.places(where)
        ]

    def last_place(self, before: int, where: Where) -> int | None:
        return max((e for e in self.events_at(where) if e < before), default=None)

    def next_place(self, after: int, where: Where) -> int | None:
        return min((e for e in self.events_at(where) if e > after), default=None)

    def count(self, op: str, before: int) -> int:
        return sum(event < before for event in self.events_at(Which(op)))

    def times(self, op: str, count: int) -> NDArray[np.int64]:
        return np.array(self.events_at(Which(op))[:count], np.int64)

    def iterations_of(self, op: str, start: int, stop: int) -> NDArray[np.int64]:
        events = self.events_at(Which(op))[start:stop]
        return np.array([self.iteration(event) for event in events], np.int64)

    def elapsed(self, event: float) -> float:
        iteration = self.iteration(int(event))
        first, last = self.begin(iteration), self.begin(iteration + 1)
        return iteration + (event - first) / max(1, last - first)


class Written:
    """The source of a captured run: what was written down, and nothing else."""

    can: frozenset[Ability] = frozenset()
    why_not = "the script has run: what it did can be looked at, not changed"
    recorded = True

    def __init__(self, start: Mapping[str, Array]) -> None:
        self.start = dict(start)
        self.batches: list[dict[str, Array]] = []
        self.results: list[tuple[Array, ...]] = []

    def initial(self) -> dict[str, Array]:
        return self.start | self.enters(0)

    def enters(self, iteration: int) -> dict[str, Array]:
        return dict(self.batches[iteration]) if iteration < len(self.batches) else {}

    def leaves(self, iteration: int) -> dict[str, Array]:
        return self.enters(iteration)

    scripts: Mapping[str, str] = {}

    def printed(self, event: int, most: int) -> tuple[str, ...]:
        return ()

    def suspect(self, event: int) -> int:
        return event

    def kept(self, event: int, name: str) -> None:
        return None

    def produce(self, branch: Any, event: int, op: Op, tensors: Any) -> tuple[Array, ...]:
        return self.results[event]

    def keyframe(self, branch: Any, event: int, after: int) -> Keyframe | None:
        return None

    def status(self, branch: Any, event: int) -> str:
        return "captured"


def info(name: str, symbol: str, shape: tuple[int, ...], role: str, **more: Any) -> TensorInfo:
    return TensorInfo(name, symbol, shape, "float64", role, **more)


@dataclass(eq=False)
class CapturedRun:
    """A run of a script with one weight: ``engine.run.run.Run``, and the truth to compare with.

    ``states`` has every tensor at each cursor position.
    """

    timeline: Trace = field(default_factory=Trace)
    source: Written = field(
        default_factory=lambda: Written({"theta": frozen(np.array([0.5, -0.25]))})
    )
    states: list[dict[str, Array]] = field(default_factory=list)
    name: str = "train.py"
    order: tuple[Phase, ...] = tuple(Phase)
    loss: str | None = "objective"
    loss_op: str | None = "objective"
    entering: tuple[str, ...] = ("images", "labels")
    tensors: Mapping[str, TensorInfo] = field(
        default_factory=lambda: {
            one.name: one
            for one in (
                info("images", "images", (3, 2), "input"),
                info("labels", "labels", (3,), "target"),
                info("hidden", "hidden", (3,), "activation", layer="net"),
                info("objective", "objective", (), "loss"),
                info("theta", "θ", (2,), "parameter", layer="net"),
                info("dhidden", "dhidden", (3,), "gradient", layer="net", gradient_of="hidden"),
                info("dtheta", "dθ", (2,), "gradient", layer="net", gradient_of="theta"),
            )
        }
    )

    @property
    def aliases(self) -> dict[str, str]:
        return {"weight": "theta", "weight.grad": "dtheta"}

    @property
    def gradients(self) -> dict[str, str]:
        return {"hidden": "dhidden", "theta": "dtheta"}

    @property
    def live_in(self) -> frozenset[str]:
        return frozenset(self.tensors) - {"images", "labels"}

    def resolve(self, name: str) -> str:
        return self.aliases.get(name, name)

    def nbytes(self, op: Op) -> int:
        return sum(self.tensors[name].nbytes for name in op.writes)

    # -- happening

    def iterate(self, kinds: str, seed: int) -> None:
        """One iteration: z zero_grad, f forward, l loss, b backward, u update, in any order."""
        rng = np.random.default_rng(seed)
        batch = {"images": frozen(rng.normal(size=(3, 2))), "labels": frozen(rng.normal(size=3))}
        self.source.batches.append(batch)
        if self.states:
            self.states[-1] = self.states[-1] | batch
        else:
            self.states.append(self.source.start | batch)
        for kind in kinds:
            for phase, writes, adds, result in STEPS[kind]:
                self.happen(phase, writes, adds, result(self.states[-1]))
        self.timeline.end_iteration()

    def happen(self, phase: Phase, writes: str, adds: bool, result: Array) -> None:
        """One op."""
        place = len(self.timeline.under_way)
        op = Op(
            place, phase, writes, "net", f"{writes} …", f"{writes} = …", (), (writes,), adds=adds
        )
        self.timeline.append(op)
        written = frozen(np.asarray(result, np.float64))
        self.source.results.append((written,))
        self.states.append(self.states[-1] | {writes: written})


def added(state: Mapping[str, Array]) -> Array:
    new: Array = state["dhidden"] @ state["images"]
    return state["dtheta"] + new if "dtheta" in state else new


STEPS: dict[str, list[tuple[Phase, str, bool, Any]]] = {
    "z": [(Phase.ZERO_GRAD, "dtheta", False, lambda s: np.zeros(2))],
    "f": [(Phase.FORWARD, "hidden", False, lambda s: s["images"] @ s["theta"])],
    "l": [(Phase.LOSS, "objective", False, lambda s: ((s["hidden"] - s["labels"]) ** 2).sum())],
    "b": [
        (Phase.BACKWARD, "dhidden", False, lambda s: 2 * (s["hidden"] - s["labels"])),
        (Phase.BACKWARD, "dtheta", True, added),
    ],
    "u": [(Phase.UPDATE, "theta", False, lambda s: s["theta"] - 0.05 * s["dtheta"])],
}
# Plain ones, gradients that pile up over two, one that only looks, a last batch without an update.
KINDS = ("zflbu", "zflb", "flbu", "f", "zflbu", "flbzu", "fl", "zflbu", "flb")


def captured(kinds: Sequence[str] = KINDS, over: bool = True) -> CapturedRun:
    """A run of these iterations."""
    run = CapturedRun()
    for seed, kind in enumerate(kinds):
        run.iterate(kind, seed)
    run.timeline.over = over
    return run
