"""Modules: where in the model an op runs, and the regions that the tracer stays out of."""

from __future__ import annotations

import functools
import sys
import weakref
from types import FrameType

from gradstep_tracer.functions import raised_facts
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.names import Names, version_of
from gradstep_tracer.reading import Reading
from gradstep_tracer.tracing import Body, Tracing, stripped


class Region:
    """What a call of a module has begun."""

    __slots__ = ("entered", "kind", "path", "read", "window")

    def __init__(self) -> None:
        self.entered = False  # its path is on the list
        self.window = ""  # "quiet": the mode is off; "compiled" and "leaf": it is one op
        self.path = ""
        self.kind = ""
        self.read: tuple = ((), ())  # of one that is an op: what it reads, before it overwrites it


class Modules:
    """What happens around each call of a module."""

    def __init__(self, tracing: Tracing, names: Names, reading: Reading, hiding: Hiding) -> None:
        self.tracing = tracing
        self.names = names
        self.reading = reading
        self.hiding = hiding
        self.root_exit = 0  # how many events there were when the last model returned
        self.by_module = tracing.plan.depth == "module"
        tracing.forget.append(self.tidy)

    def tidy(self) -> None:
        """A new pass begins."""
        self.root_exit = 0

    def begin(self, module, args: tuple, kwargs: dict, frame: FrameType) -> Region:
        """A module is called."""
        region = Region()
        tracing = self.tracing
        here = tracing.here
        compiled = (
            type(module).__name__ == "OptimizedModule"
            or getattr(module, "_compiled_call_impl", None) is not None
        )
        if compiled:
            region.window = "compiled"
        if not tracing.torch.is_grad_enabled() and not compiled:
            # Nothing is told of a pass without gradients.
            region.window = "quiet"
            return region
        if here.off or here.backward or tracing.transforms() is not None:
            region.window = region.window and "quiet"
            return region
        with Body(tracing):
            if not here.modules and module.training and tracing.recorder.iteration == 0:
                tracing.turn(frame)
            region.path = self.names.path(module, frame)
            region.kind = type(module).__name__
            if compiled and hasattr(module, "_orig_mod"):
                region.kind = type(module._orig_mod).__name__
            if not here.modules:
                self.call(module, args, kwargs, frame)
            if self.by_module and not region.window and not module._modules:
                region.window = "leaf"
            here.modules.append(region.path)
            region.entered = True
            if region.window:
                tracing.turn(frame)
                tensors = self.reading.tensors(args, kwargs) + list(module.parameters())
                region.read = self.reading.of(tensors, region.kind, frame)
        return region

    def call(self, module, args: tuple, kwargs: dict, frame: FrameType) -> None:
        """A model is called: what it is called with are inputs, by their names."""
        names = self.names
        kind = self.tracing.torch.Tensor
        code = getattr(getattr(type(module), "forward", None), "__code__", None)
        words = code.co_varnames[1 : code.co_argcount] if code is not None else ()
        outside = self.tracing.places.outside(frame)
        site = (id(outside.f_code), outside.f_lasti) if outside is not None else None
        for place, one in [*enumerate(args), *kwargs.items()]:
            if not isinstance(one, kind) or one.grad_fn is not None or names.is_parameter(one):
                continue
            name = names.sites.get((site, place))
            if name is None:
                found = names.variable(one, outside)
                word = place if isinstance(place, str) else "input"
                if isinstance(place, int) and place < len(words):
                    word = words[place]
                name = names.sites[site, place] = found or word
            names.arguments[id(one)] = (weakref.ref(one), name)

    def end(self, module, args, kwargs, out, problem, region: Region, frame: FrameType) -> None:
        """A module has returned, or not."""
        here = self.tracing.here
        if region.entered:
            here.modules.pop()
        if self.tracing.over or not region.entered:
            return
        if problem is not None:
            if region.window and here.raised != id(problem) and isinstance(problem, Exception):
                self.whole(None, region, frame, problem)
            return
        if region.window in ("compiled", "leaf"):
            self.whole(out, region, frame, None)
        if not here.modules and next(module.parameters(), None) is not None:
            self.root_exit = len(self.tracing.recorder.story)

    def whole(self, out, region, frame, problem) -> None:
        """A module that is one op: what it reads, and its results."""
        tracing, reading, names = self.tracing, self.reading, self.names
        kind = tracing.torch.Tensor
        reads, views = region.read
        place = tracing.places.of(tracing.places.users(frame))
        if problem is not None:
            recorder = tracing.recorder
            name = recorder.unique("forward", region.path or region.kind)
            op = recorder.op("forward", name, region.kind, place, reads, (), region.path, views)
            recorder.told(op, (), raised_facts(problem))
            here = tracing.here
            here.raised = id(problem)
            return
        outs = [one for one in results(out, kind) if one.grad_fn is not None]
        known = [(one, names.lookup(one)) for one in outs]
        outs = [one for one, held in known if held is None or held.version != version_of(one)]
        if outs:
            reading.made(region.kind, region.path or None, outs, reads, views, place, {})


def results(out: object, kind: type) -> list:
    """The tensors that a module returned."""
    if isinstance(out, kind):
        return [out]
    if isinstance(out, dict):
        out = list(out.values())
    return [one for one in out if isinstance(one, kind)] if isinstance(out, (list, tuple)) else []


def install(tracing: Tracing, modules: Modules) -> None:
    """Be there at each call of a module. The hooks of modules are not used: with any of them,
    modules are called in another way, which tracebacks and torch.compile would show."""
    kind = tracing.torch.nn.Module
    original = kind.__call__
    compiling = getattr(getattr(tracing.torch, "compiler", None), "is_compiling", lambda: False)
    hiding = modules.hiding
    getframe = sys._getframe

    @functools.wraps(original)
    def __call__(self, *args, **kwargs):  # noqa: N807
        if compiling() or tracing.over:
            return original(self, *args, **kwargs)
        try:
            region = modules.begin(self, args, kwargs, getframe(1))
        except Exception as problem:
            tracing.fault(problem)
            return original(self, *args, **kwargs)
        out, raised = None, None
        away = hiding.away(region.window == "compiled") if region.window else None
        try:
            out = original(self, *args, **kwargs)
            return out
        except BaseException as problem:
            raised = problem
            stripped(problem, own, 0)
            raise
        finally:
            if away is not None:
                hiding.back(away)
            if region.entered:
                with Body(tracing):
                    modules.end(self, args, kwargs, out, raised, region, getframe(1))
            raised = None

    # Who counts frames for a warning passes over this one, as over those of importlib.
    __call__.__code__ = __call__.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    own = {__call__.__code__}
    kind.__call__ = __call__
    hiding.calls = (kind, original, __call__)
