"""Puts everything in its place, once torch has been imported."""

from __future__ import annotations

from types import ModuleType

from gradstep_tracer import aten, backward, clearing, compiled, ends, modules, optimizers, scaling
from gradstep_tracer.functions import Functions, listener
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.names import Names
from gradstep_tracer.plan import Plan
from gradstep_tracer.reading import Reading
from gradstep_tracer.tracing import Tracing
from gradstep_tracer.writes import Writes


def install(plan: Plan, torch: ModuleType) -> None:
    """Begin to listen. Nothing is sent before the first event."""
    tracing = Tracing(plan, torch)
    try:
        listen(tracing)
    except Exception:  # what is in its place already keeps still
        tracing.over = True
        raise


def listen(tracing: Tracing) -> None:
    """Put everything in its place."""
    plan, torch = tracing.plan, tracing.torch
    names = Names(tracing)
    reading = Reading(tracing, names)
    writes = Writes(tracing, names, reading)
    hiding = Hiding(tracing)
    functions = Functions(tracing, names, reading, writes)
    called = modules.Modules(tracing, names, reading, hiding)
    engine = backward.Backward(tracing, names, reading, writes, called)
    stepping = optimizers.Optimizers(tracing, names, writes, engine)
    if plan.values != "light":  # else only backward and steps are listened to
        modules.install(tracing, called)
        compiled.install(tracing, reading, hiding)
        hiding.mode = listener(tracing, functions, torch.overrides.TorchFunctionMode, hiding)
        if plan.depth == "aten":
            hiding.dispatch = aten.listener(tracing, functions)
        hiding.install()
        hiding.on()
    backward.install(tracing, engine, hiding)
    optimizers.install(tracing, stepping, hiding)
    clearing.install(tracing, stepping, hiding)
    scaling.install(tracing, stepping)
    functions.scaler = scaling.scale_of()
    ends.install(tracing, hiding)
    if plan.eager and hasattr(torch, "compiler"):
        torch.compiler.set_stance("force_eager")
