"""``gradstep diff`` of two captured scripts."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from engine.capture.differences import Comparison, Difference, Outcome
from engine.capture.opened import opened_capture
from tui.cli.output import console, print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text


def diff(a: str, b: str, tolerance: float, iterations: int | None, as_json: bool) -> int:
    """Print the first difference of two captures, and why; 1 if there is one."""
    with opened_capture(a) as left, opened_capture(b) as right:
        both = min(left.timeline.iterations, right.timeline.iterations)
        wanted = both if iterations is None else min(both, iterations)
        comparison = Comparison(left, right, wanted, tolerance)
        for _ in comparison.run():
            pass
    outcome = comparison.outcome
    if as_json:
        print_json(as_object(outcome))
    else:
        for line in lines(outcome):
            click.echo(clean(line))
        show_losses(outcome)
    return DONE if outcome.same else NO


def as_object(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data."""
    return {
        "same": outcome.same,
        "iterations": outcome.compared,
        "first": None if outcome.first is None else asdict(outcome.first),
        "missing": None if outcome.missing is None else asdict(outcome.missing),
        "drift": outcome.drift,
        "reasons": outcome.reasons,
        "uncompared": outcome.unknown,
        "iteration_of_first": {
            part: {"same": same, "different": other}
            for part, (same, other) in outcome.beside.items()
        },
        "losses": [{"iteration": i, "a": x, "b": y} for i, x, y in outcome.losses],
    }


def lines(outcome: Outcome) -> Iterator[str]:
    """The lines about the difference, and the reasons for it."""
    compared = count_text(outcome.compared)
    if outcome.same:
        yield f"no difference in {compared} iterations"
    if outcome.first is not None:
        yield from difference_lines("first difference", outcome.first)
    elif not outcome.same:
        yield f"values            no difference in {compared} iterations"
    if outcome.first is not None:
        for part, (same, other) in outcome.beside.items():
            yield f"in that iteration {part}: {count_text(same)} the same, {count_text(other)} not"
    if outcome.missing is not None:
        yield from difference_lines("first missing op", outcome.missing)
    for said in outcome.drift:
        yield f"another shape     {said}"
    if outcome.unknown:
        count = count_text(outcome.unknown)
        yield f"not compared      {count} values of which neither bytes nor fingerprints were kept"
    for reason in outcome.reasons:
        yield f"why               {reason}"


def difference_lines(title: str, found: Difference, width: int = 18) -> Iterator[str]:
    """The lines about one difference, behind a title of a width."""
    indent = " " * width
    a, b = found.events
    where = f"#{a}" if a == b and a is not None else f"A {event_text(a)}, B {event_text(b)}"
    index = str(list(found.index)) if found.index else ""
    name = f": {found.tensor}{index}" if found.tensor else ""
    yield f"{title:<{width}}{where} {found.position}{name}"
    yield f"{indent}{found.what}"
    if found.values is not None:
        left, right = found.values
        yield f"{indent}A {left}, B {right}"
    if found.op:
        module = f"  in {found.module}" if found.module else ""
        yield f"{indent}{found.op}" + (f"  {found.place}" if found.place else "") + module


def event_text(event: int | None) -> str:
    """An event, or that there is none."""
    return "—" if event is None else f"#{event}"


def show_losses(outcome: Outcome) -> None:
    """Print the losses of both side by side."""
    if not any(x != y for _, x, y in outcome.losses):
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("iteration", "loss of A", "loss of B"):
        table.add_column(heading, justify="right")
    for iteration, *pair in outcome.losses:
        texts = ["—" if value is None else compact(value, 10).strip() for value in pair]
        table.add_row(Text(str(iteration)), *map(Text, texts))
    console().print(table)
