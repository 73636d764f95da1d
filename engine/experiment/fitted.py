"""An experiment file fitted to a table: what to read, a small network, a loss for its targets."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import ExperimentError, GradstepError
from engine.experiment.data_files import check_size
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_table import CSVTable, absent, number
from engine.experiment.data_text import MAX_CSV_BYTES
from engine.wording import listed, shown

MOST_CLASSES = 20  # distinct whole numbers of a target up to which they are taken for classes
FEW_ROWS = 50  # fewer are not split
HIDDEN = 16


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, what its cells are, how many of them say nothing."""

    name: str
    numeric: bool
    missing: int
    distinct: int
    whole: bool


def fitted_text(file: Path, data: Path, targets: Sequence[str]) -> str:
    """The text of an experiment file beside which the table lies, or wherever that is.

    Raises ExperimentError for a table that cannot be read, and GradstepError for targets that it
    has not, or where nothing is left to learn from.
    """
    try:
        check_size(data, "csv", MAX_CSV_BYTES)
        table = CSVTable(data)
        header = not (table.looks_headless() and set(targets) - set(table.header))
        if not header:
            table = CSVTable(data, has_header=False)
    except DataProblem as error:
        raise ExperimentError(str(data), error.problems) from None
    unknown = [name for name in targets if table.header.count(name) != 1]
    if unknown or not targets:
        said = f"no column {shown(unknown[0])} (once)" if unknown else "--target COLUMN is missing"
        raise GradstepError(f"{data}: {said}; its columns: {listed(table.header)}")
    columns = {name: column(table, name) for name in table.header}
    inputs = [c.name for c in columns.values() if c.name not in targets and c.numeric]
    inputs = [name for name in inputs if table.header.count(name) == 1 and columns[name].distinct]
    if not inputs:
        raise GradstepError(f"{data}: no other column than the targets has numbers to learn from")
    return text(file, data, table, columns, inputs, list(targets), header)


def column(table: CSVTable, name: str) -> Column:
    """What the cells of a column are."""
    place = table.header.index(name)
    cells = [row[place] for _, row in table.lines]
    there = [cell for cell in cells if not absent(cell)]
    try:
        values = np.array([number(cell) for cell in table.plain(there)])
        whole = bool((values == np.floor(values)).all() and (abs(values) < 2**31).all())
        numeric = bool(np.isfinite(values).all())
    except ValueError:
        numeric = whole = False
    return Column(name, numeric, len(cells) - len(there), len(set(there)), whole)


def text(
    file: Path,
    data: Path,
    table: CSVTable,
    columns: dict[str, Column],
    inputs: list[str],
    targets: list[str],
    header: bool,
) -> str:
    """The lines of the file, each choice with its reason."""
    goal, rows = columns[targets[0]], len(table.lines)
    classes = len(targets) == 1 and (
        not goal.numeric or (goal.whole and 2 <= goal.distinct <= MOST_CLASSES)
    )
    others = [name for name in table.header if name not in targets]
    left_out = [name for name in others if name not in inputs]
    gone = sum(columns[name].missing for name in (*inputs, *targets))
    if classes and goal.missing:
        gone += 1
    out = goal.distinct if classes else len(targets)
    chosen = '"others"' if not left_out else f"[{', '.join(map(quoted, inputs))}]"
    said = "every column but the targets" if not left_out else f"{len(inputs)} columns of numbers"
    lines = [
        f"# Fitted to {quoted(data.name)}: {rows:,} rows, {len(table.header)} columns.",
        "",
        "[data]",
        f"csv = {quoted(relative(file, data))}",
        f"inputs = {chosen}  # {said}",
    ]
    if left_out:
        names = ", ".join(quoted(name) for name in left_out[:10])
        lines.append(f"# left out, being no numbers: {names}{' …' if left_out[10:] else ''}")
    lines.append(f"targets = [{', '.join(map(quoted, targets))}]")
    if not header:
        lines.append('header = false  # the first line has numbers: columns are "0", "1", …')
    if gone:
        lines.append('missing = "drop"  # rows that miss a value; "mean" fills it in, "refuse"')
    lines += ["standardize = true", f"batch_size = {min(32, max(1, rows // 2))}", "shuffle = true"]
    if rows >= FEW_ROWS and not gone:
        lines.append("validation = 0.2  # the share of rows that is set aside")
    lines += ["", "[[layers]]", 'type = "linear"', f"out = {HIDDEN}", ""]
    lines += ["[[layers]]", 'type = "relu"', "", "[[layers]]", 'type = "linear"']
    why = f"one for each of the classes of {quoted(goal.name)}" if classes else "one a target"
    lines += [f"out = {max(out, 1)}  # {why}", "", "[loss]"]
    lines += [f'type = "{"cross_entropy" if classes else "mse"}"', ""]
    lines += ["[optimizer]", 'type = "adam"', "lr = 0.01", "", "[training]", "epochs = 20"]
    return "\n".join(lines) + "\n"


def relative(file: Path, data: Path) -> str:
    """The path of the table as the file has to name it."""
    found = os.path.relpath(data, file.parent)
    try:
        found.encode()
    except UnicodeEncodeError:
        raise GradstepError(f"{data}: the path is no UTF-8, which a TOML file must be") from None
    return found.replace(os.sep, "/")


def quoted(name: str) -> str:
    """A text as TOML writes it, in one line."""
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
