"""The identity."""

from engine.arrays import Array
from engine.formulas.tree import ONE, Formula
from engine.functions.function import Elementwise, Terms
from engine.jacobian import structures as operators
from engine.jacobian.operator import Jacobian, Point


class Identity(Elementwise):
    """g(z) = z; also what dropout is compiled to in evaluation mode."""

    type = "identity"
    torch = "Identity"
    pulls = ()
    name = "identity"
    straight = True

    def value(self, x: Array) -> Array:
        return x

    def pull(self, grad: Array, at: Array | None = None) -> Array:
        return grad

    def formula(self, t: Terms) -> Formula:
        return t["input"]

    def slope(self, t: Terms) -> Formula:
        return ONE

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        return operators.Identity(at.shape("output"), at.shape("input"), at.dtype)
