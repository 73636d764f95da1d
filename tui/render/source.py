"""The script that was captured, line by line, as a program to step through."""

from dataclasses import dataclass
from functools import lru_cache

from engine.run.code_places import is_file
from engine.run.op import Op
from engine.run.timeline import Listing
from tui.render.text.clean import clean
from tui.render.text.line import Line, fitted
from tui.view.snapshot import View

TAB = 4
LONGEST = 1000  # characters of a line that is shown


@dataclass(frozen=True)
class SourceRow:
    """A line of a script, and the first op of the iteration that comes from it."""

    file: str
    number: int
    text: str
    op: Op | None


def source_rows(view: View) -> list[SourceRow]:
    """The lines of the file that the op about to run comes from; none where it was not kept."""
    scripts = view.run.source.scripts
    file = current_file(view, tuple(scripts))
    return [] if file is None else rows_of_file(view.listing, file, scripts[file])


def current_file(view: View, paths: tuple[str, ...]) -> str | None:
    """The file of the op about to run, or of the nearest op before it, among those kept."""
    ops, at = view.listing.ops, view.position.op
    for op in (*ops[at : at + 1], *reversed(ops[:at]), *ops[at:]):
        found = next((path for path in paths if op.file and is_file(path, op.file)), None)
        if found is not None:
            return found
    return paths[0] if paths else None


@lru_cache(maxsize=4)
def rows_of_file(listing: Listing, file: str, text: str) -> list[SourceRow]:
    """The lines of a file, with the first op of each."""
    first: dict[int, Op] = {}
    for op in listing.ops:
        if op.file and is_file(file, op.file):
            first.setdefault(op.line, op)
    lines = text.expandtabs(TAB).split("\n")
    return [SourceRow(file, i, line[:LONGEST], first.get(i)) for i, line in enumerate(lines, 1)]


def is_current(view: View, row: SourceRow) -> bool:
    """Whether the op about to run, or the last one at the end, comes from a line."""
    op = view.op or (view.listing.ops[-1] if len(view.listing) else None)
    return op is not None and op.line == row.number and is_file(row.file, op.file or "")


def source_line(view: View, row: SourceRow, width: int, selected: bool) -> Line:
    """One line: ▶ about to run, ✓ run in this iteration, ● ○ a breakpoint on or off."""
    current = is_current(view, row)
    done = row.op is not None and row.op.index < view.position.op
    stop = stop_at(view, row)
    gutter = {None: " ", True: "●", False: "○"}[stop]
    mark = "▶" if current else "✓" if done else " "
    role = "current" if current else "" if row.op is not None else "dim"
    line = fitted(
        [
            (gutter, "bad" if stop else "dim"),
            (mark, "key" if current else "dim"),
            (f"{row.number:>4} ", "dim"),
            (clean(row.text), role),
        ],
        width,
    )
    return [(text, "cursor" if selected else span) for text, span in line]


def stop_at(view: View, row: SourceRow) -> bool | None:
    """Whether a breakpoint at an op of a line is enabled; None where there is none."""
    if row.op is None or not view.signs.stops:
        return None
    found = [
        enabled
        for index, enabled in view.signs.stops.items()
        if view.listing.ops[index].line == row.number
        and is_file(row.file, view.listing.ops[index].file or "")
    ]
    return any(found) if found else None
