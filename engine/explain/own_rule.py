"""A rule in lines as a tree, where the lines of networks have its functions too."""

import ast
from collections.abc import Callable

from engine.arrays import Shape
from engine.lines.algebra import ONE, plus
from engine.lines.expressions import Expressions
from engine.lines.node import Misfit, Node, call
from engine.lines.scope import Scope, Wrong
from engine.lines.structure import ZEROS
from engine.lines.table import rows
from engine.optim.lines import COUNT, GRAD, THETA, Lines

TABLE = {row.name: row for row in rows()}


def own_rule(
    rule: Lines,
    p: Node,
    grad: Node,
    before: Callable[[str], Node | None],
    after: Callable[[str], Node],
    hyper: dict[str, Node],
    slot: str,
) -> Node | None:
    """What a slot, or without one the parameter, becomes; None where lines have no such function.

    A statement that reads a name assigned above reads the tree of it, or the slot as it becomes.
    """
    last = {one.name: one for one in rule.statements}
    known: dict[str, Node] = {**hyper, THETA: p, GRAD: grad}
    for name in rule.kept:
        shape: Shape = rule.shape_of(name, p.shape)
        found = before(name)
        zeros = call(ZEROS, (), (("shape", shape),))
        known[name] = zeros if found is None else found
    if COUNT in known:
        known[COUNT] = plus(known[COUNT], ONE)
    for statement in rule.statements:
        kept = statement.name in rule.kept and statement is last[statement.name]
        if kept and statement.name != slot:
            known[statement.name] = after(statement.name)
            continue
        reader = Expressions(Scope(known, {}, TABLE), lambda _: None)
        try:
            known[statement.name] = reader.expression(
                ast.parse(statement.expression.text.strip(), mode="eval").body
            )
        except (Wrong, Misfit, SyntaxError):
            return None
    return known[slot or THETA]
