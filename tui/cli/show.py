"""``gradstep show``: the compiled program; nothing is run."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from engine.experiment.spec import (
    LinesSpec,
    LossSpec,
    OptimizerSpec,
    ScheduleSpec,
    optimizer_table,
)
from engine.program.learned import is_frozen
from engine.program.program import Program
from engine.run.op import Op
from engine.session.history import DEFAULT_BUDGET, History
from tui.cli.arguments import experiment_argument, json_option
from tui.cli.opened import eval_option, opened, unfold_option
from tui.cli.output import console, print_json
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text, nbytes_text, shape_text

if TYPE_CHECKING:
    from rich.console import Console


@click.command("show")
@experiment_argument
@unfold_option
@eval_option
@click.option("--layers", is_flag=True, help="What each layer and its Jacobians cost.")
@json_option
def show(experiment: str, layers: bool, as_json: bool) -> None:
    """The compiled program of EXPERIMENT: ops, shapes, parameters, memory. Nothing is run."""
    program = opened(experiment)
    if layers:
        from tui.cli.layer_costs import costs_object, print_costs

        if as_json:
            print_json(costs_object(program), indent=1)
        else:
            print_costs(program, console())
    elif as_json:
        print_json(program_object(program), indent=1)
    else:
        print_program(program, console())


def program_object(program: Program) -> dict[str, Any]:
    """A compiled program as plain data."""
    experiment = program.experiment
    return {
        "experiment": experiment.name,
        "description": experiment.description,
        "seed": experiment.seed,
        "dtype": experiment.dtype,
        "rows": len(program.data),
        "batch_size": program.batches.size,
        "batches": program.batches.count,
        "epochs": experiment.training.epochs,
        "iterations": program.timeline.iterations,
        "events": program.timeline.end,
        "phases": program.timeline.listing(0).phases(),
        "loss": settings(experiment.loss),
        "optimizer": optimizer(experiment.optimizer),
        **({"schedule": settings(experiment.schedule)} if experiment.schedule else {}),
        **({"clip": msgspec.structs.asdict(experiment.clip)} if experiment.clip else {}),
        "ops": [op_object(program, op) for op in program.ops],
        "parameters": parameters(program),
        "memory": memory(program),
    }


def optimizer(spec: OptimizerSpec) -> dict[str, Any]:
    """The type of an optimizer and its options; a rule in lines as its table has it."""
    return optimizer_table(spec) if isinstance(spec, LinesSpec) else settings(spec)


def settings(spec: LossSpec | OptimizerSpec | ScheduleSpec) -> dict[str, Any]:
    """The type of a loss, optimizer or schedule, and each of its options."""
    return {"type": spec.type} | msgspec.structs.asdict(spec)


def op_object(program: Program, op: Op) -> dict[str, Any]:
    """An op as plain data, with the shapes of what it reads and writes."""

    def tensors(names: tuple[str, ...]) -> list[dict[str, Any]]:
        infos = [program.tensors[name] for name in names]
        return [{"name": i.name, "shape": list(i.shape), "dtype": i.dtype} for i in infos]

    return {
        "index": op.index,
        "phase": op.phase,
        "op": op.name,
        "layer": op.layer,
        "formula": op.formula,
        "reads": tensors(op.reads),
        "writes": tensors(op.writes),
    }


def parameters(program: Program) -> list[dict[str, Any]]:
    """Each parameter with its shape, the number of its elements, and whether it stays as it is."""
    found = []
    for name, node, role, shape in program.network.parameters():
        info = program.tensors[name]
        about = {"name": name, "symbol": info.symbol, "shape": list(shape), "dtype": info.dtype}
        frozen = is_frozen(node, role)
        found.append(about | {"count": count(shape), "frozen": frozen})
    return found


def count(shape: tuple[int, ...]) -> int:
    """The number of elements of a shape."""
    total = 1
    for length in shape:
        total *= length
    return total


def memory(program: Program) -> dict[str, int]:
    """Bytes of the parameters, of what one iteration writes, and of the history.

    ``history_iterations`` is how many iterations the history holds entirely; what is beyond
    comes back by running it again.
    """
    history = History(program, DEFAULT_BUDGET)
    return {
        "parameters": sum(info.nbytes for info in program.parameters),
        "iteration": sum(program.nbytes(op) for op in program.ops),
        "history": DEFAULT_BUDGET,
        "history_iterations": history.window_budget
        // history.costs(program.timeline.listing(0))[-1],
    }


def print_program(program: Program, to: "Console") -> None:
    """Print a program."""
    from rich.text import Text

    experiment, cut = program.experiment, program.batches
    to.print(Text(clean(experiment.name), style="bold"))
    if experiment.description:
        to.print(Text(clean(experiment.description)))
    to.print(
        f"{experiment.dtype}, seed {experiment.seed}, {count_text(len(program.data))} rows in "
        f"batches of {count_text(cut.size)}"
    )
    to.print(
        f"{count_text(len(program.ops))} ops an iteration, {count_text(cut.count)} iterations an "
        f"epoch, {count_text(experiment.training.epochs)} epochs"
    )
    print_ops(program, to)
    print_parameters(program, to)
    print_memory(program, to)


def print_ops(program: Program, to: "Console") -> None:
    """Print the ops of one iteration under the names of their phases."""
    from tui.cli.op_table import OpTable, shapes

    columns = OpTable.fitting(program, to.width, len(program.ops) - 1)
    to.print()
    to.print(columns.header())
    starts = program.timeline.listing(0).phase_starts
    for start, end in zip(starts, (*starts[1:], len(program.ops)), strict=True):
        to.print(columns.heading(program.ops[start].phase))
        table = columns.empty()
        for op in program.ops[start:end]:
            shape = shapes(program, op, columns.inputs)
            columns.row(table, op.phase, (str(op.index), op.name, op.formula, shape))
        to.print(table)


def print_parameters(program: Program, to: "Console") -> None:
    """Print the parameters with their shapes and counts."""
    from rich.table import Table

    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("parameter", "symbol", "shape"):
        table.add_column(heading, overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("")
    found = parameters(program)
    for about in found:
        cells = (about["name"], about["symbol"], shape_text(about["shape"]))
        frozen = "frozen" if about["frozen"] else ""
        table.add_row(*map(clean, cells), count_text(about["count"]), frozen)
    table.add_row("all", "", "", count_text(sum(about["count"] for about in found)), "")
    to.print()
    to.print(table)


def print_memory(program: Program, to: "Console") -> None:
    """Print the bytes of the parameters, of an iteration and of the history."""
    sizes = memory(program)
    to.print()
    to.print(f"memory    parameters {nbytes_text(sizes['parameters'])}")
    to.print(f"          the tensors of one iteration {nbytes_text(sizes['iteration'])}")
    kept = f"room for {count_text(sizes['history_iterations'])} iterations"
    to.print(f"          history {nbytes_text(sizes['history'])}, {kept}; earlier ones are re-run")
