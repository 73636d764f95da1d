"""The recording of a session from the screen: started and stopped with a key, fed on a timer.

The events that are new are taken between two key presses, a few milliseconds at a time; those of a
long run in its thread, between two pieces of the run, while they are still in the session's window.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.debugger import Debugger
from engine.errors import GradstepError
from tui.control.display import Acts, Display
from tui.control.prompting import Prompting
from tui.render.text.numbers import nbytes_text
from tui.settings.writable import check_writable

if TYPE_CHECKING:
    from engine.recording.recorder import Recorder

TICK = 0.1  # seconds between two looks at what is new
SLICE = 0.01  # seconds that one look may take
SLICE_BESIDE = 0.25  # the same in the thread of a long run: what lags behind is executed again
DISK_LOOK = 1.0  # seconds between two looks at the size of the file


class RecordingControl:
    """Starts, feeds and stops the recording of a session, one at a time; ``size`` is in bytes."""

    def __init__(self, debugger: Debugger) -> None:
        self.debugger = debugger
        self.recorder: Recorder | None = None
        self.size = 0
        self.failed = False  # whether the last one could not be written to its end
        self._lock = threading.RLock()  # a long run feeds it from a thread of its own
        self._steps: Iterator[int] | None = None
        self._measured = 0.0

    @property
    def running(self) -> bool:
        """Whether a recording is under way."""
        return self.recorder is not None

    @property
    def path(self) -> Path | None:
        """The file that is written; None where no recording is under way."""
        return None if self.recorder is None else self.recorder.writer.path

    @property
    def trouble(self) -> str:
        """Why the file can be written no longer; empty while it can."""
        return "" if self.recorder is None else self.recorder.writer.failed

    @property
    def brief(self) -> str:
        """``text`` without the size, for a narrow terminal."""
        return "● REC" if self.running and not self.trouble else self.text

    @property
    def text(self) -> str:
        """The mode in the position line: ``● REC 1.2 MiB``, or why the recording has stopped."""
        if not self.running:
            return ""
        trouble = self.trouble
        return f"REC stopped: {trouble}" if trouble else f"● REC {nbytes_text(self.size)}"

    def start(self, path: Path) -> str:
        """Begin a recording in a new file; a sentence about what will be stored, with sizes.

        Raises GradstepError where the file exists already or cannot be written.
        """
        # Imported here: a session that records nothing needs no SQLite.
        from engine.recording.environment import environment
        from engine.recording.estimate import estimate
        from engine.recording.file import exists
        from engine.recording.recorder import Recorder
        from engine.recording.writer import Writer

        check_writable(path)
        if exists(path):
            raise GradstepError(f"{path}: exists already; choose another name")
        program = self.debugger.session.program
        plan = estimate(program, "auto", program.timeline.iterations)
        self.recorder = Recorder(Writer(path, program, plan, environment()), self.debugger)
        each, total = nbytes_text(plan.per_iteration), nbytes_text(plan.total)
        return f"recording into {path}: store {plan.store}, {each} an iteration, {total} in all"

    def tick(self) -> None:
        """Record new events for SLICE seconds; what is recorded by then is committed."""
        with self._lock:
            self.take(SLICE)

    def keep_up(self) -> None:
        """Record what a long run has just done; called in its thread, between two of its pieces."""
        with self._lock:
            if self.recorder is None or self.recorder.writer.failed:
                return
            self._steps = None  # it stands somewhere else than the recording soon will
            end, late = time.perf_counter() + SLICE_BESIDE, False
            for branch in list(self.debugger.session.branches):
                for _ in self.recorder.follow(branch):
                    if late := time.perf_counter() > end:
                        break
                if late:
                    break
            self.recorder.writer.tick(time.monotonic())
            self.measure()

    def take(self, seconds: float) -> None:
        """Record new events for so long, and commit what is recorded by then."""
        if self.recorder is None or self.recorder.writer.failed:
            return
        end = time.perf_counter() + seconds
        if self._steps is None:
            self._steps = self.recorder.catch_up()
        for _ in self._steps:
            if time.perf_counter() > end:
                self.recorder.writer.commit()
                break
        else:
            self._steps = None
        self.measure()

    def measure(self) -> None:
        """Take the size of the file in bytes, every DISK_LOOK seconds."""
        now = time.monotonic()
        if self.path is not None and now - self._measured > DISK_LOOK:
            self._measured = now
            # What SQLite has not moved into the file yet lies in the write-ahead log beside it.
            files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
            with suppress(OSError):  # a file that is gone: the next commit says so
                self.size = sum(file.stat().st_size for file in files if file.exists())

    def stop(self) -> str:
        """Record the rest and close the file; a sentence about the file, or why writing it failed.

        Empty where no recording is under way.
        """
        with self._lock:
            recorder, self.recorder = self.recorder, None
            if recorder is None:
                return ""
            self._steps = None
            recorder.update()
            recorder.writer.close("closed")
        self.failed = bool(recorder.writer.failed)
        if self.failed:
            return recorder.writer.failed
        size = nbytes_text(recorder.writer.path.stat().st_size)
        return f"recorded {self.debugger.session.known} events into {recorder.writer.path}, {size}"


class RecordingKey:
    """The key that starts and stops a recording, and the timer that feeds it.

    ``prompting`` asks for the name of a file, ``again`` takes a new View with the note as it is,
    ``resting`` says that no job moves the session; ``every`` sets a timer, which is none before
    the first recording.
    """

    def __init__(
        self,
        control: RecordingControl,
        display: Display,
        prompting: Prompting,
        again: Callable[[], None],
        resting: Callable[[], bool],
        every: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self.control = control
        self.display = display
        self.prompting = prompting
        self.again = again
        self.resting = resting
        self.every = every
        self.fed = False

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {"record": self.toggle}

    def toggle(self) -> None:
        """Ask for a file to record into, or close the one that is written."""
        if self.control.running:
            self.guarded(self.control.stop)
        else:
            name = re.sub(r"[^\w.-]+", "-", self.control.debugger.run.name)
            self.prompting.ask("record into", self.begin, f"{name}.gradstep", "record")

    def begin(self, path: str) -> None:
        """Begin a recording in a new file, or say why not."""
        self.guarded(lambda: self.control.start(Path(path)))
        self.watch()

    def guarded(self, act: Callable[[], str]) -> None:
        """Call ``act``, and show the sentence that it returns or its GradstepError."""
        try:
            said = act()
        except GradstepError as error:
            said = str(error)
        self.display.show_now(said)

    def watch(self) -> None:
        """Feed the recording every TICK seconds from now on, if there is one."""
        if self.control.running and not self.fed:
            self.fed = True
            self.every(TICK, self.feed)

    def feed(self) -> None:
        """Record what is new, while no job moves the session."""
        if self.control.running and self.resting():
            before = self.control.text
            self.control.tick()
            if self.control.text != before:  # a new View at every tick would be waste
                self.again()
