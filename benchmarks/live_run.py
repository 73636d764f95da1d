"""A long run on the screen, now with its refresh and now without; see :mod:`benchmarks.live`.

``python -m benchmarks.live_run NAME PANE SECONDS OUT``, in a terminal. Both take turns in one
process and one run. What an event takes is written to the file OUT, in seconds: the processor time
of the run's thread and of the screen's together, because each waits while the other one computes.
"""

import json
import sys
import threading
import time
from functools import partial
from pathlib import Path

from engine.debugger import Debugger
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.session.session import Session
from tui.app import GradstepApp
from tui.control.live import EVERY
from tui.control.worker import Job

ENDLESS = 10**8
WARM_UP, TURN = 3.0, 4.0  # seconds: until history has its memory; of one turn


class Turns:
    """Switches the refresh of a run on and off, and times the events of every turn."""

    def __init__(self, app: GradstepApp, pane: str, seconds: float) -> None:
        self.app, self.pane, self.seconds = app, pane, seconds
        self.on = True
        self.taken: dict[str, list[float]] = {"with": [], "without": []}
        self.clocks: set[int] = {clock()}
        worker = app.main.worker
        progress, between = worker._progress, worker.between

        def noted() -> None:
            self.clocks.add(clock())
            worker.between = between
            between()

        worker.between = noted

        def switched(run: Job) -> None:
            if self.on:
                progress(run)
            elif worker.current is run:
                worker.host.later(EVERY, partial(switched, run))

        worker._progress = switched  # type: ignore[method-assign]  # what is measured

    def start(self) -> None:
        """Show a pane, begin the run, and measure beside it."""
        main = self.app.main
        if self.pane == "plots":
            main.action_press("plots")
        else:
            main.parts.panes.go_to(self.pane)
        main.parts.movement.go_to(main.session.timeline.end)
        threading.Thread(target=self.measure, daemon=True).start()

    def measure(self) -> None:
        """Alternate; then end the application."""
        session = self.app.main.session
        time.sleep(WARM_UP if self.seconds else 0.0)
        end = time.perf_counter() + self.seconds
        while not all(self.taken.values()) or time.perf_counter() < end:
            self.on = not self.on
            time.sleep(0.5)  # what the turn before has asked for is over
            began, first = self.used(), session.event
            time.sleep(TURN)
            taken = (self.used() - began) / max(1, session.event - first)
            self.taken["with" if self.on else "without"].append(taken)
        self.app.call_from_thread(self.app.main.leave)

    def used(self) -> float:
        """Processor seconds of the run's thread and the screen's so far."""
        return sum(map(time.clock_gettime, self.clocks))


def clock() -> int:
    """The clock of the processor time of the thread that calls."""
    return time.pthread_getcpuclockid(threading.get_ident())


def main(name: str, pane: str, seconds: str, out: str) -> None:
    """Measure one experiment with one pane on display."""
    program = compile_program(load_experiment(name)).lasting(ENDLESS)
    app = GradstepApp(Debugger(Session(program)))
    turns = Turns(app, pane, float(seconds))
    threading.Timer(1.0, lambda: app.call_from_thread(turns.start)).start()
    app.run()
    Path(out).write_text(json.dumps(turns.taken), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
