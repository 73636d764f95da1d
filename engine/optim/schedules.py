"""Learning-rate schedules: the rate as a function of the initial rate and of how far the run is.

Each is the closed form of a scheduler of ``torch.optim.lr_scheduler``: k counts the epochs, or the
iterations, that lie behind, as often as one calls ``scheduler.step()`` there. Nothing is remembered
from one iteration to the next, so that going back is exact; PyTorch goes on from the rate before,
and may differ in the last digits.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

Every = Literal["epoch", "iteration"]
COUNTS: dict[Every, str] = {"epoch": "e − 1", "iteration": "i − 1"}


@dataclass(frozen=True)
class Schedule(ABC):
    """A learning rate as a function of η₀ and k; ``every`` is what k counts.

    In formulas epochs e and iterations i count from 1, so that k is e − 1 or i − 1.
    """

    type: ClassVar[str]
    every: Every = "epoch"

    @abstractmethod
    def rate(self, initial: float, k: int) -> float:
        """The learning rate after k whole epochs or iterations, k ≥ 0; ``initial`` is η₀."""

    @abstractmethod
    def formula(self) -> str:
        """The right-hand side of η ← …, in η₀, and in e or i."""

    @property
    def count(self) -> str:
        """k as text: ``e − 1`` or ``i − 1``."""
        return COUNTS[self.every]

    def count_of(self, iteration: int, batches: int) -> int:
        """k in an iteration counted from 1, where an epoch has this many batches."""
        done = iteration - 1
        return done // batches if self.every == "epoch" else done


class Constant(Schedule):
    """The initial rate throughout."""

    type = "constant"

    def rate(self, initial: float, k: int) -> float:
        return initial

    def formula(self) -> str:
        return "η₀"


@dataclass(frozen=True)
class Step(Schedule):
    """Times gamma after every step_size epochs or iterations: ``StepLR``."""

    type: ClassVar[str] = "step"
    step_size: int = 1
    gamma: float = 0.1

    def rate(self, initial: float, k: int) -> float:
        # a Python float raises OverflowError where np.float64 becomes infinite
        return float(initial * np.float64(self.gamma) ** (k // self.step_size))

    def formula(self) -> str:
        return f"η₀ · {self.gamma:g}ᵏ, k = ⌊({self.count}) / {self.step_size}⌋"


@dataclass(frozen=True)
class Exponential(Schedule):
    """Times gamma after every epoch or iteration: ``ExponentialLR``."""

    type: ClassVar[str] = "exponential"
    gamma: float = 0.9

    def rate(self, initial: float, k: int) -> float:
        return float(initial * np.float64(self.gamma) ** k)  # np.float64: see Step

    def formula(self) -> str:
        return f"η₀ · {self.gamma:g}ᵏ, k = {self.count}"


@dataclass(frozen=True)
class Cosine(Schedule):
    """Down to eta_min along half a cosine in t_max steps, then up again: ``CosineAnnealingLR``.

    The annealing of Loshchilov & Hutter 2017 (SGDR), without their restarts.
    """

    type: ClassVar[str] = "cosine"
    t_max: int = 1
    eta_min: float = 0.0

    def rate(self, initial: float, k: int) -> float:
        return (
            self.eta_min + (initial - self.eta_min) * (1 + math.cos(math.pi * k / self.t_max)) / 2
        )

    def formula(self) -> str:
        least = f"{self.eta_min:g} + " if self.eta_min else ""
        span = f"(η₀ − {self.eta_min:g})" if self.eta_min else "η₀"
        return f"{least}½ {span} (1 + cos(π k / {self.t_max})), k = {self.count}"


@dataclass(frozen=True)
class LinearWarmup(Schedule):
    """From start_factor of the initial rate up to all of it in so many steps: ``LinearLR``."""

    type: ClassVar[str] = "linear_warmup"
    every: Every = "iteration"
    start_factor: float = 1 / 3
    iterations: int = 5

    def rate(self, initial: float, k: int) -> float:
        done = min(k, self.iterations) / self.iterations
        return initial * (self.start_factor + (1 - self.start_factor) * done)

    def formula(self) -> str:
        start, rest, last = (
            f"{self.start_factor:.4g}",
            f"{1 - self.start_factor:.4g}",
            self.iterations,
        )
        return f"η₀ · ({start} + {rest} min(k, {last}) / {last}), k = {self.count}"


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.type: schedule for schedule in (Constant, Step, Exponential, Cosine, LinearWarmup)
}
