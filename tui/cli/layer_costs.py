"""``gradstep show --layers``: what the layers and their Jacobians cost."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.measure.costs import jacobian_costs, layer_costs
from engine.program.program import Program
from tui.render.reports.layers import layer_lines

if TYPE_CHECKING:
    from rich.console import Console


def costs_object(program: Program) -> dict[str, Any]:
    """Both tables as plain data; multiply-adds and bytes of one batch."""
    return {
        "layers": [asdict(cost) for cost in layer_costs(program)],
        "jacobians": [asdict(cost) for cost in jacobian_costs(program)],
    }


def print_costs(program: Program, to: "Console") -> None:
    """Print both tables."""
    from rich.text import Text

    for line in layer_lines(program, to.width):
        to.print(Text("".join(text for text, _ in line).rstrip()))
