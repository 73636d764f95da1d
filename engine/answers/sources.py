"""Hand-ins from files. TOML, JSON and NPZ have a key for each answer.

Everything about size is bounded before it is read.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.answers.document import read_document
from engine.answers.handin import MOST_ANSWERS, Answer, HandIn
from engine.errors import GradstepError
from engine.files import naming, read_regular
from engine.toml_text import read_toml
from engine.worksheet.rows import LAYOUTS

MAX_BYTES = 8 * 2**20
DEPTH = 32
FOUND = "an equation on a line or on display, a table of inputs and outputs, a list of the steps"
SETTINGS = ("at", "sample", "batch", "layout")


def read_handin(path: Path) -> HandIn:
    """The answers of a file; raises GradstepError where it cannot be read at all."""
    kind = path.suffix.lower()
    with naming(path):
        data = read_regular(path, MAX_BYTES)
    if kind == ".npz":
        return of_table(path, npz(path, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GradstepError(f"{path}: is not UTF-8 text, byte {error.start}") from None
    if kind == ".toml":
        with naming(path):
            return of_table(path, read_toml(text))
    if kind == ".json":
        return of_table(path, from_json(path, text))
    if kind in (".md", ".markdown", ".tex", ".latex", ".txt"):
        try:
            answers = read_document(text, kind)
        except GradstepError as problem:
            raise GradstepError(f"{path}: {problem}") from None
        if not answers:
            raise GradstepError(f"{path}: has no answer: {FOUND}")
        return HandIn(str(path), tuple(answers))
    raise GradstepError(f"{path}: answers are .toml, .json, .npz, .md or .tex files")


def from_json(path: Path, text: str) -> Any:
    """A JSON text as plain data."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        said = "brackets in brackets without end" if isinstance(error, RecursionError) else error
        raise GradstepError(f"{path}: is no JSON: {said}") from None


def npz(path: Path, data: bytes) -> dict[str, Any]:
    """The arrays of an NPZ file by name, no pickles."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(one.file_size for one in archive.infolist())
        if size > 8 * MAX_BYTES:
            raise GradstepError(f"{path}: unpacks to {size:,} bytes, more than {8 * MAX_BYTES:,}")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files[:MOST_ANSWERS]}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise GradstepError(f"{path}: is no NPZ file of arrays: {error}") from None


def of_table(path: Path, table: Any) -> HandIn:
    """The hand-in of keys with their answers; raises GradstepError for settings that are none."""
    if not isinstance(table, Mapping):
        raise GradstepError(f"{path}: must be a table of answers by what they are about")
    answers = flattened(table)
    if not answers:
        raise GradstepError(f'{path}: has no answer: write "W1.grad" = … for each')
    if len(answers) > MOST_ANSWERS:
        raise GradstepError(f"{path}: {len(answers):,} answers are more than {MOST_ANSWERS}")
    at, sample = plain(table.get("at")), plain(table.get("sample"))
    batch, layout = plain(table.get("batch", False)), plain(table.get("layout"))
    if at is not None and not isinstance(at, str):
        raise GradstepError(f"{path}: at: must be a position in quotes, as i1:backward")
    if sample is not None and (not isinstance(sample, int) or isinstance(sample, bool)):
        raise GradstepError(f"{path}: sample: must be a whole number from 0")
    if not isinstance(batch, bool) or (batch and sample is not None):
        raise GradstepError(f"{path}: batch: must be true or false, and not beside sample")
    if layout is not None and layout not in LAYOUTS:
        raise GradstepError(f"{path}: layout: must be numerator or gradient")
    return HandIn(str(path), tuple(answers), at, sample, batch, layout)


def plain(value: Any) -> Any:
    """A setting as Python's own; an NPZ has arrays without axes."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def flattened(table: Mapping[str, Any], before: str = "", depth: int = 0) -> list[Answer]:
    """The answers of a table; a table in it is a group, whose name says nothing, or a dotted key.

    TOML makes tables of W1.grad without quotes.
    """
    found: list[Answer] = []
    for key, value in table.items():
        if not before and key in SETTINGS:
            continue
        name = f"{before}.{key}" if before and before != "answers" else key
        if isinstance(value, Mapping) and depth < DEPTH:
            found += flattened(value, name, depth + 1)
        else:
            found.append(Answer(name, value))
    return found
