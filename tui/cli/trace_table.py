"""A trace for people: rows that come as the run goes, aligned from the first to the last."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.arrays import Array
from engine.program.program import Program
from engine.recording.trace_json import Step, Write, steps
from engine.run.phases import CODE
from engine.run.position import Granularity
from tui.cli.op_table import STYLES, OpTable, shapes
from tui.render.summary import summarize
from tui.render.text.clean import clean
from tui.render.text.numbers import cells, compact, count_text, exact, shape_text

LOSS_WIDTH = 10
SMALL = 64  # elements of a tensor whose values are shown
ROWS_AT_ONCE = 64  # rows of a table that is printed before the next: a long run shows at once


@dataclass(frozen=True)
class TraceTable:
    """Prints the first iterations of a program: a row for each op, phase or iteration."""

    program: Program
    granularity: Granularity
    iterations: int
    values: bool
    console: Console

    def print(self) -> None:
        """Run the iterations and print each step as it comes."""
        self.console.print(Text(clean(self.program.experiment.name), style="bold"))
        run = steps(self.program, self.granularity, self.iterations)
        match self.granularity:
            case Granularity.OP:
                self.print_ops(run)
            case Granularity.PHASE:
                self.print_steps(run, ("#", "iteration", "phase", "in PyTorch", "tensors", "loss"))
            case _:
                self.print_steps(run, ("#", "iteration", "epoch", "tensors", "loss"))

    def print_ops(self, run: Iterable[Step]) -> None:
        """Print a row for each op, under headings of its phase and its iteration."""
        last = self.program.timeline.begin(self.iterations) - 1
        columns = OpTable.fitting(self.program, self.console.width, last, LOSS_WIDTH)
        self.console.print(columns.header())
        phase = None
        for step in run:
            event = step.events[0]
            if step.batch is not None:
                self.print_iteration(step, columns.indent)
                phase = None
            if event.op.phase != phase:
                phase = event.op.phase
                self.console.print(columns.heading(phase))
            self.print_op(step, columns)

    def print_iteration(self, step: Step, indent: int) -> None:
        """Print the line above an iteration, and its batch where values are shown."""
        place = step.position
        text = f"iteration {place.iteration}, epoch {place.epoch}"
        self.console.print(Text(" " * indent + text, style="bold"))
        if self.values and step.batch is not None:
            for name, array in step.batch.items():
                self.print_values(Write(name, None, array), indent)

    def print_op(self, step: Step, columns: OpTable) -> None:
        """Print an op, and the values that it wrote."""
        (event,) = step.events
        op = event.op
        written = event.after[0].shape if event.after else None
        shape = shapes(self.program, op, columns.inputs, written)
        loss = loss_text(step.loss) if self.program.loss in op.writes else ""
        table = columns.empty()
        columns.row(table, op.phase, (str(event.index), op.name, op.formula, shape, loss))
        self.console.print(table)
        if self.values:
            for write in step.writes:
                self.print_values(write, columns.indent, label=write.name != op.name)

    def print_steps(self, run: Iterable[Step], headings: tuple[str, ...]) -> None:
        """Print a row for each phase or iteration."""
        widths = [len(str(self.program.timeline.begin(self.iterations))), 9, 9, 26, 7, LOSS_WIDTH]
        if self.granularity == Granularity.ITERATION:
            del widths[3]
        table = plain_table(headings, widths, show_header=True)
        for step in run:
            table.add_row(*self.cells(step))
            if self.values or table.row_count == ROWS_AT_ONCE:
                self.console.print(table)
                table = plain_table(headings, widths, show_header=False)
            if self.values:
                for write in step.writes:
                    self.print_values(write, widths[0] + 2)
        self.console.print(table)

    def cells(self, step: Step) -> list[Text]:
        """The cells of a phase or an iteration."""
        place, phase = step.position, step.phase
        names = [write.name for write in step.writes]
        texts = [Text(str(place.event), style="dim"), Text(str(place.iteration))]
        if phase is None:
            texts.append(Text(str(place.epoch)))
        else:
            texts += [Text(phase, style=STYLES[phase]), Text(CODE[phase])]
        loss = loss_text(step.loss) if phase is None or "loss" in names else ""
        return [*texts, Text(str(len(names))), Text(loss)]

    def print_values(self, write: Write, indent: int, label: bool = True) -> None:
        """Print the values of a small tensor, or the range of a larger one, under its name."""
        room = self.console.width - indent - 2
        if label:
            name = f"{clean(write.name)} {shape_text(write.after.shape)}"
            self.console.print(Text(" " * indent + name, style="dim"))
        for line in value_lines(write.after, room):
            self.console.print(Text(" " * (indent + 2) + line), no_wrap=True, crop=False)


def value_lines(array: Array, room: int) -> list[str]:
    """The rows of a small tensor as text of at most ``room`` columns, or a line about its range."""
    if array.size <= SMALL and array.ndim <= 2:
        if array.ndim == 0:
            return [exact(array)]
        lines = ["  ".join(row) for row in cells(array.reshape(-1, array.shape[-1]))]
        if all(len(line) <= room for line in lines):
            return lines
    found = summarize(array)
    return [
        f"{count_text(array.size)} values, {compact(found.minimum)} to {compact(found.maximum)}, "
        f"mean {compact(found.mean)}"
    ]


def loss_text(loss: float | None) -> str:
    """A loss with six significant digits."""
    return "" if loss is None else f"{loss:.6g}"


def plain_table(headings: tuple[str, ...], widths: list[int], show_header: bool) -> Table:
    """A table of columns of fixed widths, so that its parts are aligned."""
    table = Table(
        box=None,
        show_header=show_header,
        header_style="dim",
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for heading, width in zip(headings, widths, strict=True):
        right = heading in ("#", "iteration", "epoch", "tensors", "loss")
        table.add_column(heading, width=width, justify="right" if right else "left")
    return table
