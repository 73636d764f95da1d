"""Waits for the script to import torch, which is never imported early: scripts set
CUDA_VISIBLE_DEVICES, OMP_NUM_THREADS and start methods before they do."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from gradstep_tracer.plan import Plan, read_plan


def mark(plan: Plan, word: str) -> None:
    """Leave an empty file beside the socket: it says how far this process got."""
    path = os.path.join(os.path.dirname(plan.socket), "%s-%d" % (word, os.getpid()))
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


class Finder:
    """Finds torch where it is, and is told when it has been executed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.asking = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The spec of torch, which will call back; None for everything else."""
        if name != "torch" or self.asking:
            return None
        self.asking = True
        try:
            for other in list(sys.meta_path):
                find = getattr(other, "find_spec", None)
                spec = find(name, path, target) if find and other is not self else None
                if spec is not None:
                    break
            else:
                return None
        finally:
            self.asking = False
        loader = spec.loader
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return spec

        def exec_module(module: ModuleType) -> None:
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            with contextlib.suppress(AttributeError):
                del loader.exec_module
            execute(module)
            begin(self.plan, module)

        loader.exec_module = exec_module
        return spec


def begin(plan: Plan, torch: ModuleType) -> None:
    """torch is there: install the tracer, or say in one line why not."""
    try:
        mark(plan, "torch")
        from gradstep_tracer import install

        install.install(plan, torch)
    except Exception as problem:
        if not plan.quiet:
            sys.stderr.write("gradstep: nothing is traced: %r\n" % (problem,))


def arm() -> None:
    """Listen for torch, if this process is to be traced."""
    plan = read_plan()
    if plan is None or "torch" in sys.modules:
        return
    mark(plan, "armed")
    sys.meta_path.insert(0, Finder(plan))
