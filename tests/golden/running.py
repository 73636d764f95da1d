"""Runs the lines of an item in a folder of its own, and writes down what a person would see.

The first word of a line says what is done: ``cat FILE`` shows a file, ``tables FILE`` a recording's
contents, ``copy A B`` copies a file, ``fresh …`` is a command in a process of its own, ``press KEYS
| …`` one with a screen that nobody sees, ``echo TEXT | …`` a command that reads TEXT. Everything
else is a command of gradstep, run in this process.
"""

import contextlib
import hashlib
import io
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

from tests.golden import product
from tests.golden.masks import masked

INPUTS = Path(__file__).parent / "inputs"
RECORDINGS = Path(__file__).parents[1] / "recordings"
# The environment of every command: one home, one width, one thread, no colour.
SET = {
    "GRADSTEP_HOME": "home",
    "COLUMNS": "100",
    "LINES": "40",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PYTHONIOENCODING": "utf-8",
    "OPENBLAS_NUM_THREADS": "1",
}
DRIVER = "textual.drivers.headless_driver:HeadlessDriver"  # draws nowhere
UNSET = ("FORCE_COLOR", "GRADSTEP_DEBUG", "TEXTUAL_DRIVER", "COLORTERM", "PYTHONWARNINGS")


@contextlib.contextmanager
def surroundings(folder: Path, more: dict[str, str] | None = None) -> Iterator[None]:
    """The environment and the folder of an item; as before afterwards."""
    before, here = dict(os.environ), Path.cwd()
    os.environ.update(SET | (more or {}))
    for name in UNSET:
        os.environ.pop(name, None)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def furnish(folder: Path) -> None:
    """An empty folder, but for the files that items read."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True)
    for file in (*INPUTS.iterdir(), *RECORDINGS.iterdir()):
        if file.is_file():
            shutil.copy(file, folder / file.name)


def transcript(lines: tuple[str, ...], folder: Path) -> bytes:
    """What comes of all lines, each below its own words."""
    furnish(folder)
    with surroundings(folder):
        said = b"".join(b"$ " + line.encode() + b"\n" + run_line(line) for line in lines)
    return masked(said, product.root(), folder.resolve())


def run_line(line: str) -> bytes:
    """What comes of one line."""
    text, pipe, rest = line.partition(" | ")
    words = shlex.split(rest if pipe else line)
    if pipe and text.startswith("press "):
        pressed = {"TEXTUAL_PRESS": text.removeprefix("press "), "TEXTUAL_DRIVER": DRIVER}
        return own_process(words, "", pressed)
    typed = text.removeprefix("echo ") if pipe else ""
    first = words[0] if words else ""
    if first in FILES:
        return FILES[first](*(Path(each) for each in words[1:]))
    if first == "fresh":
        return own_process(words[1:], typed)
    return in_process(words, typed)


def report(status: int, out: bytes, err: bytes) -> bytes:
    """An end of a command: its status and both streams."""
    parts = [f"[status {status}]\n".encode()]
    for name, said in ((b"stdout", out), (b"stderr", err)):
        if said:
            parts.append(
                b"[" + name + b"]\n" + said + (b"" if said.endswith(b"\n") else b"[cut]\n")
            )
    return b"".join(parts)


def in_process(words: list[str], typed: str) -> bytes:
    """A command in this process, with its own streams."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = {
        "argv": ["gradstep", *words],
        "stdin": io.TextIOWrapper(io.BytesIO(typed.encode() + b"\n"), encoding="utf-8"),
        "stdout": io.TextIOWrapper(out, encoding="utf-8", write_through=True),
        "stderr": io.TextIOWrapper(err, encoding="utf-8", write_through=True),
    }
    before = {name: getattr(sys, name) for name in streams}
    vars(sys).update(streams)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            status = ended(product.find("main"))
    finally:
        vars(sys).update(before)
    return report(status, out.getvalue(), err.getvalue())


def ended(main: object) -> int:
    """Call what ends with an exit status; a crash is shown by its kind alone."""
    assert callable(main)
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except Exception as crash:
        print("crash:", *traceback.format_exception_only(crash), file=sys.stderr)
        return -1
    return 0


def own_process(words: list[str], typed: str, more: dict[str, str] | None = None) -> bytes:
    """A command as people run it: what it imports is imported by nobody before it."""
    command = [sys.executable, "-m", "tui", *words]
    env = os.environ | (more or {})
    done = subprocess.run(command, input=typed.encode(), capture_output=True, env=env, check=False)
    return report(done.returncode, done.stdout, done.stderr)


def cat(file: Path) -> bytes:
    """A file as it is; a large or binary one as its size and digest."""
    if file.is_dir():
        return b"".join(f"{each}\n".encode() + cat(each) for each in sorted(file.iterdir()))
    if not file.exists():
        return b"[no such file]\n"
    raw = file.read_bytes()
    text = raw if b"\0" not in raw else f"{len(raw)} bytes {digest(raw)}".encode()
    return text + (b"" if text.endswith(b"\n") else b"[cut]\n")


def digest(raw: bytes) -> str:
    """A short name of some bytes."""
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


def tables(file: Path) -> bytes:
    """Every table and row of a recording; a blob as its size and digest."""
    lines = []
    with contextlib.closing(sqlite3.connect(file)) as database:
        schema = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
        for name, sql in database.execute(schema).fetchall():
            lines.append(str(sql))
            lines += sorted(row_text(row) for row in database.execute(f'SELECT * FROM "{name}"'))
        lines += [f"{each} {value}" for each in PRAGMAS for (value,) in database.execute(each)]
    return "".join(f"{line}\n" for line in lines).encode()


PRAGMAS = ("PRAGMA application_id", "PRAGMA user_version", "PRAGMA page_size")


def row_text(row: tuple[object, ...]) -> str:
    """A row of a table in a line."""
    cells = (f"{len(c)} bytes {digest(c)}" if isinstance(c, bytes) else repr(c) for c in row)
    return "  " + " | ".join(cells)


def copy(source: Path, target: Path) -> bytes:
    """Copy a file; nothing is said."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    return b""


FILES = {"cat": cat, "tables": tables, "copy": copy}
