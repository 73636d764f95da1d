"""Schedulers of the learning rate: whether one was stepped before its optimizer ever was."""

from __future__ import annotations

import gc
import sys

MOST_OBJECTS = 3_000_000  # that are looked through, once for an optimizer


def stepped_first(optimizer) -> bool:
    """Whether a scheduler of an optimizer that steps for the first time was stepped before it.

    Nothing of a scheduler is replaced: torch's own warning names the caller of its step, and would
    name a wrapper. A scheduler counts its steps, the first of which it makes itself; those inside
    another one (SequentialLR) are stepped by that, and tell nothing. Of a run that goes on from a
    checkpoint the count is another one than 2.
    """
    if not any("initial_lr" in group for group in optimizer.param_groups):
        return False  # it has none
    module = sys.modules.get("torch.optim.lr_scheduler")
    kind = getattr(module, "LRScheduler", None)
    if kind is None:
        return False
    objects = gc.get_objects()
    if len(objects) > MOST_OBJECTS:
        return False
    found = [one for one in objects if issubclass(type(one), kind)]
    inside = {id(part) for one in found for part in vars(one).get("_schedulers", ())}
    return any(
        vars(one).get("optimizer") is optimizer
        and vars(one).get("_step_count") == 2
        and id(one) not in inside
        for one in found
    )
