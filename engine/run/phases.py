"""The five steps of a training iteration, and the orders in which they may stand."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise


class Phase(StrEnum):
    """One of the five steps of an iteration, named as in PyTorch."""

    ZERO_GRAD = "zero_grad"
    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    UPDATE = "update"


DEFAULT_ORDER = tuple(Phase)

# Each phase needs what the phases to its right have made earlier in the same iteration. Update
# needs none of them: gradients outlive their iteration, and backward may be left out of one.
NEEDS: dict[Phase, tuple[Phase, ...]] = {
    Phase.ZERO_GRAD: (),
    Phase.FORWARD: (),
    Phase.LOSS: (Phase.FORWARD,),
    Phase.BACKWARD: (Phase.LOSS,),
    Phase.UPDATE: (),
}

# The same steps in a PyTorch training loop.
CODE: dict[Phase, str] = {
    Phase.ZERO_GRAD: "optimizer.zero_grad()",
    Phase.FORWARD: "y_hat = model(x)",
    Phase.LOSS: "loss = criterion(y_hat, y)",
    Phase.BACKWARD: "loss.backward()",
    Phase.UPDATE: "optimizer.step()",
}


def order_problems(order: Sequence[Phase]) -> list[str]:
    """What is wrong with an order of the five phases, one sentence each; empty when it is legal."""
    problems = [f"{phase} stands twice" for phase in Phase if order.count(phase) > 1]
    problems += [f"{phase} is missing" for phase in Phase if phase not in order]
    if problems:  # without every phase just once there are no places to compare
        return problems
    place = {phase: i for i, phase in enumerate(order)}
    chain = (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD, Phase.UPDATE)
    for first, second in pairwise(chain):
        if place[first] > place[second]:
            problems.append(f"{second} stands before {first}, whose result it needs")
    if place[Phase.BACKWARD] < place[Phase.ZERO_GRAD] < place[Phase.UPDATE]:
        problems.append(
            "zero_grad stands between backward and update and would erase the gradients "
            "before they are used"
        )
    return problems


def skip_problems(skip: Sequence[Phase]) -> list[str]:
    """What is wrong with leaving out these phases, one sentence each; empty when the rest runs."""
    return [
        f"{phase} needs {need}, which is skipped: skip {phase} too"
        for phase in Phase
        if phase not in skip
        for need in NEEDS[phase]
        if need in skip
    ]
