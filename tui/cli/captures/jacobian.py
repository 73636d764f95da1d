"""``gradstep jacobian`` of a captured script."""

from collections.abc import Iterator

import click

from engine.arrays import Array
from engine.capture.opened import debugger_of, opened_capture
from engine.capture.paths import WINDOW, Jacobian
from engine.capture.paths import jacobian as jacobian_of
from engine.jacobian.operator import Layout
from engine.run.position_text import parse_position
from tui.cli.output import note, print_json
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text, nbytes_text, shape_text


def jacobian(
    name: str, of: str, wrt: str, at: str | None, batch: bool, layout: Layout, as_json: bool
) -> None:
    """Print dimensions, structure and chain of a Jacobian of a captured script."""
    with opened_capture(name) as run:
        event = 0 if at is None else parse_position(at, debugger_of(run))
        found = jacobian_of(run, run.timeline.iteration(event), of, wrt)
    if found.too_much or found.why_not:
        note(f"no values: {found.too_much or found.why_not}")
    if as_json:
        print_json(found.as_json() | {"layout": layout})
        return
    for line in lines(found, batch, layout):
        click.echo(clean(line))


def lines(found: Jacobian, batch: bool, layout: Layout) -> Iterator[str]:
    """The lines for people; one sample where it can be told, or the whole batch."""
    turned = layout == Layout.GRADIENT
    whole = batch or found.sample_dims is None
    dims = found.dims if whole or found.sample_dims is None else found.sample_dims
    yield f"∂{found.of}/∂{found.wrt}  iteration {found.iteration + 1}"
    rows, cols = reversed(dims) if turned else dims
    whose = "whole batch" if whole else "one sample"
    yield f"dimensions  {count_text(rows)} × {count_text(cols)}, {whose}, {layout} layout"
    if not whole:
        yield f"            whole batch: {text_of(found.dims, turned)}"
    elif not batch and all(one.parallel for one in found.chain):
        yield "            of the same size for one sample"
    elif not batch:
        yield "            the samples are coupled on the way, or there are none: no single one"
    shapes = f"{shape_text(found.row_shape)} by {shape_text(found.col_shape)}"
    size = nbytes_text(found.dims[0] * found.dims[1] * found.itemsize)
    yield f"structure   {found.structure}; of {shapes}; dense it would take {size}"
    yield f"chain       {' · '.join(text_of(one.dims, False) for one in found.chain)}"
    for one in found.chain:
        yield f"  {one.name}  {text_of(one.dims, False)}  {one.structure}"
        for formula in one.ops if len(one.ops) > 1 else ():
            yield f"      {formula}"
    if found.values is not None:
        row = found.values.reshape(-1)
        yield f"values      {numbers(row[:WINDOW])}{more_of(row.size)}"
        yield "            the gradient that backward left, in the shape of the denominator"
    elif found.numbers is not None and not found.too_much:
        height, width = found.dims
        window = found.numbers.window(range(min(WINDOW, height)), range(min(WINDOW, width)))
        for i, row in enumerate(window):
            yield f"{'values' if not i else '':<12}{numbers(row)}{more_of(width)}"
        yield f"            from stored operands, in float64{more_of(height, 'rows')}"


def numbers(row: Array) -> str:
    """Some numbers of a row."""
    return "  ".join(compact(float(value)).strip() for value in row)


def more_of(count: int, of: str = "") -> str:
    """How many there are, where not all are shown."""
    return f" … of {count_text(count)} {of}".rstrip() if count > WINDOW else ""


def text_of(dims: tuple[int, int], turned: bool) -> str:
    """``1×288``."""
    return "×".join(map(str, reversed(dims) if turned else dims))
