"""Layers and losses: rows over functions, with their parameters and initial values.

For those who write one: a function is a class that says its value, its vector-Jacobian products,
its Jacobian and its formulas; a layer is a row that gives it sizes and parameters; ``check`` holds
the parts of one against each other.
"""

from engine.functions.function import Activation, Elementwise, Function, Terms, Vjp
from engine.functions.losses.loss import Loss
from engine.nn.check import check
from engine.nn.layer import Layer, LayerRow
from engine.nn.table import LAYERS, LOSSES

__all__ = [
    "LAYERS",
    "LOSSES",
    "Activation",
    "Elementwise",
    "Function",
    "Layer",
    "LayerRow",
    "Loss",
    "Terms",
    "Vjp",
    "check",
]
