"""Writes in place: of results, parameters, their gradients and buffers, whoever makes them."""

from __future__ import annotations

import weakref
from types import FrameType

from gradstep_tracer.names import Names
from gradstep_tracer.reading import Reading
from gradstep_tracer.tracing import Tracing

ZEROS = ("zero", "fill", "_foreach_zero")


class Writes:
    """Tells of writes in place."""

    def __init__(self, tracing: Tracing, names: Names, reading: Reading) -> None:
        self.tracing = tracing
        self.names = names
        self.reading = reading
        self.recorder = tracing.recorder
        # Gradients: by their id, a reference to it and one to the parameter; by address, the id.
        self.gradients: dict[int, tuple] = {}
        self.addresses: dict[int, int] = {}

    def note_gradient(self, parameter) -> None:
        """A parameter has this gradient now."""
        gradient = parameter.grad
        if gradient is None:
            return
        held = self.gradients.get(id(gradient))
        if held is None or held[0]() is not gradient:
            self.gradients[id(gradient)] = (weakref.ref(gradient), weakref.ref(parameter))
            if self.tracing.reader.readable(gradient) and gradient.numel():
                self.addresses[gradient.data_ptr()] = id(parameter)

    # -- what it is

    def target(self, rule, args: tuple, kwargs: dict | None):
        """The tensor that a call writes, None for none or a list."""
        out = kwargs.get("out") if kwargs else None
        one = out if out is not None else args[0] if args else None
        return one if isinstance(one, self.tracing.torch.Tensor) else None

    def is_result(self, tensor) -> bool:
        """Whether it is a result of the forward pass, or a view of one."""
        if tensor.grad_fn is not None:
            return True
        base = tensor._base if tensor._is_view() else tensor
        known = self.names.lookup(base)
        if known is None:
            return False
        return self.recorder.defined[known.number][2] == "activation"

    def parameter(self, tensor):
        """The parameter or buffer that this is, or the data of."""
        names = self.names
        if names.is_parameter(tensor):
            return tensor
        base = tensor._base if tensor._is_view() else None
        if base is not None and names.is_parameter(base):
            return base
        if not self.tracing.reader.readable(tensor) or not tensor.numel():
            return None
        held = names.labels.get(names.pointers.get(tensor.data_ptr(), 0))
        found = held[0]() if held is not None else None
        if found is not None and found.data_ptr() == tensor.data_ptr():
            return found
        return None

    def owner(self, tensor):
        """The parameter whose gradient this is, or the data of."""
        held = self.gradients.get(id(tensor))
        if held is not None and held[0]() is tensor:
            found = held[1]()
            return found if found is not None and found.grad is tensor else None
        if not self.tracing.reader.readable(tensor) or not tensor.numel():
            return None
        label = self.names.labels.get(self.addresses.get(tensor.data_ptr(), 0))
        found = label[0]() if label is not None else None
        # An address is used again: it must be the gradient's now.
        if (
            found is not None
            and found.grad is not None
            and found.grad.data_ptr() == tensor.data_ptr()
        ):
            return found
        return None

    # -- what happened

    def done(self, rule, args, kwargs, out, frame: FrameType, read, start: int) -> None:
        """A call that writes in place has returned."""
        if rule.prop is not None:
            self.assigned(rule, args, frame)
            return
        target = self.target(rule, args, kwargs)
        if target is None:
            if args and isinstance(args[0], (list, tuple)):
                self.many(rule, list(args[0]), frame)
            return
        if read is not None:
            self.result(rule, target, frame, read, start)
            return
        if self.tracing.here.stepping and not self.tracing.here.grad:
            return
        owner = self.owner(target)
        if owner is not None:
            self.gradient(rule.kind, [owner], frame)
            return
        parameter = self.parameter(target)
        if parameter is not None:
            self.state(rule.kind, parameter, args, kwargs, frame)

    def many(self, rule, tensors: list, frame: FrameType) -> None:
        """A function that writes a list of tensors."""
        if self.tracing.here.stepping:
            return
        kind = self.tracing.torch.Tensor
        tensors = [one for one in tensors if isinstance(one, kind)]
        owners = [one for one in map(self.owner, tensors) if one is not None]
        if owners:
            self.gradient(rule.kind, owners, frame)
            return
        for one in tensors:
            parameter = self.parameter(one)
            if parameter is not None:
                self.state(rule.kind, parameter, (one,), None, frame)

    def result(self, rule, target, frame: FrameType, read, start: int) -> None:
        """A result was overwritten: what is there now has a name of its own."""
        modules = self.tracing.here.modules
        whole = target._base if target._is_view() else target
        place = self.tracing.places.of(self.tracing.places.users(frame))
        reads, views = read
        module = modules[-1] if modules else None
        self.reading.made(rule.kind, module, [whole], reads, views, place, {}, None, start)
        if whole is not target:
            number = self.names.lookup(whole).number
            self.names.remember(target, number, "view")

    def assigned(self, rule, args, frame: FrameType) -> None:
        """``p.grad = …`` or ``p.data = …``."""
        parameter = args[0]
        if self.tracing.here.stepping or not self.names.is_parameter(parameter):
            return
        if rule.prop == "grad":
            self.gradient("grad =", [parameter], frame)
        elif rule.prop == "data" and self.names.moved(parameter):
            self.state("data =", parameter, (parameter,), None, frame)

    def gradient(self, kind: str, owners: list, frame: FrameType) -> None:
        """Gradients were written, or taken away."""
        tracing, names, recorder = self.tracing, self.names, self.recorder
        gone = all(one.grad is None for one in owners)
        phase = "zero_grad" if gone or kind in ZEROS else "update"
        if phase == "zero_grad":
            tracing.turn(frame)
        place = tracing.places.of(tracing.places.users(frame))
        writes = tuple(names.gradient(one, one.grad, frame) for one in owners)
        reads = () if phase == "zero_grad" else writes
        base = recorder.name(writes[0]) if len(writes) == 1 else kind
        name = recorder.unique(phase, base if phase == "zero_grad" else "%s.%s" % (base, kind))
        op = recorder.op(phase, name, kind, place, reads, writes)
        recorder.told(op, [one.grad for one in owners])
        self.remember(owners, writes)

    def remember(self, owners: list, numbers: tuple) -> None:
        """The gradients of these parameters were told as they are."""
        for one, number in zip(owners, numbers):
            if one.grad is not None:
                self.note_gradient(one)
                self.names.remember(one.grad, number)

    def state(self, kind: str, parameter, args, kwargs, frame: FrameType) -> None:
        """A parameter or a buffer was written."""
        tracing, names, recorder = self.tracing, self.names, self.recorder
        held = names.buffers.get(id(parameter))
        buffer = held is not None and held() is parameter
        if buffer and not tracing.here.modules:
            return  # an initialization, or a copy
        if buffer:
            tracing.turn(frame)
        name, module = names.leaf(parameter, frame)
        role = "buffer" if buffer else "parameter"
        number = recorder.tensor(parameter, name, role, module, leaf=not buffer)
        if names.lookup(parameter) is None and not recorder.story and not recorder.iteration:
            return  # before training begins
        phase = "forward" if buffer else "update"
        others = [
            one
            for one in self.reading.tensors(args[1:], kwargs)
            if names.lookup(one) is not None or self.owner(one) is not None
        ]
        reads, views = self.reading.of(others, kind, frame)
        op = recorder.op(
            phase,
            recorder.unique(phase, "%s.%s" % (name, kind)),
            kind,
            tracing.places.of(tracing.places.users(frame)),
            (number, *reads),
            (number,),
            module,
            ("", *views) if views else (),
        )
        recorder.told(op, [parameter])
        names.remember(parameter, number)
        if not buffer:
            tracing.passes.step(frame)
