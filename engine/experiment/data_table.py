"""The cells of a CSV file as columns of numbers and of labels; everything wrong is counted."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_text import DECIMAL_COMMA, NAMES, NUMBER, Format, format_of, read_text
from engine.wording import nearest, shown

MAX_CLASSES = 2**31
LABELS = "one_hot = true turns labels into columns; the loss cross_entropy takes them as they are"
MISSING = frozenset(("", "na", "n/a", "null", "none", "?", "-", "missing"))
INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*\Z")
WIDE = 30  # columns: beyond, nobody lists them one by one
Missing = Literal["refuse", "drop", "mean"]
Line = tuple[int, list[str]]


@dataclass
class CSVTable:
    """The cells of a CSV file, with the line each row stands on.

    What is not given is found out: ``separator``, ``decimal``, ``encoding``. Without a ``header``
    columns are called "0", "1", …  Raises DataProblem for a file that is no table.
    """

    path: Path
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    has_header: bool = True
    header: list[str] = field(init=False)
    lines: list[Line] = field(init=False)
    form: Format = field(init=False)

    def __post_init__(self) -> None:
        text = read_text(self.path, self.encoding)
        self.form = format_of(text, self.separator, self.decimal)
        self.comments: list[Line] = []
        self.lines = self.read(text)
        if not self.lines:
            said = "the file is empty; it needs a header line and rows"
            raise DataProblem("csv", f"{self.path}: {said}")
        if self.has_header:
            self.header = [name.strip() for name in self.take_header()]
        else:
            self.header = [str(i) for i in range(len(self.lines[0][1]))]
        if not self.lines:
            raise DataProblem("csv", f"{self.path}: there is a header but no row of data")
        self.check_widths()

    def read(self, text: str) -> list[Line]:
        """The rows that are neither blank nor comments, each with its line number."""
        if self.form.separator == " ":
            cut = ((number, line.split()) for number, line in enumerate(text.splitlines(), 1))
            return list(self.rows(cut))
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=self.form.separator, strict=True
        )
        try:
            return list(self.rows((reader.line_num, row) for row in reader))
        except csv.Error as error:
            said = f"line {reader.line_num}: not a CSV file: {error}"
            raise DataProblem("csv", f"{self.path}: {said}") from None

    def rows(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The lines that are neither blank nor comments, which are kept in ``comments``.

        A comment begins with # and stands above all rows, or has no separator where they have.
        """
        width = 0
        for number, row in lines:
            if not any(map(str.strip, row)):
                continue
            if row[0].startswith("#") and (not width or len(row) == 1 < width):
                self.comments.append((number, row))
                continue
            width = width or len(row)
            yield number, row

    def take_header(self) -> list[str]:
        """The cells of the header line, which is taken out of the rows."""
        # NumPy writes "# a,b": as wide as the rows, right above them, and they are numbers.
        first, cells = self.lines[0]
        above = [row for number, row in self.comments if number < first]
        if above and len(above[-1]) == len(cells) > 1 and all(map(self.numeric, cells)):
            return [above[-1][0].lstrip("# "), *above[-1][1:]]
        # A header called "#id" is no comment: the only line with # and as wide as the rows.
        if above and len(above) == 1 and len(above[0]) == len(cells) > 1:
            return above[0]
        return self.lines.pop(0)[1]

    def numeric(self, cell: str) -> bool:
        """Whether a cell is a number, in either way of writing."""
        return bool(NUMBER.match(cell) or DECIMAL_COMMA.match(cell))

    def check_widths(self) -> None:
        """Raise DataProblem where rows have another number of cells than the header; all counted.

        A separator at the end of every row makes no column.
        """
        width = len(self.header)
        if all(len(row) == width + 1 and not row[-1].strip() for _, row in self.lines):
            self.lines = [(number, row[:-1]) for number, row in self.lines]
        wrong = [(line, row) for line, row in self.lines if len(row) != width]
        if wrong:
            line, row = wrong[0]
            said = f"line {line} has {len(row)} cells, the header has {width}"
            if len(wrong) > 1:
                said += f", and {len(wrong) - 1:,} more lines have another number"
            if self.separator is None and len(wrong) > 1:
                found = NAMES[self.form.separator]
                said += f'; taken as the separator was {found}: separator = "…" names another'
            raise DataProblem("csv", f"{self.path}: {said}")

    # -- columns

    def columns(self, inputs: Sequence[str] | str, targets: Sequence[str]) -> list[str]:
        """The input columns: those named, or with "others" all that are no targets."""
        if isinstance(inputs, str):
            return [name for name in self.header if name not in targets]
        return list(inputs)

    def require(self, *wanted: tuple[str, Sequence[str]]) -> None:
        """Raise DataProblem with every column that is missing, or that the header has twice."""
        problems = [
            (field, f"{self.path}: {self.missing(column)}")
            for field, columns in wanted
            for column in columns
            if self.header.count(column) != 1
        ]
        if problems and self.looks_headless():
            cell = next(cell for cell in self.header if self.numeric(cell))
            said = f"{self.path}: the first line is taken as the header, and it has numbers "
            said += f"({shown(cell)}): where there is no header line, header = false calls "
            problems.insert(0, ("header", said + 'the columns "0", "1", …'))
        if problems:
            raise DataProblem(*problems[0], *problems[1:])

    def looks_headless(self) -> bool:
        """Whether the header has a number among its names, as a row would."""
        return self.has_header and any(map(self.numeric, self.header))

    def missing(self, column: str) -> str:
        """What to say about a column that is not there exactly once."""
        if column in self.header:
            return f"the header has {shown(column)} more than once"
        many = len(self.header) > WIDE or column in ("*", "others")
        others = '; inputs = "others" takes all other columns than the targets' if many else ""
        return f"no column {shown(column)}; {nearest(column, self.header)}{others}"

    def select(self, columns: Sequence[str], policy: Missing) -> None:
        """With the policy "drop", leave out the rows that miss a value in one of these columns."""
        if policy != "drop":
            return
        places = [self.header.index(column) for column in columns]
        kept = [line for line in self.lines if not any(map(absent, (line[1][p] for p in places)))]
        if not kept:
            said = f"every row misses a value in {', '.join(map(shown, columns[:5]))}"
            raise DataProblem("missing", f"{self.path}: {said}: no row is left")
        self.lines = kept

    def numbers(self, columns: Sequence[str], field: str, policy: Missing = "refuse") -> Array:
        """Columns as (N, len(columns)) of float64.

        With "mean" an absent value is the mean of its column. DataProblem for cells that are no
        numbers, each column with how many.
        """
        out = np.empty((len(self.lines), len(columns)))
        problems: list[tuple[str, str]] = []
        single = field == "targets" and len(columns) == 1
        for j, column in enumerate(columns):
            place = self.header.index(column)
            cells = [row[place] for _, row in self.lines]
            try:
                if "_" in "".join(cells):  # which float would allow
                    raise ValueError
                out[:, j] = list(map(float, self.plain(cells)))
                if policy == "mean" and field == "inputs":
                    out[:, j] = self.filled(column, out[:, j], problems)
            except ValueError:
                out[:, j] = self.one_by_one(column, cells, policy, field, problems, single)
        if problems:
            raise DataProblem(*problems[0], *problems[1:])
        return out

    def plain(self, cells: list[str]) -> list[str]:
        """Cells with a decimal point, whatever the file writes."""
        if self.form.decimal == ".":
            return cells
        return [cell.replace(".", "").replace(",", ".") for cell in cells]

    def one_by_one(
        self,
        column: str,
        cells: list[str],
        policy: Missing,
        field: str,
        problems: list[tuple[str, str]],
        single: bool,
    ) -> Array:
        """A column with cells that are no numbers: what is absent as NaN, or a problem added."""
        values = np.full(len(cells), np.nan)
        gone: list[int] = []
        wrong: list[int] = []
        for i, cell in enumerate(self.plain(cells)):
            try:
                values[i] = number(cell)
            except ValueError:
                (gone if absent(cells[i]) else wrong).append(i)
        if wrong:
            hint = f"; {LABELS}" if single else self.remedy(cells)
            problems.append((field, self.counted(column, cells, wrong, "is not a number") + hint))
        if gone and (policy == "refuse" or field == "targets"):
            hint = 'missing = "drop" leaves such rows out'
            hint += ', "mean" takes the mean of the column' if field == "inputs" else ""
            said = self.counted(column, cells, gone, "is not a number")
            problems.append((field, f"{said}; {hint}"))
        if gone and policy == "mean" and field == "inputs":
            return self.filled(column, values, problems)
        return values

    def remedy(self, cells: list[str]) -> str:
        """The field that mends cells which are numbers in another way of writing."""
        if any(map(DECIMAL_COMMA.match, cells)) and self.form.decimal == ".":
            return '; decimal = "," reads decimal commas'
        if any(map(NUMBER.match, cells)) and self.form.decimal == ",":
            return '; decimal = "." reads decimal points'
        return ""

    def filled(self, column: str, values: Array, problems: list[tuple[str, str]]) -> Array:
        """A column with its mean for every NaN."""
        absent_here = np.isnan(values)
        if not absent_here.any():
            return values
        if absent_here.all():
            said = f"{self.path}: column {shown(column)} has no number to take a mean of"
            problems.append(("missing", said))
            return values
        out: Array = np.where(absent_here, values[~absent_here].mean(), values)
        return out

    def counted(self, column: str, cells: list[str], places: list[int], said: str) -> str:
        """``line 2, column 'b': an empty cell is not a number, and 133 more like it``."""
        first = cells[places[0]]
        found = shown(first) if first.strip() else "an empty cell"
        where = f"{self.path}: line {self.lines[places[0]][0]}, column {shown(column)}"
        more = f", and {len(places) - 1:,} more ({len(places):,} in all)" if places[1:] else ""
        return f"{where}: {found} {said}{more}"

    def kind(self, column: str) -> Literal["integers", "numbers", "text"]:
        """What the cells of a column are: text only where none is a number, so no slip makes it so.

        Cells that are absent tell nothing.
        """
        place = self.header.index(column)
        cells = self.plain([row[place] for _, row in self.lines if not absent(row[place])])
        numeric = [cell for cell in cells if is_number(cell)]
        if cells and not numeric:
            return "text"
        whole = len(numeric) == len(self.lines) and all(map(INTEGER.match, numeric))
        return "integers" if whole else "numbers"

    def integers(self, column: str) -> NDArray[np.int64]:
        """The whole numbers of a column as they are, (N,) of int64; DataProblem beyond 64 bits."""
        place = self.header.index(column)
        cells = [row[place] for _, row in self.lines]
        try:
            return np.array(list(map(int, self.plain(cells))), dtype=np.int64)
        except (OverflowError, ValueError):  # int reads no more than 4300 digits
            wrong = [i for i, cell in enumerate(cells) if abs(number(cell)) >= 2**63]
            said = self.counted(column, cells, wrong, "is beyond the integers of 64 bits")
            raise DataProblem("targets", said) from None

    def refuse_amounts(self, column: str) -> None:
        """DataProblem for numbers with fractions that hardly come twice: amounts, not classes."""
        place = self.header.index(column)
        cells = [row[place] for _, row in self.lines if not absent(row[place])]
        wrong = [i for i, cell in enumerate(self.plain(cells)) if not is_whole(cell)]
        distinct = len(set(cells))
        many = distinct > max(2, len(cells) / 2)
        if wrong and many and all(map(is_number, self.plain(cells))):
            said = f"column {shown(column)} has numbers such as {shown(cells[wrong[0]])}"
            said = f"{said}, {distinct} different ones, and the loss takes classes"
            hint = 'the loss type = "mse" predicts numbers; one_hot = true makes classes of them'
            raise DataProblem("targets", f"{said}: {hint}")

    def labels(self, column: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The distinct labels of a column in order, and each row's index among them, (N,) of int64.

        Whole numbers are ordered as numbers, anything else as text. DataProblem for empty cells.
        """
        place = self.header.index(column)
        cells = [row[place].strip() for _, row in self.lines]
        empty = [i for i, cell in enumerate(cells) if not cell]
        if empty:
            said = self.counted(column, cells, empty, "is no label")
            raise DataProblem("targets", f'{said}; missing = "drop" leaves such rows out')
        try:
            cells = [str(whole(cell)) for cell in self.plain(cells)]
            labels = tuple(sorted(set(cells), key=int))
        except ValueError:
            labels = tuple(sorted(set(cells)))
        index = {label: i for i, label in enumerate(labels)}
        return labels, np.array([index[cell] for cell in cells], dtype=np.int64)


def is_whole(cell: str) -> bool:
    """Whether a cell is a whole number, however it is written."""
    try:
        whole(cell)
    except ValueError:
        return False
    return True


def absent(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    word = cell.strip().lower()
    return word in MISSING or word == "nan"


def number(cell: str) -> float:
    """A number as CSV files write it; a ValueError for anything else."""
    if "_" in cell:  # which float would allow
        raise ValueError("an underscore is no part of a number")
    return float(cell)


def is_number(cell: str) -> bool:
    """Whether a cell with a decimal point is a number."""
    try:
        number(cell)
    except ValueError:
        return False
    return True


def whole(cell: str) -> int:
    """A whole number, also one written as 2.0; a ValueError for anything else."""
    value = number(cell)
    if not value.is_integer() or abs(value) >= MAX_CLASSES:
        raise ValueError("not a whole number")
    return int(value)
