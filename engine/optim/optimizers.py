"""The optimizers as pure rules: parameter, gradient, slots and hyper-parameters in, new ones out.

Each rule follows ``torch.optim`` step for step. A slot is ``None`` before the first update. Nothing
that is passed in changes, which is what makes going back free.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array, Shape

Hyper = Mapping[str, float]  # by name, as they are at this update: after edits and the schedule
Slots = tuple[Array | None, ...]
HYPER_SYMBOLS = {
    "lr": "η",
    "momentum": "μ",
    "dampening": "τ",
    "weight_decay": "λ",
    "eps": "ε",
    "alpha": "α",
    "beta1": "β₁",
    "beta2": "β₂",
    "lr_decay": "κ",
    "rho": "ρ",
}


@dataclass(frozen=True)
class Optimizer(ABC):
    """An update rule; ``slots`` names the state it keeps for each parameter, as PyTorch does.

    ``torch`` is its name in ``torch.optim``; ``counter`` is the slot that counts the updates, a
    number where others have the parameter's shape; ``normalizes`` is whether its steps do not grow
    with the gradient: each element moves by about η.
    """

    type: ClassVar[str]
    torch: ClassVar[str]
    counter: ClassVar[str] = "step"
    normalizes: ClassVar[bool] = False
    letters: ClassVar[Mapping[str, str]]  # how people write the slots

    @property
    @abstractmethod
    def hyper(self) -> dict[str, float]:
        """The hyper-parameters that are numbers, with their initial values, by name.

        Those that the rule does not read in this configuration are left out.
        """

    @property
    @abstractmethod
    def slots(self) -> tuple[str, ...]:
        """The names of the slots in order."""

    def shape_of(self, slot: str, shape: Shape) -> Shape:
        """The shape of a slot, for a parameter of this shape."""
        return () if slot == self.counter else shape

    @abstractmethod
    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        """The new parameter and the new slots, in the dtype of the parameter.

        ``p`` and ``grad`` have one shape; ``slots`` are in the order of :attr:`slots`, all of them
        None before the first update; ``h`` has every name of :attr:`hyper`.
        """

    @abstractmethod
    def formula(self, p: str) -> str:
        """The right-hand side of θ ← …, with ``∂ℓ/∂θ`` for the gradient."""

    def details(self, p: str) -> tuple[str, ...]:
        """The equations of the other letters in the formula, in the order of computation."""
        return ()


def gradient_text(p: str, weight_decay: float, maximize: bool) -> str:
    """The gradient that the rule uses as text: with its sign, and with the term of L2, λ θ."""
    grad = f"{'−' if maximize else ''}∂ℓ/∂{p}"
    return f"{grad} + λ {p}" if weight_decay else grad


def decay(weight_decay: float) -> dict[str, float]:
    """Weight decay among the hyper-parameters, where there is any."""
    return {"weight_decay": weight_decay} if weight_decay else {}


def decayed(p: Array, grad: Array, h: Hyper, maximize: bool) -> Array:
    """The gradient that the rule uses: its sign for ``maximize``, and the term of L2, λ p."""
    if maximize:
        grad = -grad  # before the decay, which shrinks the parameter either way
    return grad + h["weight_decay"] * p if "weight_decay" in h else grad


def moved(p: Array, step: Array) -> Array:
    """p − step, written into ``step``, which nobody else holds: one allocation less an update."""
    if not isinstance(step, np.ndarray):  # of a single number NumPy makes a scalar
        return np.subtract(p, step)
    return np.subtract(p, step, step)


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, as ``torch.optim.SGD``.

    v ← μ v + (1 − τ) g, θ ← θ − η v: η multiplies the whole velocity, and not the gradient within
    it as in Sutskever et al. 2013.
    """

    type: ClassVar[str] = "sgd"
    torch: ClassVar[str] = "SGD"
    letters: ClassVar[Mapping[str, str]] = {"momentum": "v"}
    lr: float = 1e-3
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    maximize: bool = False

    @property
    def hyper(self) -> dict[str, float]:
        named = {"momentum": self.momentum, "dampening": self.dampening}
        used = {name: value for name, value in named.items() if self.momentum}
        return {"lr": self.lr} | used | decay(self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    @property
    def plain(self) -> bool:
        """Whether it is θ − η g and nothing else."""
        return not (self.momentum or self.weight_decay or self.maximize)

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        if self.maximize or "weight_decay" in h:  # asked here: the plain rule is all in one call
            grad = decayed(p, grad, h, self.maximize)
        if not slots:
            return (moved(p, h["lr"] * grad),)
        (buffer,) = slots
        if buffer is None:
            buffer = grad.copy()  # PyTorch's first buffer is the gradient, without dampening
        else:
            buffer = h["momentum"] * buffer + (1 - h["dampening"]) * grad
        step = grad + h["momentum"] * buffer if self.nesterov else buffer
        return moved(p, h["lr"] * step), buffer

    def formula(self, p: str) -> str:
        grad = gradient_text(p, self.weight_decay, self.maximize)
        grad = f"({grad})" if self.weight_decay or self.maximize else grad
        if not self.momentum:
            return f"{p} − η {grad}"
        damp = "" if not self.dampening else "(1 − τ) "
        v = f"(μ v + {damp}{grad})"
        return f"{p} − η ({grad} + μ {v})" if self.nesterov else f"{p} − η {v}"


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma & Ba 2015, algorithm 1), as ``torch.optim.Adam``: L2 is added to the gradient.

    ``amsgrad`` keeps the largest second moment (Reddi, Kale & Kumar 2018), with bias correction.
    """

    type: ClassVar[str] = "adam"
    torch: ClassVar[str] = "Adam"
    normalizes: ClassVar[bool] = True
    letters: ClassVar[Mapping[str, str]] = {
        "step": "t",
        "exp_avg": "m",
        "exp_avg_sq": "v",
        "max_exp_avg_sq": "u",
    }
    decoupled: ClassVar[bool] = False
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False
    maximize: bool = False

    @property
    def hyper(self) -> dict[str, float]:
        beta1, beta2 = self.betas
        return {
            "lr": self.lr,
            "beta1": beta1,
            "beta2": beta2,
            "eps": self.eps,
        } | decay(self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        more = ("max_exp_avg_sq",) if self.amsgrad else ()
        return ("step", "exp_avg", "exp_avg_sq", *more)

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        lr, beta1, beta2 = h["lr"], h["beta1"], h["beta2"]
        if self.decoupled:
            grad = -grad if self.maximize else grad
            p = p * (1 - lr * h.get("weight_decay", 0.0))
        else:
            grad = decayed(p, grad, h, self.maximize)
        step, mean, square = (np.zeros_like(p) if s is None else s for s in slots[:3])
        # a missing step has become zeros of the shape of p, which are no number
        count = 1.0 if slots[0] is None else float(step) + 1
        # PyTorch's lerp: β₁ m + (1 − β₁) g rounds differently
        mean = mean + (grad - mean) * (1 - beta1)
        square = square * beta2 + (1 - beta2) * grad * grad
        done: tuple[Array, ...] = (np.asarray(count, dtype=p.dtype), mean, square)
        largest = square
        if self.amsgrad:
            largest = square if slots[3] is None else np.maximum(slots[3], square)
            done = (*done, largest)
        # ε is added to √v̂, after the bias correction, as in algorithm 1
        root = np.sqrt(largest) / math.sqrt(1 - beta2**count) + h["eps"]
        return moved(p, (lr / (1 - beta1**count)) * (mean / root)), *done

    def formula(self, p: str) -> str:
        if self.decoupled and self.weight_decay:
            return f"(1 − ηλ){p} − η m̂ / (√v̂ + ε)"
        return f"{p} − η m̂ / (√v̂ + ε)"

    def details(self, p: str) -> tuple[str, ...]:
        decay = 0.0 if self.decoupled else self.weight_decay
        largest = ("u ← max(u, v)",) if self.amsgrad else ()
        return (
            f"g = {gradient_text(p, decay, self.maximize)}",
            "m ← β₁ m + (1 − β₁) g",
            "v ← β₂ v + (1 − β₂) g²",
            *largest,
            "m̂ = m / (1 − β₁ᵗ)",
            f"v̂ = {'u' if self.amsgrad else 'v'} / (1 − β₂ᵗ)",
        )


@dataclass(frozen=True)
class AdamW(Adam):
    """AdamW (Loshchilov & Hutter 2019), as ``torch.optim.AdamW``: decoupled weight decay.

    The parameter itself shrinks by 1 − ηλ first, so that the moments do not see the decay.
    """

    type: ClassVar[str] = "adamw"
    torch: ClassVar[str] = "AdamW"
    normalizes: ClassVar[bool] = True
    decoupled: ClassVar[bool] = True
    weight_decay: float = 1e-2
