"""Writes down all that a person can see of gradstep: ``python -m tests.golden.corpus OUTDIR``.

One file for each item: the answers of every command, and the screen after every key. Two corpora
that are the same byte for byte come from programs that no person can tell apart. With ``--tree``
the product is imported from that tree, so that the same corpus asks an older one.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from multiprocessing import get_context
from pathlib import Path

from tests.golden import product, running, screens
from tests.golden.items import command_items
from tests.golden.walks import screen_items

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "golden"  # the name of the folder that commands run in


def names() -> list[str]:
    """Every item; the screens, which take longest, come first."""
    return [*screen_items(), *command_items()]


def chosen(pattern: str) -> list[str]:
    """The items that a pattern means: a shell pattern, or a part of the name."""
    return [name for name in names() if pattern in name or fnmatch(name, pattern)]


def file_of(name: str, out: Path) -> Path:
    """Where an item is written."""
    return out / f"{name.replace('.toml', '')}.txt"


def made(name: str) -> bytes:
    """What a person sees of an item."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent).resolve() / FOLDER
        walk = screen_items().get(name)
        if walk is not None:
            return screens.walked(walk, folder)
        return running.transcript(command_items()[name], folder)


def write(name: str, out: Path) -> tuple[str, float]:
    """Make an item and write it; its name, and the seconds it took."""
    began = time.monotonic()
    try:
        raw = made(name)
    except Exception as crash:  # an answer too: the other items are still to be asked
        last = traceback.format_exception_only(crash)[-1]
        print(f"\n{name}: {last}", end="", file=sys.stderr)
        raw = f"crash: {last}".encode()
    target = file_of(name, out)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(raw)
    part.replace(target)
    return name, time.monotonic() - began


def write_all(
    wanted: Iterable[str], out: Path, tree: Path, jobs: int
) -> Iterator[tuple[str, float]]:
    """Make items in processes of their own; yields each with its seconds when it is done."""
    os.environ.update(running.SET)  # before any process loads NumPy
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, product.use, (tree,)) as pool:
        for future in as_completed([pool.submit(write, name, out) for name in wanted]):
            yield future.result()


def make(wanted: list[str], out: Path, tree: Path, jobs: int) -> None:
    """Make items with progress on stderr."""
    out, tree = out.resolve(), tree.resolve()
    spent = []
    for number, (name, seconds) in enumerate(write_all(wanted, out, tree, jobs), 1):
        spent.append((seconds, name))
        print(f"\r{number}/{len(wanted)} {name[:60]:60}", end="", file=sys.stderr, flush=True)
    slow = ", ".join(f"{name} {seconds:.1f} s" for seconds, name in sorted(spent)[-3:])
    print(f"\r{len(wanted)} items of {tree}; longest: {slow}", file=sys.stderr)


def main() -> int:
    """Write a corpus; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUTDIR")
    parser.add_argument("--tree", type=Path, default=ROOT, help="where engine and tui are")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="items, as 'screen/*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()
    make(chosen(options.only), options.out, options.tree, options.jobs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
