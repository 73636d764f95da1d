"""Rules that divide each element by the size of its gradients so far: Adagrad and what came of it.

As all rules they follow ``torch.optim`` step for step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.optim.optimizers import Hyper, Optimizer, Slots, decay, decayed, gradient_text, moved


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan & Singer 2011, the diagonal form), as ``torch.optim.Adagrad``."""

    type: ClassVar[str] = "adagrad"
    torch: ClassVar[str] = "Adagrad"
    normalizes: ClassVar[bool] = True
    letters: ClassVar[Mapping[str, str]] = {"step": "t", "sum": "s"}
    lr: float = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10
    maximize: bool = False

    @property
    def hyper(self) -> dict[str, float]:
        return {
            "lr": self.lr,
            "lr_decay": self.lr_decay,
            "eps": self.eps,
        } | decay(self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("step", "sum")

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        grad = decayed(p, grad, h, self.maximize)
        count = 1.0 if slots[0] is None else float(slots[0]) + 1
        total = slots[1]
        if total is None:
            total = np.full_like(p, self.initial_accumulator_value)
        total = total + grad * grad
        rate = h["lr"] / (1 + (count - 1) * h["lr_decay"])  # the first step has the full rate
        new = moved(p, rate * (grad / (np.sqrt(total) + h["eps"])))
        return new, np.asarray(count, dtype=p.dtype), total

    def formula(self, p: str) -> str:
        rate = "η / (1 + (t − 1) κ) ·" if self.lr_decay else "η"
        return f"{p} − {rate} g / (√s + ε)"

    def details(self, p: str) -> tuple[str, ...]:
        return f"g = {gradient_text(p, self.weight_decay, self.maximize)}", "s ← s + g²"


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012), as ``torch.optim.RMSprop``: ε is added to the root.

    ``centered`` divides by the root of a variance instead (Graves 2013).
    """

    type: ClassVar[str] = "rmsprop"
    torch: ClassVar[str] = "RMSprop"
    normalizes: ClassVar[bool] = True
    letters: ClassVar[Mapping[str, str]] = {"square_avg": "v", "grad_avg": "m", "momentum": "b"}
    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False
    maximize: bool = False

    @property
    def hyper(self) -> dict[str, float]:
        more = {"momentum": self.momentum} if self.momentum else {}
        return (
            {
                "lr": self.lr,
                "alpha": self.alpha,
                "eps": self.eps,
            }
            | decay(self.weight_decay)
            | more
        )

    @property
    def slots(self) -> tuple[str, ...]:
        names = ["square_avg"]
        names += ["grad_avg"] if self.centered else []
        names += ["momentum"] if self.momentum else []
        return tuple(names)

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        grad = decayed(p, grad, h, self.maximize)
        old = dict(zip(self.slots, slots, strict=True))
        zero = np.zeros_like(p)
        alpha = h["alpha"]
        square = old["square_avg"]
        square = (zero if square is None else square) * alpha + (1 - alpha) * grad * grad
        done: tuple[Array, ...] = (square,)
        variance = square
        if self.centered:
            mean = old["grad_avg"]
            mean = zero if mean is None else mean
            mean = mean + (grad - mean) * (1 - alpha)
            done = (*done, mean)
            variance = square - mean * mean
        step = grad / (np.sqrt(variance) + h["eps"])
        if self.momentum:
            buffer = old["momentum"]
            step = (zero if buffer is None else buffer) * h["momentum"] + step
            done = (*done, step)
        return moved(p, h["lr"] * step), *done

    def formula(self, p: str) -> str:
        return f"{p} − η b" if self.momentum else f"{p} − η {self.step_text()}"

    def step_text(self) -> str:
        """The normalized gradient as text: over the root of its mean square, or its variance."""
        return f"g / (√{'(v − m²)' if self.centered else 'v'} + ε)"

    def details(self, p: str) -> tuple[str, ...]:
        mean = ("m ← α m + (1 − α) g",) if self.centered else ()
        buffer = (f"b ← μ b + {self.step_text()}",) if self.momentum else ()
        grad = gradient_text(p, self.weight_decay, self.maximize)
        return f"g = {grad}", "v ← α v + (1 − α) g²", *mean, *buffer


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012), as ``torch.optim.Adadelta``: steps as long as those before were."""

    type: ClassVar[str] = "adadelta"
    torch: ClassVar[str] = "Adadelta"
    letters: ClassVar[Mapping[str, str]] = {"square_avg": "v", "acc_delta": "u"}
    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0
    maximize: bool = False

    @property
    def hyper(self) -> dict[str, float]:
        return {"lr": self.lr, "rho": self.rho, "eps": self.eps} | decay(self.weight_decay)

    @property
    def slots(self) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        grad = decayed(p, grad, h, self.maximize)
        square, moves = (np.zeros_like(p) if slot is None else slot for slot in slots)
        rho, eps = h["rho"], h["eps"]
        square = square * rho + (1 - rho) * grad * grad
        step = np.sqrt(moves + eps) / np.sqrt(square + eps) * grad
        moves = moves * rho + (1 - rho) * step * step
        return moved(p, h["lr"] * step), square, moves

    def formula(self, p: str) -> str:
        return f"{p} − η Δ"

    def details(self, p: str) -> tuple[str, ...]:
        return (
            f"g = {gradient_text(p, self.weight_decay, self.maximize)}",
            "v ← ρ v + (1 − ρ) g²",
            "Δ = √(u + ε) / √(v + ε) g",
            "u ← ρ u + (1 − ρ) Δ²",
        )
