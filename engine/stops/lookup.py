"""What an expression can name in a session: every tensor, and where the cursor stands."""

from collections.abc import Callable, Mapping

from engine.arrays import Array
from engine.errors import GradstepError
from engine.expressions.expression import (
    Expression,
    ExpressionError,
    NotAvailable,
    compile_expression,
)
from engine.run.run import Run
from engine.session.changes import Change, Travelled
from engine.session.edits import visible_names

COUNTERS = ("event", "iteration", "epoch")

Lookup = Callable[[str], Array | int | None]


def lookup_names(run: Run) -> list[str]:
    """Every name that an expression may use: tensors, their aliases, and the counters."""
    return [*visible_names(run), *COUNTERS]


def compiled(text: str, run: Run) -> Expression:
    """An expression over the names of a run; a GradstepError points at the column."""
    try:
        return compile_expression(text, lookup_names(run))
    except ExpressionError as problem:
        raise GradstepError(str(problem)) from problem


def own_names(expression: Expression, run: Run) -> frozenset[str]:
    """The tensors and counters that an expression reads, without aliases."""
    return frozenset(run.resolve(name) for name in expression.names)


def lookup(session: Travelled) -> Lookup:
    """Values at the cursor, by name or alias; None where a tensor is not computed yet."""
    return lookup_in(session, session.tensors, session.event)


def lookup_before(session: Travelled, changes: Mapping[str, Change]) -> Lookup:
    """Values one event before the cursor, given what has changed since."""
    tensors = {name: old for name, (old, _) in changes.items()}
    now = session.tensors

    def value(name: str) -> Array | None:
        return tensors[name] if name in tensors else now.get(name)

    return lookup_in(session, _Getter(value), session.event - 1)


# A lookup of old values is made wherever a stop is tested. A dictionary with them put in would be
# a copy of as many entries as the network has tensors.
class _Getter:
    def __init__(self, get: Callable[[str], Array | None]) -> None:
        self.get = get


def lookup_in(session: Travelled, tensors: "Mapping[str, Array] | _Getter", event: int) -> Lookup:
    """Values of tensors by name or alias, and of the counters at an event."""
    run = session.run

    def value(name: str) -> Array | int | None:
        if name in COUNTERS and name not in run.tensors:  # a captured tensor may be called so
            position = run.timeline.position(max(0, event))
            return int(getattr(position, name))
        return tensors.get(run.resolve(name))

    return value


def value_of(expression: Expression, lookup: Lookup) -> Array | float | None:
    """The value of an expression; None while something it names is not computed yet.

    Raises ExpressionError for what cannot be evaluated.
    """
    try:
        return expression.evaluate(lookup)
    except NotAvailable:
        return None
