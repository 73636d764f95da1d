"""Ops of the forward pass and the loss: one function mode, which nobody in Python finds."""

from __future__ import annotations

import sys
from types import CodeType, FrameType, FunctionType, ModuleType

from gradstep_tracer.names import Names, version_of
from gradstep_tracer.reading import Reading
from gradstep_tracer.recorder import UNTOLD
from gradstep_tracer.tracing import Body, Tracing, stripped
from gradstep_tracer.writes import Writes

# Tensors' properties that are tensors; all others are quiet.
PROPERTIES = frozenset(("T", "mT", "H", "mH", "real", "imag", "data", "grad"))
# Neither results nor warnings come from these.
QUIET = frozenset(
    [
        "size",
        "dim",
        "numel",
        "nelement",
        "stride",
        "is_contiguous",
        "is_floating_point",
        "is_complex",
        "element_size",
        "storage_offset",
        "data_ptr",
        "item",
        "tolist",
        "__len__",
        "__bool__",
        "__hash__",
        "__format__",
        "__repr__",
        "__str__",
        "__float__",
        "__int__",
        "__index__",
        "__contains__",
        "get_device",
        "requires_grad_",
        "retain_grad",
        "register_hook",
        "register_post_accumulate_grad_hook",
        "backward",
        "is_conj",
        "is_neg",
        "is_inference",
        "untyped_storage",
        "__reduce_ex__",
        "__deepcopy__",
        "__dlpack__",
        "__array__",
        "numpy",
        "cpu_",
        "has_names",
        "is_same_size",
        "allclose",
        "equal",
        "is_shared",
        "share_memory_",
        "__dir__",
        "__delete__",
    ]
)
SAME_OP = {"nll_loss_nd": "nll_loss", "cross_entropy_loss": "cross_entropy"}
MOST_SITES = 50_000


class Rule:
    """What is known of a function from its name alone."""

    __slots__ = ("kind", "name", "places", "prop", "quiet")

    def __init__(self, func: object) -> None:
        self.name = name = getattr(func, "__name__", "op")
        self.prop = None
        if name in ("__get__", "__set__"):
            self.prop = getattr(getattr(func, "__self__", None), "__name__", "")
        self.quiet = name in QUIET or (
            self.prop is not None
            and (self.prop not in PROPERTIES if name == "__get__" else self.prop == "requires_grad")
        )
        self.places = name in ("__setitem__", "__set__") or (
            name.endswith("_") and not name.endswith("__")
        )
        if name.startswith("__i") and name.endswith("__") and name not in ("__invert__",):
            self.places = True
        kind = self.prop if self.prop is not None else name.strip("_")
        kind = kind[1:] if name.startswith("__i") and self.places and name != "__ior__" else kind
        self.kind = SAME_OP.get(kind, kind)


def template(func, args, kwargs):
    return func(*args, **kwargs)


