"""Gradients that are cleared by an optimizer or a module."""

from __future__ import annotations

import functools
import sys

from gradstep_tracer.hiding import Hiding
from gradstep_tracer.optimizers import Optimizers, listening, recovered
from gradstep_tracer.tracing import Body, Tracing, stripped


def install(tracing: Tracing, optimizers: Optimizers, hiding: Hiding) -> None:
    """Be there at each zero_grad."""
    module = sys.modules["torch.optim.optimizer"]
    here = tracing.here
    getframe = sys._getframe
    clear_optimizer = module.Optimizer.zero_grad
    clear_module = tracing.torch.nn.Module.zero_grad

    @functools.wraps(clear_optimizer)
    def optimizer_zero_grad(self, *args, **kwargs):
        if not listening(tracing):
            return clear_optimizer(self, *args, **kwargs)
        recovered(tracing, hiding, getframe(1))
        here.off += 1
        try:
            clear_optimizer(self, *args, **kwargs)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            here.off -= 1
        with Body(tracing):
            frame = getframe(1)
            name = optimizers.names.optimizer(self, frame)
            own_parameters = [one for _, one in optimizers.parameters(self)]
            optimizers.cleared(name + ".zero_grad", own_parameters, None, frame)

    @functools.wraps(clear_module)
    def module_zero_grad(self, *args, **kwargs):
        if not listening(tracing):
            return clear_module(self, *args, **kwargs)
        here.off += 1
        try:
            clear_module(self, *args, **kwargs)
        except BaseException as problem:
            stripped(problem, own, 0)
            raise
        finally:
            here.off -= 1
        with Body(tracing):
            frame = getframe(1)
            path = optimizers.names.path(self, frame)
            name = path + ".zero_grad" if path else "zero_grad"
            optimizers.cleared(name, list(self.parameters()), path or None, frame)

    own = {optimizer_zero_grad.__code__, module_zero_grad.__code__}
    module.Optimizer.zero_grad = optimizer_zero_grad
    tracing.torch.nn.Module.zero_grad = module_zero_grad
