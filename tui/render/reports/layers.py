"""The layers and their Jacobians as two tables of text: shapes, parameters, work, memory."""

from collections.abc import Sequence
from functools import lru_cache

from engine.measure.costs import JacobianCost, LayerCost, jacobian_costs, layer_costs
from engine.program.program import Program
from tui.render.text.clean import clean
from tui.render.text.line import Line, fitted
from tui.render.text.numbers import count_text, dims_text, nbytes_text, shape_text

LAYER_HEADS = ("layer", "output", "parameters", "forward", "backward", "W, b", "output")
LAYER_UNITS = ("", "", "", "mult-adds", "mult-adds", "memory", "memory")
JACOBIAN_HEADS = ("Jacobian", "dims", "structure", "nonzeros", "share", "dense")
Row = tuple[str, ...]


@lru_cache(maxsize=4)
def tables(program: Program) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The cells of the two tables, their headings first."""
    layers, jacobians = layer_costs(program), jacobian_costs(program)
    return (
        (LAYER_HEADS, LAYER_UNITS, *map(layer_row, layers), total(layers)),
        (JACOBIAN_HEADS, *map(jacobian_row, jacobians)),
    )


def layer_row(cost: LayerCost) -> Row:
    """The row of a layer: shape of its output, parameters, multiply-adds, bytes."""
    numbers = (cost.parameters, cost.forward, cost.backward)
    sizes = (cost.parameter_bytes, cost.output_bytes)
    return (
        clean(cost.name),
        shape_text(cost.after),
        *(count_text(number) if number else "–" for number in numbers),
        *(nbytes_text(size) if size else "–" for size in sizes),
    )


def total(costs: Sequence[LayerCost]) -> Row:
    """The row of the sums over all layers."""
    numbers = [sum(getattr(c, what) for c in costs) for what in ("parameters", "forward")]
    numbers.append(sum(cost.backward for cost in costs))
    sizes = [sum(getattr(c, what) for c in costs) for what in ("parameter_bytes", "output_bytes")]
    return ("all", "", *map(count_text, numbers), *map(nbytes_text, sizes))


def jacobian_row(cost: JacobianCost) -> Row:
    """The row of a Jacobian; the share is of entries that are not zero by structure."""
    entries = cost.dims[0] * cost.dims[1]
    share = f"{cost.nonzeros / entries:.2g}" if entries else "–"
    return (
        cost.symbol,
        dims_text(cost.dims),
        cost.structure,
        count_text(cost.nonzeros),
        share,
        nbytes_text(cost.dense_bytes),
    )


def layer_lines(program: Program, width: int) -> list[Line]:
    """Both tables, one under the other, each column as wide as its longest cell."""
    layers, jacobians = tables(program)
    rows = program.tensors["x"].shape[0]
    lines: list[Line] = [[(f" the network, for a batch of {count_text(rows)}", "label")]]
    lines += table_lines(layers, heads=2, texts=2, width=width)
    if jacobians[1:]:
        lines += [[], [(" the Jacobians of its layers, for the same batch", "label")]]
        lines += table_lines(jacobians, heads=1, texts=3, width=width)
    return [fitted(line, width) for line in lines]


def table_lines(rows: Sequence[Row], heads: int, texts: int, width: int) -> list[Line]:
    """Texts to the left and numbers to the right; what does not fit loses its last columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    while len(widths) > 2 and sum(widths) + 2 * len(widths) > width:
        widths.pop()
    lines: list[Line] = []
    for number, row in enumerate(rows):
        cells = [
            row[i].ljust(size) if i < texts else row[i].rjust(size) for i, size in enumerate(widths)
        ]
        first, *rest = cells
        role = "dim" if number < heads else ""
        name = "dim" if number < heads else "name"
        lines.append([(f" {first}", name), ("".join(f"  {cell}" for cell in rest), role)])
    return lines