class Sites:
    """A function for each place that calls torch, with that place's file and line.

    PyTorch's warnings name the Python frame that called it, and are shown once for each: that must
    be the script's frame, and not one of ours.
    """

    def __init__(self) -> None:
        self.made: dict[tuple, tuple] = {}

    def at(self, frame: FrameType) -> FunctionType:
        """The one for where a frame stands."""
        code = frame.f_code
        key = (id(code), frame.f_lasti)
        found = self.made.get(key)
        if found is None:
            if len(self.made) > MOST_SITES:
                self.made.clear()
            line = max(1, (frame.f_lineno or 1) - 1)
            same = template.__code__.replace(
                co_filename=code.co_filename, co_name=code.co_name, co_firstlineno=line
            )
            found = self.made[key] = (FunctionType(same, frame.f_globals), code)
        return found[0]


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
        functorch = getattr(torch._C, "_functorch", None)
        self.transforms = getattr(functorch, "peek_interpreter_stack", lambda: None)

    def rule(self, func: object) -> Rule:
        """The rule of a function."""
        found = self.rules[func] = Rule(func)
        return found

    def listening(self, rule: Rule) -> bool:
        """Whether something is to be told of a call, now."""
        here, tracing = self.tracing.here, self.tracing
        if here.off or here.backward or tracing.over:
            return False
        return self.grad_on() or (rule.places and not here.stepping)

    def asks(self, rule: Rule, args: tuple, kwargs: dict | None) -> bool:
        """Whether something must be known before a call: what it overwrites, buffers."""
        if rule.places or (kwargs and kwargs.get("out") is not None):
            return True
        held = self.names.buffers
        if not held or not self.tracing.here.modules:
            return False
        for one in args:
            if id(one) in held:
                return True
        return False

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
        if self.transforms() is not None:
            return
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
        numbers, _ = self.reading.of([source], rule.kind, frame)
        known = self.names.lookup(source)
        text = described(rule, args, kwargs, self.tensor)
        for index, one in enumerate(outs):
            own = text if len(outs) == 1 else "%s[%d]" % (text, index)
            self.reading.viewed(one, known, own, start)

    def op(self, rule, args, kwargs, outs, tensors, frame, start, read, buffers) -> None:
        """An op has run."""
        reading = self.reading
        reads, views = read or reading.of(tensors, rule.kind, frame)
        more = {
            self.names.parameter(one, frame): one
            for one, version in buffers
            if rule.name == "batch_norm" or version_of(one) != version
        }
        modules = self.tracing.here.modules
        place = self.tracing.places.of(self.tracing.places.outside(frame))
        reading.made(
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

    def raised(self, rule, args, kwargs, problem: BaseException, frame: FrameType) -> None:
        """An op did not end."""
        if not self.tracing.here.grad or rule.prop is not None or self.transforms() is not None:
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
            tracing.places.of(tracing.places.outside(frame)),
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
    from gradstep_tracer.channel import as_json, clipped

    return as_json({"raised": type(problem).__name__, "text": clipped(str(problem))})


def described(rule: Rule, args: tuple, kwargs: dict | None, tensor: type) -> str:
    """A view as text: ``view(4, 2)``, ``[:, 0]``."""
    if rule.name == "__getitem__":
        index = args[1] if type(args[1]) is tuple else (args[1],)
        return "[%s]" % (", ".join(index_text(one, tensor) for one in index),)
    if rule.prop is not None:
        return rule.kind
    words = [plain_text(one) for one in args[1:]]
    words += ["%s=%s" % (key, plain_text(one)) for key, one in (kwargs or {}).items()]
    return "%s(%s)" % (rule.kind, ", ".join(words))


def index_text(index: object, tensor: type) -> str:
    """A part of an index as text."""
    if isinstance(index, slice):
        ends = ["" if one is None else plain_text(one) for one in (index.start, index.stop)]
        step = "" if index.step is None else ":" + plain_text(index.step)
        return ":".join(ends) + step
    return "..." if index is Ellipsis else "tensor" if isinstance(index, tensor) else str(index)


def plain_text(value: object) -> str:
    """A number, a text or a sequence of them; the name of its type for anything else."""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_text(one) for one in value)
    return str(value) if isinstance(value, (int, float, str)) else type(value).__name__


def attributes(torch: ModuleType, rule: Rule, args: tuple, kwargs: dict | None) -> dict:
    """The arguments of a call that are no tensors, by name where PyTorch knows one."""
    with_names: list = []
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + rule.name):
        given = [one for one in schema.arguments if not one.kwarg_only]
        if len(given) >= len(args) and all(map(fits, args, given)):
            with_names = [one.name for one in given]
            break
    found = {}
    for place, value in enumerate(args):
        shown = plain_value(value)
        if shown is not UNTOLD:
            name = with_names[place] if place < len(with_names) else "argument%d" % place
            found[name] = shown
    for key, value in (kwargs or {}).items():
        shown = plain_value(value)
        if shown is not UNTOLD:
            found[key] = shown
    return found


def fits(value: object, argument) -> bool:
    """Whether a value can be this argument of a schema, by what is easily seen."""
    kind = str(argument.type)
    if isinstance(value, (list, tuple)):
        return "List" in kind
    if type(value) is bool:
        return "bool" in kind
    if type(value) in (int, float):
        return any(word in kind for word in ("int", "float", "number", "Scalar", "Tensor"))
    return ("str" in kind) if isinstance(value, str) else True


def plain_value(value: object) -> object:
    """A value as JSON has it, UNTOLD for what it has no form for."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple) or type(value).__name__ == "Size":
        parts = [plain_value(one) for one in value[:64]]
        return UNTOLD if any(one is UNTOLD for one in parts) else parts
    if type(value).__name__ == "dtype":
        return str(value)
    return UNTOLD


def listener(tracing: Tracing, functions: Functions, mode_type: type) -> tuple[object, CodeType]:
    """The function mode, and the code of its frame."""
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
            out = call(func, args, kwargs or {})
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

    own = {__torch_function__.__code__}
    made = type("Listening", (mode_type,), {"__torch_function__": __torch_function__})
    return made(), __torch_function__.__code__
