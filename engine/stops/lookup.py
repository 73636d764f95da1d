"""What an expression can name in a session: every tensor, and where the cursor stands."""

import ast
import math
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.expressions.expression import (
    Expression,
    ExpressionError,
    NotAvailable,
)
from engine.expressions.values import Site, TooCostly
from engine.functions.language import compile_expression
from engine.run.op import held_dtype
from engine.run.run import Run
from engine.session.changes import Change, Travelled
from engine.session.edits import visible_names

COUNTERS = ("event", "iteration", "epoch")

TRIAL_ELEMENTS = 2**20  # of all tensors that an expression is tried on when it is typed
TRIAL_SECONDS = 0.2

Lookup = Callable[[str], Array | int | None]


def lookup_names(run: Run) -> list[str]:
    """Every name that an expression may use: tensors, their aliases, and the counters."""
    return [*visible_names(run), *COUNTERS]


def compiled(text: str, run: Run, condition: bool = False) -> Expression:
    """An expression over the names of a run; a GradstepError points at the column.

    It is tried on tensors of the declared shapes, so that an index outside, shapes that do not go
    together, or a ``condition`` of several elements is said when it is typed, not when it is met.
    """
    try:
        expression = compile_expression(text, lookup_names(run))
        try_out(expression, run, condition)
    except ExpressionError as problem:
        raise GradstepError(str(problem)) from problem
    return expression


def try_out(expression: Expression, run: Run, condition: bool) -> None:
    """Evaluate it on ones in the declared shapes; raises ExpressionError where that fails.

    Nothing is said of what takes long, nor of what counts or computes an index: x[10 − iteration]
    may be right later, x[argmax(y)] at other values.
    """
    if not expression.names.isdisjoint(COUNTERS) or computes_an_index(expression.text):
        return
    infos = [run.tensors[run.resolve(name)] for name in expression.names]
    if sum(math.prod(info.shape) for info in infos) > TRIAL_ELEMENTS:
        return

    def ones(name: str) -> Array:
        info = run.tensors[run.resolve(name)]
        return np.ones(info.shape, held_dtype(info.dtype))

    with suppress(TooCostly):
        value = expression.evaluate(ones, TRIAL_SECONDS)
        if condition:
            Site(expression.text, 0).truth(value)


def computes_an_index(text: str) -> bool:
    """Whether an index of an expression has more in it than numbers."""
    indices = [
        node.slice
        for node in ast.walk(ast.parse(text.strip(), mode="eval"))
        if isinstance(node, ast.Subscript)
    ]
    return any(isinstance(part, ast.Name) for index in indices for part in ast.walk(index))


def own_names(expression: Expression, run: Run) -> frozenset[str]:
    """The tensors and counters that an expression reads, without aliases."""
    return frozenset(run.resolve(name) for name in expression.names)


def lookup(session: Travelled) -> Lookup:
    """Values at the cursor, by name or alias; None where a tensor is not computed yet."""
    return lookup_in(session, session.tensors, session.event)


def not_kept(session: Travelled, name: str) -> str:
    """Why a tensor has no elements here though it was computed; empty where that is not so."""
    own = session.run.resolve(name)
    if own not in session.run.tensors or own in session.tensors:
        return ""
    kept = session.source.kept(session.event, own)
    if kept is None:
        return ""
    where = "" if kept.nearest is None else f"; the whole of it: goto #{kept.nearest + 1}"
    return f"{name} was not kept in full ({kept.degree.words}){where}"


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


def value_of(
    expression: Expression, lookup: Lookup, seconds: float | None = None
) -> Array | float | None:
    """The value of an expression; None while something it names is not computed yet.

    Raises ExpressionError for what cannot be evaluated, or not in so many ``seconds``.
    """
    try:
        return expression.evaluate(lookup, seconds)
    except NotAvailable:
        return None
