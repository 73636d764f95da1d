"""Optimizers: their steps, parameter by parameter, and gradients that are cleared."""

from __future__ import annotations

import sys
from types import FrameType

from gradstep_tracer.backward import Backward
from gradstep_tracer.channel import as_json
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.names import Names, version_of
from gradstep_tracer.recorder import MOST_LINKS
from gradstep_tracer.schedulers import stepped_first
from gradstep_tracer.tracing import Body, Tracing
from gradstep_tracer.writes import Writes


class Optimizers:
    """What happens around steps and zero_grad."""

    def __init__(self, tracing: Tracing, names: Names, writes: Writes, backward: Backward) -> None:
        self.tracing = tracing
        self.names = names
        self.writes = writes
        self.backward = backward
        self.recorder = tracing.recorder
        self.facts: dict = {}
        self.steps = 0  # how many there were, skipped ones not counted
        self.begun: set = set()  # ids of optimizers that have stepped

    @staticmethod
    def parameters(optimizer) -> list:
        """Each parameter with its group."""
        return [(group, one) for group in optimizer.param_groups for one in group["params"]]

    def fallback(self, optimizer, place: int, frame: FrameType) -> str:
        """The name of a parameter that no module and no variable has."""
        return "%s.param%d" % (self.names.optimizer(optimizer, frame), place)

    def before(self, optimizer, frame: FrameType) -> None:
        """A step begins: what was done to the gradients since backward, by whomever?"""
        changed = []
        for _, one in self.parameters(optimizer):
            left = self.backward.left.get(id(one))
            gradient = one.grad
            if left is None or gradient is None or left[0]() is not one:
                continue
            known = self.names.lookup(gradient)
            if known is None or known.version != version_of(gradient):
                changed.append(one)
        if changed:
            recorder = self.recorder
            writes = tuple(self.names.gradient(one, one.grad, frame) for one in changed)
            name = recorder.unique("update", "changed between backward and step")
            place = self.tracing.places.of(self.tracing.places.users(frame))
            op = recorder.op("update", name, "changed", place, writes, writes)
            recorder.told(op, [one.grad for one in changed])
            self.writes.remember(changed, writes)

    def after(self, optimizer, frame: FrameType) -> None:
        """A step is over."""
        tracing, names, recorder = self.tracing, self.names, self.recorder
        self.steps += 1
        place = tracing.places.of(tracing.places.users(frame))
        kind = type(optimizer).__name__ + ".step"
        late = id(optimizer) not in self.begun and stepped_first(optimizer)
        self.begun.add(id(optimizer))
        for index, (group, one) in enumerate(self.parameters(optimizer)):
            if one.grad is None:
                continue
            name, module = names.leaf(one, frame, self.fallback(optimizer, index, frame))
            number = recorder.tensor(one, name, "parameter", module, leaf=True)
            gradient = names.gradient(one, one.grad, frame)
            if names.lookup(one.grad) is None:  # nobody saw a backward
                names.give(one.grad, gradient)
            slots, values = [], []
            for key, value in optimizer.state.get(one, {}).items():
                if isinstance(value, tracing.torch.Tensor):
                    slots.append(
                        recorder.tensor(value, "%s.%s" % (name, key), "slot", module, slot_of=name)
                    )
                    values.append(value)
            writes = (number, *slots)
            op = recorder.op(
                "update",
                recorder.unique("update", name),
                kind,
                place,
                (number, gradient, *slots),
                writes,
                module,
            )
            facts = self.hyper(group)
            if tracing.plan.values == "light":
                norm = tracing.torch.linalg.vector_norm(one.grad).item()
                facts = b'%s,"gradient_norm":%s}' % (facts[:-1], as_json(norm))
            if late:
                late, facts = False, b'%s,"scheduler_first":true}' % facts[:-1]
            recorder.told(op, [one, *values], facts)
            names.remember(one, number)
        tracing.passes.step(frame)

    def hyper(self, group: dict) -> bytes:
        """The numbers of a group, lr among them, as facts; what is switched off is left out."""
        found = {}
        for key, value in group.items():
            if key == "params" or value is None or value is False:
                continue
            if isinstance(value, self.tracing.torch.Tensor):
                found[key] = value.item() if value.numel() == 1 else None
            elif type(value) in (bool, int, float, str):
                found[key] = value
            elif type(value) in (tuple, list):
                found[key] = [one for one in value if type(one) in (bool, int, float)]
        key = repr(found)
        facts = self.facts.get(key)
        if facts is None:
            if len(self.facts) > 1000:
                self.facts.clear()
            facts = self.facts[key] = as_json(found)
        return facts

    def cleared(self, kind: str, parameters: list, module: str | None, frame: FrameType) -> None:
        """Gradients were cleared: to zeros, or away."""
        tracing, names, recorder = self.tracing, self.names, self.recorder
        parameters = [one for one in parameters if one.requires_grad][:MOST_LINKS]
        if not parameters:
            return
        tracing.turn(frame)
        place = tracing.places.of(tracing.places.users(frame))
        writes = tuple(names.gradient(one, one.grad, frame) for one in parameters)
        gone = all(one.grad is None for one in parameters)
        op = recorder.op(
            "zero_grad",
            recorder.unique("zero_grad", kind),
            "zero_grad",
            place,
            (),
            writes,
            module,
            attributes=lambda: {"set_to_none": gone},
        )
        recorder.told(op, [one.grad for one in parameters])
        self.writes.remember(parameters, writes)

    def changed(self, kind: str, parameters: list, facts: dict, frame: FrameType) -> None:
        """Gradients were clipped or unscaled."""
        parameters = [one for one in parameters if one.grad is not None][:MOST_LINKS]
        if not parameters:
            return
        recorder = self.recorder
        writes = tuple(self.names.gradient(one, one.grad, frame) for one in parameters)
        place = self.tracing.places.of(self.tracing.places.users(frame))
        op = recorder.op("update", recorder.unique("update", kind), kind, place, writes, writes)
        recorder.told(op, [one.grad for one in parameters], as_json(facts) if facts else b"")
        self.writes.remember(parameters, writes)

    def skipped(self, optimizer, facts: dict, frame: FrameType) -> None:
        """A GradScaler has left out a step."""
        recorder = self.recorder
        name = self.names.optimizer(optimizer, frame)
        place = self.tracing.places.of(self.tracing.places.users(frame))
        op = recorder.op(
            "update", recorder.unique("update", name + ".step skipped"), "step skipped", place
        )
        recorder.told(op, (), as_json(facts))
        self.tracing.passes.step(frame)


