"""Stops compiled: where each can be met at all, and the test that is made there.

A test is only made after the ops that write what it looks at, so that a stop costs nothing
elsewhere.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.errors import GradstepError
from engine.expressions.expression import Expression, ExpressionError
from engine.run.code_places import by_code, in_module, module_pattern
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position_text import find_ops
from engine.run.run import Run
from engine.run.timeline import Listing, Where, every_op, every_phase
from engine.session.changes import Change, last_changes
from engine.session.session import Session
from engine.stops import predicates
from engine.stops.evidence import Evidence
from engine.stops.lookup import COUNTERS, Lookup, compiled, lookup, lookup_before, own_names
from engine.stops.stop import BOUNDED, BREAKPOINTS, EXPRESSIONS, Stop, StopKind
from engine.wording import suggestion

HOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(eq=False)
class Scene:
    """The cursor position under test; what changed there is found once for all its tests."""

    session: Session

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What has changed since the event before, by tensor, with the value before and after."""
        return last_changes(self.session)

    @cached_property
    def now(self) -> Lookup:
        """Values at the cursor."""
        return lookup(self.session)

    @cached_property
    def before(self) -> Lookup:
        """Values one event before."""
        return lookup_before(self.session, self.changes)

    @property
    def op(self) -> Op:
        """The op that led here."""
        return self.session.timeline.op(self.session.event - 1)


Test = Callable[[Scene], Evidence | None]


def nowhere(listing: Listing) -> tuple[int, ...]:
    """No place of an iteration."""
    return ()


@dataclass(frozen=True, eq=False)
class Check:
    """A stop made ready.

    ``before`` are the ops before which it stops, ``after`` those after which ``test`` is made;
    ``begins`` asks for the test at the beginning of an iteration too. ``event`` is the one event of
    a stop at a position.
    """

    stop: Stop
    before: Where = nowhere
    event: int | None = None
    after: Where = nowhere
    begins: bool = False
    test: Test | None = None
    condition: Expression | None = None
    message: tuple[str | Expression, ...] = field(default=())

    @property
    def needs_state(self) -> bool:
        """Whether tensors decide if it stops at a place, and not the place alone."""
        return self.test is not None or self.condition is not None or bool(self.message)

    def stands_before(self, listing: Listing, place: int) -> bool:
        """Whether it stops before the op at a place of an iteration."""
        return place in listing.places(self.before)


def compile_check(stop: Stop, run: Run) -> Check:
    """A stop made ready; a GradstepError says what of it does not exist."""
    if stop.kind in BOUNDED and stop.bound is None:
        raise GradstepError(f"{stop.kind} needs a bound, a number")
    if stop.ignore < 0:
        raise GradstepError("ignore counts from 0")
    condition = compiled(stop.condition, run, True) if stop.condition is not None else None
    message = parse_message(stop.log, run) if stop.log is not None else ()
    before = breakpoint_places(stop.target, run) if stop.kind == StopKind.OP else nowhere
    event = position_event(stop.target, run) if stop.kind == StopKind.POSITION else None
    if stop.kind in BREAKPOINTS:
        return Check(stop, before, event, condition=condition, message=message)
    after, begins, test = compile_test(stop, run)
    return Check(stop, before, event, after, begins, test, condition, message)


def compile_test(stop: Stop, run: Run) -> tuple[Where, bool, Test]:
    """Where a watchpoint or predicate is tested, whether also where iterations begin, and how.

    Raises GradstepError for an expression that does not compile, or an unknown tensor.
    """
    if stop.kind in EXPRESSIONS:
        expression = compiled(stop.target, run, stop.kind == StopKind.WHEN)
        names = own_names(expression, run)
        # ``event`` changes with every op; the batch and the counters change where an iteration
        # begins, and no op writes them.
        moving = "event" in names - run.tensors.keys()
        begins = moving or bool(names.intersection((*run.entering, *COUNTERS)))
        after = places_of(lambda op: moving or bool(names.intersection(op.writes)))
        return after, begins, expression_test(stop, expression, run)
    test, phases = predicates.PREDICATES[stop.kind]
    only = named_tensors(stop.target, run)
    bound = stop.bound or 0.0

    def concerned(op: Op) -> bool:
        return op.phase in phases and (only is None or not only.isdisjoint(op.writes))

    def found(scene: Scene) -> Evidence | None:
        if stop.kind in predicates.OF_OPS and not concerned(scene.op):
            return None
        written = scene.changes
        if stop.kind in predicates.OF_OPS:
            written = {name: written[name] for name in scene.op.writes if name in written}
        for name, (old, new) in written.items():
            if only is not None and name not in only:
                continue
            if new is not None:
                evidence = test(run.tensors[name], old, new, bound)
            else:
                evidence = predicates.by_statistics(stop.kind, scene.session, name, old)
            if evidence is not None:
                return evidence
        return None

    return places_of(concerned), False, found


