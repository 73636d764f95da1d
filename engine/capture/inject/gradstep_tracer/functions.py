"""Ops of the forward pass and the loss: one function mode, which nobody in Python finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType

from gradstep_tracer.arguments import attributes, described
from gradstep_tracer.channel import as_json, clipped
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.names import Names, version_of
from gradstep_tracer.reading import Reading
from gradstep_tracer.rules import Rule, Sites
from gradstep_tracer.tracing import Body, Tracing, stripped
from gradstep_tracer.writes import Writes

# What asks whether a mode is on below autograd, and computes otherwise if so.
OTHERWISE = frozenset(
    (
        *("scaled_dot_product_attention", "ctc_loss", "binary_cross_entropy_with_logits"),
        *("multi_head_attention_forward", "_native_multi_head_attention", "pinv", "matrix_exp"),
        *("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"),
    )
)


class Functions:
    """What happens around each function of torch."""

    def __init__(self, tracing: Tracing, names: Names, reading: Reading, writes: Writes) -> None:
        self.tracing = tracing
        self.names = names
        self.reading = reading
        self.writes = writes
        self.rules: dict = {}
        self.sites = Sites()
        torch = tracing.torch
        self.tensor = torch.Tensor
        self.grad_on = torch.is_grad_enabled
        counter = getattr(torch._C._autograd, "_get_sequence_nr", None)
        self.sequence = counter or (lambda: 0)
        self.transforms = tracing.transforms
        self.scaler: CodeType | None = None  # of GradScaler.scale
        self.aten = tracing.plan.depth == "aten"  # then ops are told from below autograd

    def rule(self, func: object) -> Rule:
        """The rule of a function."""
        found = self.rules[func] = Rule(func)
        return found

    def listening(self, rule: Rule) -> bool:
        """Whether something is to be told of a call, now."""
        here, tracing = self.tracing.here, self.tracing
        if here.off or here.backward or tracing.over or self.transforms() is not None:
            return False
        return self.grad_on() or (rule.places and not here.stepping)

    def asks(self, rule: Rule, args: tuple, kwargs: dict | None) -> bool:
        """Whether something must be known before a call: what it overwrites, buffers."""
        if rule.places or (kwargs and kwargs.get("out") is not None):
            return True
        held = self.names.buffers
        if not held or not self.tracing.here.modules:
            return False
        return any(id(one) in held for one in args)

    def before(self, rule: Rule, args: tuple, kwargs: dict | None, frame: FrameType) -> tuple:
        """What must be known before the call: the sequence number, reads of what is overwritten,
        and the versions of buffers."""
        tracing = self.tracing
        buffers: list = []
        read = None
        if rule.places or (kwargs and kwargs.get("out") is not None):
            target = self.writes.target(rule, args, kwargs)
            if target is not None and tracing.here.grad and self.writes.is_result(target):
                tracing.turn(frame)
                read = self.reading.of(self.reading.tensors(args, kwargs), rule.kind, frame)
        elif tracing.here.modules and self.names.buffers:
            held = self.names.buffers
            buffers = [
                (one, version_of(one)) for one in args if id(one) in held and held[id(one)]() is one
            ]
            if buffers:
                tracing.turn(frame)
                read = self.reading.of(self.reading.tensors(args, kwargs), rule.kind, frame)
        return self.sequence(), read, buffers

    def after(self, rule, args, kwargs, out, frame, begun) -> None:
        """The call has returned: tell of it if it is an op."""
        start, read, buffers = begun
        if rule.places or (kwargs and kwargs.get("out") is not None):
            self.writes.done(rule, args, kwargs, out, frame, read, start)
            return
        here = self.tracing.here
        if isinstance(out, self.tensor):
            outs = [out]
        elif isinstance(out, (tuple, list)):
            outs = [one for one in out if isinstance(one, self.tensor)]
        else:
            return
        if rule.prop == "data" or rule.name == "detach":
            known = self.names.lookup(args[0])
            if known is not None:
                self.names.remember(out, known.number, known.views)
            return
        if rule.prop == "grad":
            return
        inside = bool(here.modules)
        outs = [
            one
            for one in outs
            if one.requires_grad
            or (inside and (one.is_floating_point() or one.is_complex()) and one.numel())
        ]
        if not outs:
            return
        tensors = self.reading.tensors(args, kwargs)
        if not tensors or any(one is outs[0] for one in tensors):
            return
        self.tracing.turn(frame)
        if self.is_view(outs, tensors[0]):
            self.view(rule, args, kwargs, outs, tensors[0], frame, start)
            return
        if not any(one.requires_grad for one in outs) and not self.known_any(tensors):
            return
        self.op(rule, args, kwargs, outs, tensors, frame, start, read, buffers)

    def known_any(self, tensors: list) -> bool:
        """Whether any of these is a parameter or was told of: without, it is no part of a model."""
        return any(
            self.names.is_parameter(one)
            or self.names.lookup(one) is not None
            or id(one) in self.names.arguments
            for one in tensors
        )

    def is_view(self, outs: list, source) -> bool:
        """Whether all results are views of a tensor."""
        base = source._base if source._is_view() else source
        return all(one._is_view() and one._base is base for one in outs)

    def view(self, rule, args, kwargs, outs, source, frame, start) -> None:
        """Views are no ops: what reads them says how."""
        self.reading.of([source], rule.kind, frame)
        known = self.names.lookup(source)
        text = described(rule, args, kwargs, self.tensor)
        for index, one in enumerate(outs):
            own = text if len(outs) == 1 else "%s[%d]" % (text, index)
            self.reading.viewed(one, known, own, start)

    def op(self, rule, args, kwargs, outs, tensors, frame, start, read, buffers) -> None:
        """An op has run."""
        reading = self.reading
        if self.aten:
            known = [(one, self.names.lookup(one)) for one in outs]
            if all(held is not None and held.version == version_of(one) for one, held in known):
                return
        reads, views = read or reading.of(tensors, rule.kind, frame)
        more = {
            self.names.parameter(one, frame): one
            for one, version in buffers
            if rule.name == "batch_norm" or version_of(one) != version
        }
        modules = self.tracing.here.modules
        place = self.tracing.places.of(self.tracing.places.users(frame))
        numbers = reading.made(
            rule.kind,
            modules[-1] if modules else None,
            outs,
            reads,
            views,
            place,
            more,
            lambda: attributes(self.tracing.torch, rule, args, kwargs),
            start,
        )
        if frame.f_code is self.scaler and reads:
            self.tracing.recorder.scaled[numbers[0].number] = reads[0]

    def raised(self, rule, args, kwargs, problem: BaseException, frame: FrameType) -> None:
        """An op did not end."""
        if not self.tracing.here.grad or rule.prop is not None:
            return
        tensors = self.reading.tensors(args, kwargs)
        if not self.known_any(tensors):
            return
        tracing = self.tracing
        tracing.turn(frame)
        reads, views = self.reading.of(tensors, rule.kind, frame)
        modules = tracing.here.modules
        module = modules[-1] if modules else None
        recorder = tracing.recorder
        base = "%s.%s" % (module, rule.kind) if module else rule.kind
        op = recorder.op(
            "forward",
            recorder.unique("forward", base),
            rule.kind,
            tracing.places.of(tracing.places.users(frame)),
            reads,
            (),
            module,
            views,
            attributes=lambda: attributes(tracing.torch, rule, args, kwargs),
        )
        recorder.told(op, (), raised_facts(problem))
        tracing.here.raised = id(problem)  # itself would keep its frames alive


def raised_facts(problem: BaseException) -> bytes:
    """What an op raised, as facts."""
    return as_json({"raised": type(problem).__name__, "text": clipped(str(problem))})


def apart_from(tracing: Tracing, hiding: Hiding) -> Callable:
    """Calls a function while the mode below autograd is on: of one that writes in place it is not
    to tell, and in one that would compute otherwise it is not."""
    here = tracing.here

    def apart(rule, call, func, args, kwargs):
        places = rule.places or kwargs.get("out") is not None
        away = hiding.away(False) if rule.name in OTHERWISE else None
        here.placing += places
        try:
            return call(func, args, kwargs)
        finally:
            here.placing -= places
            if away is not None:
                hiding.back(away)

    return apart


def listener(tracing: Tracing, functions: Functions, mode_type: type, hiding: Hiding) -> object:
    """The function mode."""
    rules, sites, here = functions.rules, functions.sites, tracing.here
    getframe, sequence = sys._getframe, functions.sequence

    def __torch_function__(self, func, types, args=(), kwargs=None):  # noqa: N807
        rule = rules.get(func)
        if rule is None:
            rule = functions.rule(func)
        if rule.quiet:
            try:
                return func(*args, **kwargs) if kwargs else func(*args)
            except BaseException as problem:
                stripped(problem, own, 0)
                raise
        frame = getframe(1)
        call = sites.at(frame)
        active = functions.listening(rule)
        begun = None
        if active:
            if functions.asks(rule, args, kwargs):
                with Body(tracing):
                    begun = functions.before(rule, args, kwargs, frame)
            else:
                begun = (sequence(), None, ())
        try:
            if apart is None:
                out = call(func, args, kwargs or {})
            else:
                out = apart(rule, call, func, args, kwargs or {})
        except BaseException as problem:
            if begun is not None and isinstance(problem, Exception) and here.raised != id(problem):
                with Body(tracing):
                    functions.raised(rule, args, kwargs, problem, frame)
            stripped(problem, own, 1)
            raise
        if begun is not None:
            with Body(tracing):
                if not tracing.over:
                    functions.after(rule, args, kwargs, out, frame, begun)
        return out

    apart = apart_from(tracing, hiding) if functions.aten else None
    own = {__torch_function__.__code__}
    if apart is not None:
        own.add(apart.__code__)
    made = type("Listening", (mode_type,), {"__torch_function__": __torch_function__})
    return made()
