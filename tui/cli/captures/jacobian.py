"""``gradstep jacobian`` of a captured script."""

from collections.abc import Iterator

import click

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
    if found.why_not:
        note(f"no values: {found.why_not}")
    if as_json:
        print_json(found.as_json() | {"layout": layout})
        return
    for line in lines(found, batch, layout):
        click.echo(clean(line))


def lines(found: Jacobian, batch: bool, layout: Layout) -> Iterator[str]:
    """The lines for people; one sample where it can be told, or the whole batch."""
    turned = layout == Layout.GRADIENT
    dims = found.dims if batch or found.sample_dims is None else found.sample_dims
    yield f"∂{found.of}/∂{found.wrt}  iteration {found.iteration + 1}"
    rows, cols = reversed(dims) if turned else dims
    whose = "whole batch" if dims is found.dims else "one sample"
    yield f"dimensions  {count_text(rows)} × {count_text(cols)}, {whose}, {layout} layout"
    if dims is not found.dims:
        yield f"            whole batch: {text_of(found.dims, turned)}"
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
        more = f" … of {count_text(row.size)}" if row.size > WINDOW else ""
        numbers = "  ".join(compact(value).strip() for value in row[:WINDOW])
        yield f"values      {numbers}{more}"
        yield "            the gradient that backward left, in the shape of the denominator"


def text_of(dims: tuple[int, int], turned: bool) -> str:
    """``1×288``."""
    return "×".join(map(str, reversed(dims) if turned else dims))
