"""Stops compiled: where each can be met at all, and the test that is made there.

A test is only made after the ops that write what it looks at, so that a stop costs nothing
elsewhere.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.errors import GradstepError
from engine.expressions.expression import Expression, ExpressionError
from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position_text import find_ops, suggestion
from engine.session.changes import Change, last_changes
from engine.stops import predicates
from engine.stops.evidence import Evidence
from engine.stops.lookup import COUNTERS, Look, compiled, look, look_before, own_names
from engine.stops.stop import BOUNDED, BREAKPOINTS, EXPRESSIONS, Stop, StopKind

if TYPE_CHECKING:
    from engine.session.session import Session

HOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(eq=False)
class Scene:
    """A cursor position under test; what has changed is found once for all its tests."""

    session: "Session"

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What has changed since the event before."""
        return last_changes(self.session)

    @cached_property
    def now(self) -> Look:
        """Values at the cursor."""
        return look(self.session)

    @cached_property
    def before(self) -> Look:
        """Values one event before."""
        return look_before(self.session, self.changes)

    @property
    def op(self) -> Op:
        """The op that led here."""
        ops = self.session.program.ops
        return ops[(self.session.event - 1) % len(ops)]


Test = Callable[[Scene], Evidence | None]


@dataclass(frozen=True, eq=False)
class Check:
    """A stop made ready.

    ``before`` are the ops before which it stops, ``after`` those after which ``test`` is made;
    ``begins`` asks for the test at the beginning of an iteration too.
    """

    stop: Stop
    before: frozenset[int] = frozenset()
    event: int | None = None
    after: frozenset[int] = frozenset()
    begins: bool = False
    test: Test | None = None
    condition: Expression | None = None
    message: tuple[str | Expression, ...] = field(default=())

    @property
    def needs_state(self) -> bool:
        """Whether tensors must be looked at to know if it stops at a place."""
        return self.test is not None or self.condition is not None or bool(self.message)


def compile_check(stop: Stop, program: Program) -> Check:
    """A stop made ready; a GradstepError says what of it does not exist."""
    if stop.kind in BOUNDED and stop.bound is None:
        raise GradstepError(f"{stop.kind} needs a bound, a number")
    if stop.ignore < 0:
        raise GradstepError("ignore counts from 0")
    condition = compiled(stop.condition, program) if stop.condition is not None else None
    message = parse_message(stop.log, program) if stop.log is not None else ()
    before: frozenset[int] = frozenset()
    if stop.kind == StopKind.OP:
        before = frozenset(op.index for op in breakpoint_ops(stop.target, program))
    event = position_event(stop.target, program) if stop.kind == StopKind.POSITION else None
    if stop.kind in BREAKPOINTS:
        return Check(stop, before, event, condition=condition, message=message)
    after, begins, test = compile_test(stop, program)
    return Check(stop, before, event, after, begins, test, condition, message)


def compile_test(stop: Stop, program: Program) -> tuple[frozenset[int], bool, Test]:
    """Where a watchpoint or predicate is tested, and how."""
    ops = program.ops
    if stop.kind in EXPRESSIONS:
        expression = compiled(stop.target, program)
        names = own_names(expression, program)
        moving = "event" in names - program.tensors.keys()
        after = {op.index for op in ops if moving or names.intersection(op.writes)}
        begins = moving or bool(names.intersection((*program.entering, *COUNTERS)))
        return frozenset(after), begins, expression_test(stop, expression, program)
    if stop.target and program.resolve(stop.target) not in program.tensors:
        hint = suggestion(stop.target, program.tensors)
        raise GradstepError(f"no tensor {stop.target!r}{hint}")
    test, phases = predicates.PREDICATES[stop.kind]
    only = program.resolve(stop.target) if stop.target else None
    after = {op.index for op in ops if op.phase in phases and (not only or only in op.writes)}
    bound = stop.bound or 0.0

    def run(scene: Scene) -> Evidence | None:
        if stop.kind in predicates.OF_OPS and scene.op.index not in after:
            return None
        written = scene.changes
        if stop.kind in predicates.OF_OPS:
            written = {name: written[name] for name in scene.op.writes if name in written}
        for name, (old, new) in written.items():
            if new is not None and only in (None, name):
                found = test(program.tensors[name], old, new, bound)
                if found is not None:
                    return found
        return None

    return frozenset(after), False, run


def expression_test(stop: Stop, expression: Expression, program: Program) -> Test:
    """The test of a watchpoint."""
    compare = predicates.COMPARISONS[stop.kind]
    bound = stop.bound or 0.0
    names = own_names(expression, program)
    name = next(iter(names)) if stop.target.strip() in expression.names else stop.target

    def run(scene: Scene) -> Evidence | None:
        changed = names.intersection(scene.changes)
        if not changed and not names.intersection(COUNTERS):
            return None
        return compare(name, expression, scene.before, scene.now, bound)

    return run


def breakpoint_ops(target: str, program: Program) -> list[Op]:
    """The ops before which a breakpoint stops.

    A phase: its first op. A layer: its first op in each phase; ``linear2.backward`` in one of them.
    An op's name: every op of that name; ``backward:linear2.weight.grad`` exactly one.
    """
    phase, _, rest = target.partition(":")
    if phase in list(Phase):
        return find_ops(program, phase, rest or None)[:1] or refuse(target, program)
    layer, _, last = target.rpartition(".")
    if last in list(Phase) and layer:
        found = [op for op in program.ops if op.layer == layer and op.phase == last]
        return found[:1] or refuse(target, program)
    resolved = program.resolve(target)
    named = [op for op in program.ops if op.name == resolved]
    if named:
        return named
    of_layer = {op.phase: op for op in reversed(program.ops) if op.layer == target}
    return list(of_layer.values()) or refuse(target, program)


def refuse(target: str, program: Program) -> list[Op]:
    """Say what a breakpoint can be set on."""
    layers = list(dict.fromkeys(op.layer for op in program.ops if op.layer))
    names = [*program.phases(), *layers, *(op.name for op in program.ops)]
    names += [f"{op.layer}.{op.phase}" for op in program.ops if op.layer]
    raise GradstepError(
        f"nothing to stop at called {target!r}{suggestion(target, names)}: "
        f"phases are {', '.join(program.phases())}; layers are {', '.join(layers)}"
    )


def position_event(target: str, program: Program) -> int:
    """The event of a stop at a position, written ``#41``."""
    digits = target.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise GradstepError(f"position {target!r}: a stop is at an event, #41")
    event = int(digits)
    if event >= program.events:
        raise GradstepError(
            f"position {target!r} is outside: ops are at #0 to #{program.events - 1}"
        )
    return event


def parse_message(text: str, program: Program) -> tuple[str | Expression, ...]:
    """The pieces of a log message; what is in braces is compiled."""
    pieces: list[str | Expression] = []
    for i, piece in enumerate(HOLE.split(text)):
        pieces.append(compiled(piece, program) if i % 2 else piece)
    return tuple(pieces)


def message_text(pieces: tuple[str | Expression, ...], lookup: Look) -> str:
    """A log message with its expressions evaluated."""
    return "".join(p if isinstance(p, str) else shown(p, lookup) for p in pieces)


def shown(expression: Expression, lookup: Look) -> str:
    """The value of an expression in a message."""
    try:
        return predicates.number_text(expression.evaluate(lookup))
    except ExpressionError as problem:
        return f"<{problem.message}>"
