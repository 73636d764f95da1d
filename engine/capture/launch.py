"""Starts a command with the tracer in its environment, and hands on what comes of it.

The command runs as it would without: its own interpreter, arguments, folder and stdin, stdout and
stderr that are terminals where ours are. The parent alone writes the recording, so that whatever
was sent is kept, whoever is killed.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from engine.capture.listener import Connection, Listener
from engine.capture.outputs import Output, outputs, pipes
from engine.capture.plan import Plan
from engine.capture.sink import Sink, Stream
from engine.errors import GradstepError

INJECTED = Path(__file__).parent / "inject"
LOOK = 0.05  # seconds between two looks at whether the command is over
HANDSHAKE = 30.0  # seconds in which a Python of the command has loaded the tracer
LINGER = 5.0  # seconds that what a command leaves behind may go on speaking
Write = Callable[[Stream, bytes], None]
ARMED, IMPORTED = "armed", "torch"  # marks of how far a process got
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: its exit status, 128 + n after signal n; how many processes were traced;
    why nothing was captured, where that is so; what ended the recording before the command."""

    status: int
    processes: int
    why_nothing: str = ""
    failed: str = ""


def environment(plan: Plan, listener: Listener, outer: Mapping[str, str]) -> dict[str, str]:
    """An environment with the tracer in it, before whatever else is on the PYTHONPATH."""
    path = outer.get("PYTHONPATH", "")
    found = dict(outer)
    found["PYTHONPATH"] = f"{INJECTED}{os.pathsep}{path}" if path else str(INJECTED)
    found["GRADSTEP_SOCKET"] = str(listener.path)
    found["GRADSTEP_PLAN"] = plan.text(listener.token)
    return found


def launch(
    command: Sequence[str],
    plan: Plan,
    sink: Sink,
    write: Write,
    outer: Mapping[str, str],
    stop: Callable[[], bool] = lambda: False,
    unheard: Callable[[str], None] = lambda why: None,
    piped: bool = False,
) -> Outcome:
    """Run a command to its end; everything that it tells goes to a sink, its text to ``write`` too.

    With ``piped`` its streams are pipes, else what ours are. Where ``stop`` says so the command is
    ended. ``unheard`` is told once where the tracer is not loaded in time. Raises GradstepError if
    the command cannot be started.
    """
    listener = Listener()
    try:
        streams = pipes() if piped else outputs()
        running = Running(command, plan, sink, write, outer, listener, streams, piped)
        return running.run(stop, unheard)
    finally:
        listener.close()


