"""Gradient clipping: all gradients shortened together to a norm, or each element cut to a value.

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
    """Either ``norm`` or ``value`` is set; ``norm_type`` is p of the p-norm."""

    norm: float | None = None
    norm_type: float = 2.0
    value: float | None = None

    def total(self, gradients: Sequence[Array]) -> float:
        """The norm of all gradients as one vector: the norm of their norms."""
        order = self.norm_type
        norms = [np.linalg.norm(grad.reshape(-1), order) for grad in gradients]
        return float(np.linalg.norm(norms, order)) if norms else 0.0

    def factor(self, total: float) -> float:
        """What every gradient is multiplied with; 1 where the norm is within bounds."""
        assert self.norm is not None
        return float(np.minimum(self.norm / (np.float64(total) + EPSILON), 1.0))  # NaN stays NaN

    def cut(self, grad: Array) -> Array:
        """Each element within ±value."""
        assert self.value is not None
        return np.clip(grad, -self.value, self.value)

    @property
    def norm_text(self) -> str:
        """The norm of all gradients: ‖∇θ‖, with p where it is not 2."""
        if self.norm_type == 2:
            return "‖∇θ‖"
        return f"‖∇θ‖{'∞' if math.isinf(self.norm_type) else f' (p = {self.norm_type:g})'}"

    def factor_formula(self) -> str:
        """The right-hand side of c = …."""
        return f"min(1, {self.norm:g} / {self.norm_text})"

    def formula(self, grad: str) -> str:
        """The right-hand side of ∂ℓ/∂θ ← …."""
        return f"clip({grad}, ±{self.value:g})" if self.norm is None else f"c {grad}"
