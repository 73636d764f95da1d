"""The right chain of a derivative as an expression, where one path leads from one to the other."""

from collections.abc import Sequence

import numpy as np

from engine.answers.expr import Expr, product
from engine.answers.names import Names, Row
from engine.answers.scene import Scene
from engine.answers.target import Target


def right_chain(target: Target, names: Names, rows: Sequence[Row], scene: Scene) -> Expr | None:
    """∂of/∂wrt as a product of Jacobians; None where more than one path leads there.

    That of a linear layer by what it reads is called as its weight is.
    """
    made = {row.makes: row for row in rows}
    factors: list[Expr] = []
    of = target.of
    for _ in rows:
        row = made.get(of)
        if row is None or target.wrt is None:
            return None
        if target.wrt in reads_of(names, row):
            return product((*factors, partial(of, target.wrt, names, scene)))
        on = [one for one in row.reads if names.program.tensors[one].role == "activation"]
        if len(on) != 1:
            return None
        factors.append(partial(of, on[0], names, scene))
        of = on[0]
    return None


def reads_of(names: Names, row: Row) -> tuple[str, ...]:
    """All that a layer or a line reads, its parameters too."""
    ops = names.program.ops
    found = next((op.reads for op in ops if row.makes in op.writes and op.phase != "update"), ())
    return (*row.reads, *found)


def partial(of: str, wrt: str, names: Names, scene: Scene) -> Expr:
    """∂of/∂wrt as an expression, with the symbol of the parameter that it is."""
    symbol = f"∂{names.symbol(of)}/∂{names.symbol(wrt)}"
    if scene.sample is not None:
        value = scene.jacobian(of, wrt)
        for one in names.program.parameters:
            if scene.matrix(one.name) and np.array_equal(value, scene.value(one.name)):
                symbol = one.symbol
    return Expr("partial", (), (of, wrt, False), symbol)