class Running:
    """A command that runs, and everything that is read meanwhile."""

    def __init__(
        self,
        command: Sequence[str],
        plan: Plan,
        sink: Sink,
        write: Write,
        outer: Mapping[str, str],
        listener: Listener,
        streams: dict[Stream, Output],
        piped: bool,
    ) -> None:
        self.sink = sink
        self.write = write
        self.listener = listener
        self.failed = ""
        self.selector = selectors.DefaultSelector()
        self.outputs = streams
        given = environment(plan, listener, outer)
        if not piped:
            lend(listener, streams)
        self.process = started(command, given, self.outputs)
        self.selector.register(listener.socket, selectors.EVENT_READ, None)
        for output in set(self.outputs.values()):
            os.close(output.writes)
            self.selector.register(output.reads, selectors.EVENT_READ, output)

    def run(self, stop: Callable[[], bool], unheard: Callable[[str], None]) -> Outcome:
        """Read until the command is over; nothing that was sent is lost."""
        until: float | None = time.monotonic() + HANDSHAKE
        with handling(self.process, self.resized):
            while self.process.poll() is None:
                self.turn(LOOK)
                if until is not None and time.monotonic() > until:
                    until = None
                    if not self.listener.marks() & {ARMED, IMPORTED}:
                        unheard(why_nothing(self.listener))
                if stop():
                    self.process.kill()
            self.rest()
        code = self.process.returncode
        status = 128 - code if code < 0 else code
        self.guarded(partial(self.sink.close, status))
        for output in set(self.outputs.values()):
            output.close()
        why = "" if self.listener.processes else why_nothing(self.listener)
        return Outcome(status, self.listener.processes, why, self.failed)

    def turn(self, timeout: float) -> bool:
        """Read what has come; whether there was anything."""
        ready = self.selector.select(timeout)
        for key, _ in ready:
            match key.data:
                case Output() as output:
                    self.text(output)
                case Connection() as connection:
                    self.frames(connection)
                case _:
                    found = self.listener.accept()
                    if found is not None:
                        self.selector.register(found.socket, selectors.EVENT_READ, found)
        self.guarded(partial(self.sink.tick, time.monotonic()))
        return bool(ready)

    def text(self, output: Output) -> None:
        """What the command wrote."""
        data = output.read()
        if not output.open:
            self.selector.unregister(output.reads)
        if data:
            self.write(output.stream, data)
            text = output.text(data)
            self.guarded(partial(self.sink.text, output.stream, text))

    def frames(self, connection: Connection) -> None:
        """What a process tells."""
        waiting = connection.socket
        for frame in self.listener.read(connection):
            number = connection.number or 0
            if not self.failed:
                self.guarded(partial(self.sink.frame, number, frame))
        if connection.end is not None:
            self.selector.unregister(waiting)
            self.over(connection)
        elif self.failed:
            self.listener.hang_up(connection)
            self.selector.unregister(waiting)

    def over(self, connection: Connection) -> None:
        """No more comes from a process."""
        number, end = connection.number, connection.end
        if number is not None and end is not None:
            self.guarded(partial(self.sink.ended, number, end))

    def rest(self) -> None:
        """What is still on its way when the command is over."""
        until = time.monotonic() + LINGER
        while time.monotonic() < until:
            speaking = [one for one in self.listener.connections if one.end is None]
            if not self.turn(LOOK if speaking else 0.0) and not speaking:
                break
        for connection in self.listener.connections:
            if connection.end is None:
                self.selector.unregister(connection.socket)
                self.listener.hang_up(connection)
                self.over(connection)

    def guarded(self, told: Callable[[], Any]) -> None:
        """Tell the sink; when it fails the recording ends, and the command goes on."""
        if self.failed:
            return
        try:
            told()
        except GradstepError as problem:
            self.failed = str(problem)

    def resized(self) -> None:
        """Our terminal has another size."""
        for stream, descriptor in ((Stream.STDOUT, 1), (Stream.STDERR, 2)):
            self.outputs[stream].resized(descriptor)


def lend(listener: Listener, streams: Mapping[Stream, Output]) -> None:
    """Our streams, and what we read those of the command from, for when we are gone."""
    both = streams[Stream.STDOUT], streams[Stream.STDERR]
    if alive(1) and alive(2):
        listener.lent = [1, 2, *(one.reads for one in both)]
        listener.names = [os.ttyname(one.writes) if one.terminal else "" for one in both]


def alive(descriptor: int) -> bool:
    """Whether a descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def started(
    command: Sequence[str], given: Mapping[str, str], streams: Mapping[Stream, Output]
) -> subprocess.Popen[bytes]:
    """The command as a process; GradstepError where it cannot be one."""
    try:
        return subprocess.Popen(
            list(command),
            env=dict(given),
            stdout=streams[Stream.STDOUT].writes,
            stderr=streams[Stream.STDERR].writes,
        )
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else problem
        raise GradstepError(f"{command[0]}: cannot be started: {said}") from None


@contextlib.contextmanager
def handling(process: subprocess.Popen[bytes], resized: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C is the command's, which gets it from the terminal; other signals are handed on."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    wanted: dict[int, Any] = dict.fromkeys(PASSED_ON, hand_on)
    wanted[signal.SIGINT] = lambda number, frame: None  # not ignored: the command would inherit it
    wanted[signal.SIGWINCH] = lambda number, frame: resized()
    before = {}
    for number, handler in wanted.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def why_nothing(listener: Listener) -> str:
    """Why no process said anything."""
    marks = listener.marks()
    if IMPORTED in marks:
        return "torch was imported, but no model was called with gradients and nothing was stepped"
    if ARMED in marks:
        return "the script ended without importing torch"
    return (
        "the tracer was never loaded: the command is no Python, or one started with -I, -E or -S, "
        "which leave PYTHONPATH out"
    )
