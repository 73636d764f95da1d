"""Parameter groups: numbers of their own for some parameters, as ``torch.optim`` has them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.optim.lines import Lines
from engine.optim.optimizers import Optimizer


@dataclass(frozen=True)
class Group:
    """What a parameter has instead of the optimizer's own; None where it has nothing of its own.

    A ``weight_decay`` of 0 leaves the parameter out of weight decay.
    """

    lr: float | None = None
    weight_decay: float | None = None

    @property
    def given(self) -> Mapping[str, float]:
        """The numbers that the group has, by the names that they have at the optimizer."""
        named = {"lr": self.lr, "weight_decay": self.weight_decay}
        return {name: value for name, value in named.items() if value is not None}


def in_group(rule: Optimizer, group: Group) -> Optimizer:
    """The rule as it moves the parameters of a group: itself where the group has nothing."""
    if not group.given:
        return rule
    if isinstance(rule, Lines):
        return replace(rule, numbers={**rule.numbers, **group.given})
    return replace(rule, **group.given)
