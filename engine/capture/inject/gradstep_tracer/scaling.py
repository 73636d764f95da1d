"""Clipping of gradients, and GradScaler: unscaling, and steps that it leaves out."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType

from gradstep_tracer.optimizers import Optimizers, listening
from gradstep_tracer.tracing import Body, Tracing, stripped

CLIPPING = ("clip_grad_norm_", "clip_grad_value_")


def scale_of() -> CodeType | None:
    """The code of ``GradScaler.scale``, whose product is the loss made larger."""
    module = sys.modules.get("torch.amp.grad_scaler")
    return None if module is None else module.GradScaler.scale.__code__


def number(value: object) -> object:
    """A norm as a number, None where it is none."""
    try:
        return float(value)
    except Exception:
        return None


def install(tracing: Tracing, optimizers: Optimizers) -> None:
    """Be there at each of them."""
    install_clipping(tracing, optimizers)
    grad_scaler = sys.modules.get("torch.amp.grad_scaler")
    if grad_scaler is not None:
        install_scaler(tracing, optimizers, grad_scaler.GradScaler)


def install_clipping(tracing: Tracing, optimizers: Optimizers) -> None:
    """``torch.nn.utils.clip_grad_norm_`` and ``clip_grad_value_`` are one event."""
    utils = tracing.torch.nn.utils
    for name in CLIPPING:
        made = clipping(tracing, optimizers, name, getattr(utils, name))
        setattr(utils, name, made)
        setattr(utils.clip_grad, name, made)


def clipping(tracing: Tracing, optimizers: Optimizers, name: str, original: Callable) -> Callable:
    """A function that clips, and is told of."""
    here, tensor = tracing.here, tracing.torch.Tensor
    getframe = sys._getframe

    @functools.wraps(original)
    def clip(parameters, *args, **kwargs):
        if not listening(tracing):
            return original(parameters, *args, **kwargs)
        if not isinstance(parameters, (tensor, list, tuple)):
            parameters = list(parameters)  # it may be read but once
        here.off += 1
        try:
            result = original(parameters, *args, **kwargs)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            here.off -= 1
        with Body(tracing):
            norm = number(result)
            facts = {} if norm is None else {"norm": norm}
            facts["limit"] = number(args[0] if args else next(iter(kwargs.values()), None))
            one = isinstance(parameters, tensor)
            optimizers.changed(name, [parameters] if one else list(parameters), facts, getframe(1))
        return result

    own = {clip.__code__}
    return clip


def install_scaler(tracing: Tracing, optimizers: Optimizers, kind: type) -> None:
    """GradScaler's unscale_ and step."""
    unscale, step = kind.unscale_, kind.step
    here = tracing.here
    getframe = sys._getframe

    @functools.wraps(unscale)
    def unscale_(self, optimizer):
        if not (listening(tracing) and self._enabled):
            return unscale(self, optimizer)
        here.off += 1
        try:
            result = unscale(self, optimizer)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            here.off -= 1
        with Body(tracing):
            tracing.degrees.scaled = True
            facts = {"scale": number(self._scale)}
            parameters = [one for _, one in optimizers.parameters(optimizer)]
            optimizers.changed("unscale", parameters, facts, getframe(1))
        return result

    @functools.wraps(step)
    def scaler_step(self, optimizer, *args, **kwargs):
        if not (listening(tracing) and self._enabled):
            return step(self, optimizer, *args, **kwargs)
        before = optimizers.steps
        try:
            result = step(self, optimizer, *args, **kwargs)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        if optimizers.steps == before:
            with Body(tracing):
                facts = {"reason": "infinite gradients", "scale": number(self._scale)}
                optimizers.skipped(optimizer, facts, getframe(1))
        return result

    own = {unscale_.__code__, scaler_step.__code__}
    kind.unscale_, kind.step = unscale_, scaler_step
