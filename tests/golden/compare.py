"""Has a refactoring changed anything that a person can see? ``python -m tests.golden.compare``.

Asks the tree of a revision and the tree as it is now for the same corpus, that of today, and shows
where the answers differ; the exit status is 1 if they do. The answers of a revision are kept below
``.golden/`` and made only once. Without a revision the one named in ``BASE`` is taken.
"""

import argparse
import difflib
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from tests.golden import corpus

BASE = Path(__file__).parent / "BASE"
CACHE = corpus.ROOT / ".golden"
LIBRARIES = ("numpy", "textual", "rich", "click", "msgspec")
PRODUCT = ("engine", "tui")
MOST_LINES, MOST_WIDTH, MOST_ITEMS = 40, 160, 20


def git(*words: str) -> bytes:
    """What git answers."""
    return subprocess.run(
        ["git", "-C", str(corpus.ROOT), *words], check=True, capture_output=True
    ).stdout


def revision_of(name: str) -> str:
    """The full name of a revision; of the one in the file BASE where none is given."""
    wanted = name or BASE.read_text(encoding="utf-8").split()[0]
    try:
        return git("rev-parse", "--verify", f"{wanted}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{wanted}: {error.stderr.decode().strip()}") from None


def tree_of(revision: str) -> Path:
    """The product as it was at a revision, in a folder of its own."""
    folder = CACHE / revision / "tree"
    if not folder.exists():
        part = folder.with_name("tree.part")
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(git("archive", revision, *PRODUCT))) as packed:
            packed.extractall(part, filter="data")
        part.rename(folder)
    return folder


def question() -> str:
    """A name of the corpus as it is asked today, by the machine that answers."""
    here = Path(__file__).parent
    machine = [sys.version, platform.platform(), platform.node(), *map(version, LIBRARIES)]
    known = hashlib.blake2b(repr(machine).encode(), digest_size=6)
    for file in sorted([*here.glob("*.py"), *(here / "inputs").iterdir()]):
        if file.name not in ("compare.py", "test_golden.py"):
            known.update(file.name.encode() + file.read_bytes())
    return known.hexdigest()


def ask(tree: Path, wanted: list[str], out: Path, jobs: int) -> None:
    """The answers of a tree, those that are not there yet."""
    missing = [name for name in wanted if not corpus.file_of(name, out).exists()]
    if missing:
        corpus.make(missing, out, tree, jobs)


def differences(wanted: list[str], before: Path, after: Path) -> Iterator[tuple[str, list[str]]]:
    """Each item whose answers differ, with the first lines of the difference."""
    for name in wanted:
        old, new = (corpus.file_of(name, folder).read_bytes() for folder in (before, after))
        if old != new:
            yield name, list(islice(difference(old, new), MOST_LINES))


def difference(old: bytes, new: bytes) -> Iterator[str]:
    """Two answers as a unified difference; of long ones the part around the first."""
    a, b = (raw.decode("utf-8", "backslashreplace").split("\n") for raw in (old, new))
    first = next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    start = max(0, first - 3)
    said = next((line for line in reversed(a[:first]) if line.startswith(("$ ", "== "))), "")
    yield f"@ line {first + 1}, below {said!r}"
    for line in islice(difflib.unified_diff(window(a, start), window(b, start), n=2), 2, None):
        yield pointed(line)


def window(lines: list[str], start: int) -> list[str]:
    """Some lines: comparing all of a long answer takes too long."""
    return lines[start : start + 400]


def pointed(line: str) -> str:
    """A line as it can be shown."""
    shown = line.rstrip("\n")
    return shown if len(shown) <= MOST_WIDTH else f"{shown[:MOST_WIDTH]}…"


def tell(found: list[tuple[str, list[str]]], items: int, revision: str) -> int:
    """Show what differs; the exit status."""
    for name, lines in found[:MOST_ITEMS]:
        print(f"--- {name}", *lines, sep="\n")
    for name, _ in found[MOST_ITEMS:]:
        print(f"--- {name}")
    print(f"{len(found)} of {items} items differ from {revision[:12]}")
    return 1 if found else 0


def main() -> int:
    """Compare; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("revision", nargs="?", default="", metavar="REV")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="items, as 'screen/*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    revision, wanted = revision_of(options.revision), corpus.chosen(options.only)
    if not wanted:
        raise SystemExit(f"no item is called {options.only!r}")
    before = CACHE / revision / question()
    ask(tree_of(revision), wanted, before, options.jobs)
    with tempfile.TemporaryDirectory(dir=CACHE) as after:
        ask(corpus.ROOT, wanted, Path(after), options.jobs)
        found = list(differences(wanted, before, Path(after)))
    return tell(found, len(wanted), revision)


if __name__ == "__main__":
    sys.exit(main())
