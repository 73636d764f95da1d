"""What a data file is, from its first bytes and lines: a text with its separator, or what else.

One place looks, so that each surprise is either read or named with the field that mends it.
"""

import codecs
import csv
import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from engine.experiment.data_problem import DataProblem
from engine.files import open_regular
from engine.wording import shown

MAX_CSV_BYTES = 2**28  # the cells of a CSV file take many times its size as text
SAMPLE_LINES = 50
SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "blanks"}
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\Z")
DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+([eE][+-]?\d+)?\s*\Z")
DECIMAL_POINT = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*\Z")
# What files begin with that people give for a CSV file, and what to do with them.
SAVE = "save the sheet as CSV (UTF-8) first"
FOREIGN = {
    b"PK\x03\x04": f"an archive: an NPZ file belongs to npz = …; of a workbook, {SAVE}",
    b"\xd0\xcf\x11\xe0": f"a workbook of an old Excel: {SAVE}",
    b"\x93NUMPY": "an array of NumPy: put x and y into one file with np.savez, and write npz = …",
    b"SQLite format 3": "an SQLite database: export the table as CSV first",
    b"%PDF": "a PDF document, not a table",
    b"\x89PNG": "a picture: put many of them into an NPZ file, x of shape (N, height, width)",
    b"\xff\xd8\xff": "a picture: put many of them into an NPZ file, x of shape (N, height, width)",
    b"GIF8": "a picture: put many of them into an NPZ file, x of shape (N, height, width)",
    b"PAR1": "a Parquet file: export it as CSV first",
    b"\x89HDF": "an HDF5 file: put its arrays x and y into an NPZ file",
    b"ARROW1": "an Arrow file: export it as CSV first",
    b"BZh": "compressed with bzip2: decompress it first",
    b"\xfd7zXZ": "compressed with xz: decompress it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: decompress it first",
    b"\x80\x04\x95": "a pickle, which could run anything: it is not opened",
}
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Format:
    """How the text of a file is cut into cells; ``separator`` " " stands for any blanks."""

    separator: str = ","
    decimal: str = "."


def read_text(path: Path, encoding: str | None = None) -> str:
    """The text of a file, also a compressed one, whatever its encoding says of itself.

    Raises DataProblem for a file that is none, is too large, or whose encoding must be named.
    """
    content = read_bytes(path)
    foreign = next((said for start, said in FOREIGN.items() if content.startswith(start)), "")
    if foreign and b"xl/" in content:
        foreign = f"a workbook (Excel), whatever its name says: {SAVE}"
    if foreign:
        raise DataProblem("csv", f"{path}: not a CSV file but {foreign}")
    if encoding is None:
        encoding = encoding_of(content)
    try:
        # Bytes that no text begins with are told here and not found in a cell.
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise DataProblem("encoding", f"no encoding is called {shown(encoding)}") from None
    except (UnicodeError, ValueError) as error:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        if encoding != "utf-8":
            said = f"line {line}: not {shown(encoding)} text"
            raise DataProblem("encoding", f"{path}: {said}") from None
        reason = getattr(error, "reason", error)
        said = f"line {line}: not UTF-8 text: {reason}; written on Windows, or in western Europe"
        mend = 'encoding = "cp1252" or "latin-1" reads it'
        raise DataProblem("csv", f"{path}: {said}? {mend}") from None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, decompressed if it is a gzip file; at most MAX_CSV_BYTES."""
    with open_regular(path) as file:
        if file.read(2) != b"\x1f\x8b":
            file.seek(0)
            return file.read(MAX_CSV_BYTES + 1)
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                content = unpacked.read(MAX_CSV_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataProblem("csv", f"{path}: a damaged gzip file: {error}") from None
    if len(content) > MAX_CSV_BYTES:
        said = f"more than the limit of {MAX_CSV_BYTES:,} bytes when it is decompressed"
        raise DataProblem("csv", f"{path}: {said}")
    return content


def encoding_of(content: bytes) -> str:
    """The encoding that the first bytes tell of, utf-8 where they tell nothing."""
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return name
    start = content[:1000]
    # Every other byte of Latin text in UTF-16 is zero.
    if len(start) > 3 and start[1::2].count(0) > 0.8 * len(start[1::2]):
        return "utf-16-le"
    if len(start) > 3 and start[0::2].count(0) > 0.8 * len(start[0::2]):
        return "utf-16-be"
    return "utf-8"


def format_of(text: str, separator: str | None, decimal: str | None) -> Format:
    """How a text is cut: what is given, and what its first lines look like for the rest."""
    lines = sample(text)
    if separator is None:
        separator = separator_of(lines)
    if decimal is None:
        cells = [cell for line in lines for cell in split(line, separator)]
        comma = separator != "," and any(map(DECIMAL_COMMA.match, cells))
        point = any(DECIMAL_POINT.match(cell) for cell in cells)
        decimal = "," if comma and not point else "."
    return Format(separator, decimal)


def sample(text: str) -> list[str]:
    """The first lines that are neither blank nor a comment."""
    found = []
    for line in text[: 2**20].splitlines()[: 20 * SAMPLE_LINES]:
        if line.strip() and not line.startswith("#"):
            found.append(line)
        if len(found) == SAMPLE_LINES:
            break
    return found


def split(line: str, separator: str) -> list[str]:
    """The cells of one line; none where it cannot be cut so, or a cell goes on in the next."""
    if separator == " ":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []


def separator_of(lines: list[str]) -> str:
    """The separator that cuts every line into equally many cells, a comma if in doubt."""
    widths = {sep: {len(split(line, sep)) for line in lines} for sep in (*SEPARATORS, " ") if lines}
    # A line of no cells has quotes that do not stand beside this separator, or goes on.
    even = [sep for sep, found in widths.items() if len(found - {0}) == 1 and max(found) > 1]
    fewest = {sep: sum(not split(line, sep) for line in lines) for sep in even}
    even = [sep for sep in even if fewest[sep] == min(fewest.values())]
    for sep in even if "," in even else ():
        # 1,5;2,3 has as many commas in each line as it has numbers: they are decimal ones.
        cells = [cell for line in lines for cell in split(line, sep) if "," in cell]
        if sep not in ", " and cells and all(map(DECIMAL_COMMA.match, cells)):
            return sep
    if "," in even:
        return ","
    if even and even != [" "]:
        return even[0]
    if even and all(NUMBER.match(cell) for line in lines[1:] for cell in line.split()[:-1]):
        return " "
    if any("," in line for line in lines[:1]):
        return ","
    # No line is like the others: what the first one has most of.
    counts = {sep: lines[0].count(sep) for sep in SEPARATORS} if lines else {}
    return max(counts, key=lambda sep: counts[sep], default=",") if any(counts.values()) else ","
