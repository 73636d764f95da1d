"""Functions that torch.compile has made: each call is one op, and nothing of us is in it.

Nor in what torch.jit.trace, torch.export and torch.onnx write down of the ops that they see.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from gradstep_tracer.hiding import Hiding
from gradstep_tracer.modules import results
from gradstep_tracer.reading import Reading
from gradstep_tracer.tracing import Body, Tracing, stripped

WRITTEN_DOWN = (
    ("torch.jit", "trace"),
    ("torch.jit", "trace_module"),
    ("torch.export", "export"),
    ("torch.onnx", "export"),
)


def install(tracing: Tracing, reading: Reading, hiding: Hiding) -> None:
    """Be there when something is compiled."""
    torch = tracing.torch
    original = getattr(torch, "compile", None)
    if original is None:
        return
    here = tracing.here
    getframe = sys._getframe

    def outside(made):
        """A compiled function, called with our mode off."""
        if isinstance(made, torch.nn.Module) or not callable(made):
            return made

        @functools.wraps(made)
        def call(*args, **kwargs):
            if tracing.over or here.off or here.backward:
                return made(*args, **kwargs)
            away = hiding.away(True)
            try:
                out = made(*args, **kwargs)
            except BaseException as problem:
                stripped(problem, own, 0)
                raise
            finally:
                hiding.back(away)
            if torch.is_grad_enabled():
                with Body(tracing):
                    told(made, args, kwargs, out, getframe(1))
            return out

        own = {call.__code__}
        return call

    def told(made, args, kwargs, out, frame) -> None:
        outs = [one for one in results(out, torch.Tensor) if one.grad_fn is not None]
        if not outs:
            return
        tracing.turn(frame)
        name = getattr(made, "__name__", "compiled")
        reads, views = reading.of(reading.tensors(args, kwargs), name, frame)
        place = tracing.places.of(tracing.places.users(frame))
        module = here.modules[-1] if here.modules else None
        reading.made(name, module, outs, reads, views, place, {})

    @functools.wraps(original)
    def compile(model=None, **kwargs):
        away = hiding.away(True)
        try:
            made = original(model, **kwargs)
        except BaseException as problem:
            stripped(problem, codes, 0)
            raise
        finally:
            hiding.back(away)
        if model is None:
            return lambda function: outside(made(function))
        return outside(made)

    codes = {compile.__code__}
    torch.compile = compile
    for path, name in WRITTEN_DOWN:
        module = sys.modules.get(path)
        function = getattr(module, name, None)
        if function is not None:
            setattr(module, name, alone(tracing, hiding, function))


def alone(tracing: Tracing, hiding: Hiding, original: Callable) -> Callable:
    """A function in which the tracer is not there."""
    here = tracing.here

    @functools.wraps(original)
    def call(*args, **kwargs):
        away = hiding.away(True)
        here.off += 1
        try:
            return original(*args, **kwargs)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            here.off -= 1
            hiding.back(away)

    own = {call.__code__}
    return call