def named_tensors(target: str, run: Run) -> frozenset[str] | None:
    """The tensors that a predicate looks at: one, those of ``module:layer1.*``, or None for all.

    Raises GradstepError where there is none of that name.
    """
    if not target:
        return None
    pattern = module_pattern(target)
    if pattern is not None:
        found = frozenset(one.name for one in run.tensors.values() if in_module(one.layer, pattern))
        if found:
            return found
    name = run.resolve(target)
    if name not in run.tensors:
        raise GradstepError(f"no tensor {target!r}{suggestion(target, run.tensors)}")
    return frozenset((name,))


def places_of(wanted: Callable[[Op], bool]) -> Where:
    """The places of the ops of which something holds."""
    return lambda listing: [op.index for op in listing.ops if wanted(op)]


def expression_test(stop: Stop, expression: Expression, run: Run) -> Test:
    """The test of a watchpoint."""
    compare = predicates.COMPARISONS[stop.kind]
    bound = stop.bound or 0.0
    names = own_names(expression, run)
    name = next(iter(names)) if stop.target.strip() in expression.names else stop.target

    def found(scene: Scene) -> Evidence | None:
        changed = names.intersection(scene.changes)
        if not changed and not names.intersection(COUNTERS):
            return None
        return compare(name, expression, scene.before, scene.now, bound)

    return found


def breakpoint_places(target: str, run: Run) -> Where:
    """Where a breakpoint stops; a GradstepError where no iteration so far has such an op.

    A phase: its first op. A layer: its first op in each phase; ``linear2.backward`` in one of them.
    An op's name: every op of that name; ``backward:linear2.weight.grad`` exactly one.
    """

    def places(listing: Listing) -> list[int]:
        return sorted(op.index for op in breakpoint_ops(target, run, listing))

    if not any(listing.places(places) for listing in run.timeline.listings):
        raise refusal(target, run)
    return places


def breakpoint_ops(target: str, run: Run, listing: Listing) -> list[Op]:
    """The ops of an iteration before which a breakpoint stops."""
    of_code = by_code(listing, target)
    if of_code is not None:
        return first_of_each(of_code)
    phase, _, rest = target.partition(":")
    if phase in list(Phase) and rest:
        return find_ops(run, listing, phase, rest)[:1]
    if phase in list(Phase):  # once a phase; one may come twice where gradients pile up
        found = find_ops(run, listing, phase, None)
        return [op for op in found if not op.index or listing.ops[op.index - 1].phase != phase]
    layer, _, last = target.rpartition(".")
    if last in list(Phase) and layer:
        return [op for op in listing.ops if op.layer == layer and op.phase == last][:1]
    resolved = run.resolve(target)
    named = [op for op in listing.ops if op.name == resolved]
    of_layer = {op.phase: op for op in reversed(listing.ops) if op.layer == target}
    return named or list(of_layer.values())


def first_of_each(ops: Sequence[Op]) -> list[Op]:
    """The first op of each module in each phase; of a line its first op of those in a row."""
    found: list[Op] = []
    last: Op | None = None
    for op in ops:
        in_a_row = last is not None and op.index == last.index + 1
        if not (in_a_row and last is not None and (op.layer, op.phase) == (last.layer, last.phase)):
            found.append(op)
        last = op
    return found


def refusal(target: str, run: Run) -> GradstepError:
    """The error for a target that is none: it names what a breakpoint can be set on."""
    ops, phases = every_op(run.timeline), every_phase(run.timeline)
    layers = list(dict.fromkeys(op.layer for op in ops if op.layer))
    names = [*phases, *layers, *(op.name for op in ops)]
    names += [f"{op.layer}.{op.phase}" for op in ops if op.layer]
    return GradstepError(
        f"nothing to stop at called {target!r}{suggestion(target, names)}: "
        f"phases are {', '.join(phases)}; layers are {', '.join(layers)}"
    )


def position_event(target: str, run: Run) -> int:
    """The event of a stop at a position, written ``#41``; a GradstepError outside the run."""
    digits = target.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):  # 64 bits
        raise GradstepError(f"position {target!r}: a stop is at an event, #41")
    event = int(digits)
    if event >= run.timeline.end:
        raise GradstepError(
            f"position {target!r} is outside: ops are at #0 to #{run.timeline.end - 1}"
        )
    return event


def parse_message(text: str, run: Run) -> tuple[str | Expression, ...]:
    """The pieces of a log message; what is in braces is compiled, or refused (GradstepError)."""
    pieces: list[str | Expression] = []
    for i, piece in enumerate(HOLE.split(text)):
        pieces.append(compiled(piece, run) if i % 2 else piece)
    return tuple(pieces)


def message_text(pieces: tuple[str | Expression, ...], lookup: Lookup) -> str:
    """A log message with its expressions evaluated."""
    return "".join(p if isinstance(p, str) else shown(p, lookup) for p in pieces)


def shown(expression: Expression, lookup: Lookup) -> str:
    """The value of an expression in a message, or in < > why it has none."""
    try:
        return predicates.number_text(expression.evaluate(lookup))
    except ExpressionError as problem:
        return f"<{problem.message}>"
