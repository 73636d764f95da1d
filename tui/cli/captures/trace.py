"""``gradstep trace`` of a captured script."""

from rich.text import Text

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.capture.lines import span_object, spans, trace_lines
from engine.capture.opened import opened_capture
from engine.run.kept import Degree
from engine.run.op import Op
from engine.run.phases import CODE
from engine.run.position import Granularity
from tui.cli.op_table import STYLES
from tui.cli.output import console, print_json
from tui.cli.trace_table import loss_text, value_lines
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text, shape_text

PLACE = 18  # columns of file:line


def trace(name: str, iterations: int, size: Granularity, values: bool, as_json: bool) -> None:
    """Print the events of the first iterations."""
    with opened_capture(name) as run:
        if as_json:
            for line in trace_lines(run, size, iterations, values):
                print_json(line)
            return
        CapturedTrace(run, size, values).print(iterations)


class CapturedTrace:
    """Prints events of a captured run, a line for each op, phase or iteration."""

    def __init__(self, run: CapturedRun, size: Granularity, values: bool) -> None:
        self.run = run
        self.size = size
        self.values = values
        self.out = console()
        self.number = max(2, len(str(run.timeline.end)))

    def print(self, iterations: int) -> None:
        """Print the first iterations."""
        self.line(Text(clean(self.run.name), style="bold"))
        phase, iteration = None, -1
        for start, stop in spans(self.run, self.size, iterations):
            op, here = self.run.timeline.op(start), self.run.timeline.iteration(start)
            if here != iteration:
                iteration, phase = here, None
                self.line(Text(f"{'':{self.number}}  iteration {here + 1}", style="bold"))
            if self.size == Granularity.OP and op.phase != phase:
                phase = op.phase
                heading = Text(f"{'':{self.number}}  ")
                heading.append(phase, style=f"bold {STYLES[phase]}")
                self.line(heading.append(f"  {CODE[phase]}", style="dim"))
            self.step(start, stop, op)

    def step(self, start: int, stop: int, op: Op) -> None:
        """Print the events that are told together."""
        found = span_object(self.run, start, stop, self.size)
        line = Text(f"{start:>{self.number}}  ", style="dim")
        if self.size == Granularity.OP:
            line.append(f"{clean(op.source):<{PLACE}} ", style="dim")
            line.append(clean(op.formula), style=STYLES[op.phase])
            shapes = [shape_text(tuple(one["shape"])) for one in found["writes"]]
            line.append(f"  {', '.join(dict.fromkeys(shapes))}", style="dim")
            letters = "".join(letter(one["kept"]) for one in found["writes"])
            line.append(f" {letters}" if letters.strip("▪") else "")
        else:
            what = found["phase"] or "iteration"
            line.append(f"{what:<{PLACE}} ", style=STYLES.get(found["phase"], ""))
            line.append(f"{count_text(stop - start)} ops, {len(found['writes'])} tensors")
        if self.run.loss is not None and any(
            one["name"] == self.run.loss for one in found["writes"]
        ):
            line.append(f"  loss {loss_text(found['loss'])}", style="bold")
        for key, value in found.get("facts", {}).items():
            line.append(f"  {clean(str(key))} {clean(str(value))}", style="dim")
        self.line(line)
        if self.values:
            for one in found["writes"]:
                self.tensor(one["name"], stop)

    def tensor(self, name: str, event: int) -> None:
        """Print the values of a tensor before an event, or what was kept of them."""
        place = self.run.places.locate(event, name)
        array: Array | None = self.run.places.at(place)
        indent = f"{'':{self.number}}    "
        if array is not None:
            shown = value_lines(array, self.out.width - len(indent) - 2)
        else:
            kept = self.run.source.kept(event, name)
            if kept is None:
                shown = ["none"]
            else:
                shown = [kept.degree.words]
                if kept.statistics is not None:
                    low, high = kept.statistics.minimum, kept.statistics.maximum
                    shown = [f"{kept.degree} {compact(low)} to {compact(high)}"]
        self.line(Text(f"{indent}{clean(name)}", "dim"))
        for text in shown:
            self.line(Text(f"{indent}  {text}"))

    def line(self, text: Text) -> None:
        """Print a line as it is."""
        self.out.print(text, soft_wrap=True)


def letter(kept: str | None) -> str:
    """The letter of how much was kept; nothing for a tensor that is gone."""
    return "" if kept is None else Degree[kept.upper()].value
