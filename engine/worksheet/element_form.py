"""Trees of columns by their element i: 2(ŷ − y) as 2(ŷᵢ − yᵢ)."""

from dataclasses import replace

from engine.formulas.elements import At, Cases
from engine.formulas.pieces import scaled
from engine.formulas.tree import ONE, ZERO, Formula, Number, Times, Transpose
from engine.functions.function import Elementwise
from engine.lines.algebra import FILL, PRODUCT, RESHAPE
from engine.lines.elementwise import Pulled
from engine.lines.node import Call, Constant, Node, Tensor, number, ordered
from engine.lines.writing import Quotient
from engine.worksheet.line_sample import plain, symbol_of
from engine.worksheet.one_sample import EACH
from engine.worksheet.sample_loss import SampleSlope


def element_of(root: Node) -> Formula | None:
    """Element i of a column; None where an element needs more than that of each operand."""
    made: dict[Node, Formula] = {}
    for node in ordered(root):
        found = element(node, made)
        if found is None:
            return None
        made[node] = found
    return made[root]


def element(node: Node, made: dict[Node, Formula]) -> Formula | None:
    """Element i of one node, from those of its operands."""
    if isinstance(node, Tensor):
        if node.shape == ():
            return symbol_of(node.name)
        column = node.rank == 2 and node.shape[1] == 1
        return At(symbol_of(node.name)) if column or node.kind == "whole" else None
    if isinstance(node, Constant):
        return number(node)
    if not isinstance(node, Call):
        return None
    operands = [made[one] for one in node.operands]
    known = plain(node)
    if known is not None and node.function is FILL:
        return Number(known) if known != 1 else ONE
    if isinstance(node.function, SampleSlope):
        whole = node.function.write(node, [symbol_of(leaf_name(one)) for one in node.operands])
        return whole.inner if isinstance(whole, Transpose) else None
    if isinstance(node.function, Pulled):
        return pulled(node, operands)
    if node.function is PRODUCT:
        return product(node, operands)
    if node.function is RESHAPE and operands and node.operands[0].rank == 0:
        return operands[0]
    return node.function.write(node, operands) if isinstance(node.function, EACH) else None


def leaf_name(node: Node) -> str:
    """The name of a tensor; empty for any other node, whose symbol nothing else has."""
    return node.name if isinstance(node, Tensor) else ""


def pulled(node: Call, operands: list[Formula]) -> Formula | None:
    """An element of g ⊙ f′: the slope, and a factor that is not 1."""
    assert isinstance(node.function, Pulled)
    if not isinstance(node.function.function, Elementwise):
        return None
    (role,) = node.function.function.pulls
    terms = {role: operands[1], "input": operands[1], "output": operands[1]}
    slope = node.function.function.slope(terms)
    return slope if operands[0] == ONE else Times((operands[0], slope))


def product(node: Call, operands: list[Formula]) -> Formula:
    """An element of a ⊙ b, without a factor of 1."""
    left = plain(node.operands[0])
    if left == 1:
        return operands[1]
    return Times((operands[0], operands[1]), spaced=isinstance(operands[0], Quotient))


def element_case(factor: float, rule: Formula) -> Cases | None:
    """A number times a rule by cases: ``5 if i = j and z₁ᵢ > 0, else 0``; None for other rules."""
    if not isinstance(rule, Cases) or rule.otherwise != ZERO:
        return None
    found = []
    for case in rule.cases:
        then = Number(factor) if case.then == ONE else scaled(factor, case.then)
        found.append(replace(case, then=then))
    return Cases(tuple(found), ZERO)
