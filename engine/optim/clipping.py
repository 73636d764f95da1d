"""Gradient clipping: all gradients scaled together to a norm, or each element clamped to a value.

As ``torch.nn.utils.clip_grad_norm_`` and ``clip_grad_value_`` between ``backward()`` and
``optimizer.step()``. Gradients that are not there, and those of frozen parameters, take no part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array

EPSILON = 1e-6  # what PyTorch adds to the norm before it divides


@dataclass(frozen=True)
class Clipping:
    """Clipping by norm (Pascanu, Mikolov & Bengio 2013) or by value: one of the two is set.

    ``norm`` is the largest p-norm, with ``norm_type`` for p, ∞ included; ``value`` the largest
    absolute value of an element.
    """

    norm: float | None = None
    norm_type: float = 2.0
    value: float | None = None

    def total(self, gradients: Sequence[Array]) -> float:
        """The p-norm of all gradients as one vector: the norm of their norms; 0 of none.

        In that order, as PyTorch adds, so that no concatenation is made.
        """
        order = self.norm_type
        norms = [np.linalg.norm(grad.reshape(-1), order) for grad in gradients]
        return float(np.linalg.norm(norms, order)) if norms else 0.0

    def factor(self, total: float) -> float:
        """What every gradient is multiplied with, min(1, norm / (total + 1e-6)); NaN stays NaN."""
        assert self.norm is not None
        # np.minimum and not min, which would hide a NaN
        return float(np.minimum(self.norm / (np.float64(total) + EPSILON), 1.0))

    def cut(self, grad: Array) -> Array:
        """The gradient with each element clamped to ±value; NaN stays NaN."""
        assert self.value is not None
        return np.clip(grad, -self.value, self.value)

    @property
    def norm_text(self) -> str:
        """The norm of all gradients as text: ``‖∇θ‖``, with p where it is not 2."""
        if self.norm_type == 2:
            return "‖∇θ‖"
        return f"‖∇θ‖{'∞' if math.isinf(self.norm_type) else f' (p = {self.norm_type:g})'}"

    def factor_formula(self) -> str:
        """The right-hand side of c = …, the factor of clipping by norm."""
        return f"min(1, {self.norm:g} / {self.norm_text})"

    def formula(self, grad: str) -> str:
        """The right-hand side of ∂ℓ/∂θ ← …, for the text of a gradient."""
        return f"clip({grad}, ±{self.value:g})" if self.norm is None else f"c {grad}"
