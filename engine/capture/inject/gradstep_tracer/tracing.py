"""What all parts of the tracer share: the plan, the recorder, and whether it is over."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from types import CodeType, FrameType, ModuleType

from gradstep_tracer.channel import Channel
from gradstep_tracer.degrees import Degrees
from gradstep_tracer.passes import Passes
from gradstep_tracer.places import Places
from gradstep_tracer.plan import Plan
from gradstep_tracer.recorder import Recorder
from gradstep_tracer.streams import take_back
from gradstep_tracer.values import Reader

HELD_APART = sys.version_info < (3, 11)


class Here(threading.local):
    """What is going on in a thread."""

    def __init__(self) -> None:
        self.off = 0  # the tracer is not to listen
        self.backward = 0  # calls of the engine, one within the other
        self.stepping = 0  # an optimizer's step is under way
        self.modules: list[str] = []  # paths of the modules whose forward runs
        self.aside: tuple | None = None  # how the mode was taken off for a step
        self.grad = True  # whether gradients were on where the hook was met
        self.pushed = False  # the function mode is on this thread's stack
        self.placing = 0  # a function that writes in place runs, and is told of as a whole
        self.raised = 0  # the id of an exception that was told of


class Tracing:
    """One process being traced."""

    def __init__(self, plan: Plan, torch: ModuleType) -> None:
        self.plan = plan
        self.torch = torch
        self.pid = os.getpid()
        self.over = False
        self.lock = threading.RLock()
        self.here = Here()
        self.places = Places(torch)
        self.reader = Reader(torch)
        self.channel = Channel(plan, torch)
        self.degrees = Degrees(plan, self.reader)
        self.recorder = Recorder(self.channel, self.reader, self.degrees)
        self.passes = Passes(self.places, plan.iteration)
        functorch = getattr(torch._C, "_functorch", None)
        # vmap, grad, jvp: tensors within are none that have values.
        self.transforms = getattr(functorch, "peek_interpreter_stack", lambda: None)
        self.quietly = torch._C.DisableTorchFunction
        self.below = torch._C._DisableTorchDispatch if plan.depth == "aten" else None
        self.forget: list = []  # called when a pass ends

    def say(self, text: str) -> None:
        """A line on stderr."""
        if not self.plan.quiet:
            try:
                sys.stderr.write("gradstep: %s\n" % (text,))
            except Exception:
                self.plan.quiet = True

    def fault(self, problem: Exception) -> None:
        """Something went wrong in here: tracing ends, the script goes on."""
        if self.over:
            return
        self.over = True
        if isinstance(problem, OSError) and self.channel.socket is not None:
            take_back(self.channel.socket)
            self.say("nobody listens any more; the script goes on")
        else:
            trace = problem.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = ""
            if trace is not None:
                name = os.path.basename(trace.tb_frame.f_code.co_filename)
                where = " (%s:%d)" % (name, trace.tb_lineno)
            text = "tracing ended, the script goes on: %r%s" % (problem, where)
            self.say(text)
            try:
                self.recorder.note(text)
            except Exception:
                self.channel.closed = True
        self.channel.close()

    def turn(self, frame: FrameType | None) -> None:
        """Before an event that can begin a pass: does it?"""
        passes = self.passes
        if (passes.stepped is not None or passes.begin is not None) and passes.over(frame):
            self.end_pass()

    def end_pass(self) -> None:
        """The iteration is over, if anything happened in it."""
        self.passes.updated = False
        if self.recorder.story:
            self.recorder.end_iteration()
            for forget in self.forget:
                forget()


class Body:
    """The body of a hook: torch functions and gradients are off, the tracer does not listen.

    An Exception in it ends the tracing and goes no further. Anything else, Ctrl-C, passes through;
    what was under way is then incomplete, so that no more is told but how it ended.
    """

    __slots__ = ("_below", "_disabled", "_grad", "tracing")

    def __init__(self, tracing: Tracing) -> None:
        self.tracing = tracing

    def __enter__(self) -> None:
        tracing = self.tracing
        tracing.here.off += 1
        tracing.lock.acquire()
        self._disabled = tracing.quietly()
        self._disabled.__enter__()
        self._below = None if tracing.below is None else tracing.below()
        if self._below is not None:
            self._below.__enter__()
        self._grad = tracing.torch.is_grad_enabled()
        if tracing.here.off == 1:
            tracing.here.grad = self._grad
        tracing.torch._C._set_grad_enabled(False)

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: object) -> bool:
        tracing = self.tracing
        tracing.torch._C._set_grad_enabled(self._grad)
        if self._below is not None:
            self._below.__exit__(None, None, None)
        self._disabled.__exit__(None, None, None)
        tracing.lock.release()
        tracing.here.off -= 1
        if problem is None:
            return False
        if isinstance(problem, Exception):
            tracing.fault(problem)
            return True
        tracing.over = True
        problem.__traceback__ = None  # where in here it came is nobody's business
        return False


def stripped(problem: BaseException, codes: frozenset[CodeType] | set[CodeType], more: int) -> None:
    """Take frames of ours, and as many that we made, off the top of an exception's traceback.

    Followed by a bare ``raise`` in the handler that called this, nothing of them is left.
    """
    trace = problem.__traceback__
    while trace is not None and trace.tb_frame.f_code in codes:
        trace = trace.tb_next
    while more and trace is not None:
        trace, more = trace.tb_next, more - 1
    problem.__traceback__ = trace
    if HELD_APART:
        # A bare raise takes the traceback of what is being handled, and not the exception's.
        held = [ctypes.py_object(one) for one in (type(problem), problem, trace)]
        for one in held:  # which the call keeps
            ctypes.pythonapi.Py_IncRef(one)
        ctypes.pythonapi.PyErr_SetExcInfo(*held)
