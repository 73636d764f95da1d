"""How the script ends, threads that begin, and children that are none of ours."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import traceback

from gradstep_tracer.channel import as_json, clipped
from gradstep_tracer.hiding import Hiding
from gradstep_tracer.tracing import Tracing


def raised(tracing: Tracing, problem: BaseException) -> None:
    """Tell of an exception that nobody caught."""
    frames = [
        "%s:%d %s %s" % (one.filename, one.lineno or 0, one.name, one.line)
        for one in traceback.extract_tb(problem.__traceback__)
        if tracing.places.kind(one.filename) != 2
    ]
    said = {
        "type": type(problem).__name__,
        "text": clipped(str(problem)),
        "trace": [clipped(one) for one in frames[-100:]],
    }
    tracing.recorder.pour()
    tracing.channel.send(b"X", as_json(said))


def finish(tracing: Tracing, hiding: Hiding) -> None:
    """The interpreter ends: the last words."""
    hiding.away(False)  # what a thread's end destroys must not be a Python object
    channel = tracing.channel
    if channel.socket is None or channel.closed or os.getpid() != tracing.pid:
        return
    try:
        complete = not tracing.over  # else a hook was left in the middle of something
        tracing.over = True
        problem = getattr(sys, "last_value", None)
        if problem is not None and not isinstance(problem, SystemExit):
            raised(tracing, problem)
        else:
            if complete and tracing.passes.updated and tracing.recorder.story:
                channel.send(b"I")
            if tracing.plan.values == "light" and not tracing.recorder.iteration:
                tracing.recorder.note("--light tells of optimizers' steps, and there were none")
            tracing.recorder.pour()
            channel.send(b"Z", b"{}")
    except Exception as failure:
        tracing.over = False
        tracing.fault(failure)
    finally:
        channel.close()


def install(tracing: Tracing, hiding: Hiding) -> None:
    """Be there."""
    atexit.register(finish, tracing, hiding)
    begin = threading.Thread._bootstrap_inner

    @functools.wraps(begin)
    def _bootstrap_inner(self):
        if not tracing.over:
            hiding.on()
        try:
            begin(self)
        finally:
            hiding.away(False)

    threading.Thread._bootstrap_inner = _bootstrap_inner

    def in_child() -> None:
        tracing.over = True
        hiding.away(False)
        if tracing.channel.socket is not None:
            tracing.channel.socket.close()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)