def in_step(frame: FrameType | None) -> bool:
    """Whether an optimizer's step is among the callers."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "wrapper" and code.co_filename.endswith("optimizer.py"):
            return True
        frame = frame.f_back
    return False


def recovered(tracing: Tracing, hiding: Hiding, frame: FrameType | None) -> None:
    """After a step that raised: it is no longer under way."""
    if tracing.here.stepping and not in_step(frame):
        tracing.here.stepping = 0
        hiding.again()


def listening(tracing: Tracing) -> bool:
    """Whether calls of this thread are told of."""
    here = tracing.here
    return not (tracing.over or here.off or here.backward)


def install(tracing: Tracing, optimizers: Optimizers, hiding: Hiding) -> None:
    """Be there at each step."""
    module = sys.modules["torch.optim.optimizer"]
    here = tracing.here
    getframe = sys._getframe

    compiling = getattr(getattr(tracing.torch, "compiler", None), "is_compiling", lambda: False)

    def before(optimizer, args, kwargs):
        if compiling():
            return
        recovered(tracing, hiding, getframe(1).f_back)
        if listening(tracing):
            with Body(tracing):
                optimizers.before(optimizer, getframe(1))
        here.stepping += 1
        if len(args) < 2 and not kwargs:  # no closure, in which the model would be called
            hiding.aside()

    def after(optimizer, args, kwargs):
        if compiling():
            return
        hiding.again()
        here.stepping = max(0, here.stepping - 1)
        if listening(tracing):
            with Body(tracing):
                optimizers.after(optimizer, getframe(1))

    module.register_optimizer_step_pre_hook(before)
    module.register_optimizer_step_post_hook(after)
