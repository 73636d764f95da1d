"""Deep and long networks on the screen: what a step costs the derivative panes, by depth.

A step of four times the layers, or time steps, beside one of the fewer: what grows faster than the
depth shows as a ratio far above four, whatever the machine.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.measure import Row, interleave, versus
from benchmarks.networks import HEAD, layers
from benchmarks.screen import GRADSTEP, READY, presses
from engine.debugger import Debugger
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.phases import Phase
from engine.session.session import Session
from tui.render.chain import chain_text
from tui.render.chain_numbers import Room
from tui.render.jacobian import jacobian_head, matrix_of
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection, snapshot

FEW, MANY = 25, 100  # layers, or time steps
GROWTH = 5.0  # of a step with four times as many: a little above four
KEY_SECONDS = 0.040
SEEN = 40  # lines that are made of a pane
ROOM = Room(118, 40, (118, 40))
NAN = float("nan")


def recurrent(steps: int) -> str:
    """A recurrent network in lines, over so many time steps."""
    lines = (
        "h[-1] = zeros(N, 4)",
        f"for t in range({steps}):",
        "    h[t] = tanh(x @ Wx.T + h[t-1] @ Wh.T)",
        f"loss = mean((h[{steps - 1}] - y)**2)",
    )
    data = "[data]\nx = [[0.5, -1.0], [0.2, 0.3]]\ny = [[1.0, 0, 0, 0], [0.0, 0, 0, 1]]\n"
    weights = "[parameters]\nWx = { shape = [4, 2] }\nWh = { shape = [4, 4] }\n"
    text = "\n".join(lines)
    return f'{HEAD}{data}{weights}[network]\nlines = """\n{text}\n"""\n'


KINDS: dict[str, tuple[Callable[[int], str], str]] = {
    "layers": (layers, "linear1.weight"),
    "time steps": (recurrent, "Wh"),
}


def deep(effort: Effort) -> Iterator[Row]:
    """Every row: the panes by themselves, then key presses."""
    many = max(8, MANY // effort.scale)
    few = max(2, FEW // effort.scale)
    with tempfile.TemporaryDirectory() as folder:
        for kind, (text, weight) in KINDS.items():
            files = []
            for depth in (many, few):
                files.append(Path(folder, f"{kind} {depth}.toml".replace(" ", "-")))
                files[-1].write_text(text(depth), encoding="utf-8")
            programs = [compile_program(load_experiment(str(file))) for file in files]
            rivals = [stepping(program, weight) for program in programs]
            samples = interleave(rivals, effort)
            work = f"a step in Chain and Jacobian, {many} {kind}"
            yield versus(work, "", samples, 1, f"{few} {kind}", GROWTH)
            yield first_look(f"the first look, {many} {kind}", programs[0], weight)
            work = f"key press s with Chain, {many} {kind}"
            yield press(work, files[0], f"{few} {kind}", files[1], effort)


def stepping(program: Program, weight: str) -> Callable[[], object]:
    """A step and all that the two panes show of it: what the rival is."""
    debugger = Debugger(Session(program))
    selection = Selection(derivative=Derivative(of=program.loss, wrt=weight))
    backward = [op.index for op in program.ops if op.phase == Phase.BACKWARD]
    events = cycle(backward[:8])

    def run() -> None:
        debugger.session.goto(next(events))
        look(debugger, selection)

    return run


def look(debugger: Debugger, selection: Selection) -> None:
    """What the Chain and Jacobian panes show at the cursor."""
    view = snapshot(debugger, selection)
    text = chain_text(view, ROOM)
    for y in range(min(SEEN, len(text))):
        text.line(y)
    jacobian_head(view, ROOM.width)
    matrix_of(view).window(range(SEEN), range(8))


def first_look(work: str, program: Program, weight: str) -> Row:
    """The first time, when nothing is known of the network."""
    debugger = Debugger(Session(program))
    debugger.session.goto(next(op.index for op in program.ops if op.phase == Phase.BACKWARD))
    begin = time.perf_counter()
    look(debugger, Selection(derivative=Derivative(of=program.loss, wrt=weight)))
    return Row(work, "", "", time.perf_counter() - begin, NAN, NAN)


def press(work: str, file: Path, against: str, other: Path, effort: Effort) -> Row:
    """A step with the chain on display, in a terminal, beside that of a shallower network."""
    medians = []
    for each in (file, other):
        command = (*GRADSTEP, "run", str(each), "--at", "i1:backward")
        seconds = presses(command, READY, "s", effort.presses, before=("4", "\x1b"))
        medians.append(statistics.median(seconds))
    ours, theirs = medians
    return Row(work, "", against, ours, theirs, ours / theirs, limit=KEY_SECONDS)
