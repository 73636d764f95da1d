"""``python -m benchmarks [--effort quick] [--threads N] [--only NAME ...] [--json FILE]``.

Prints a table of every comparison and one of how things scale; progress goes to stderr.
"""

import os
import sys

from benchmarks import threads

threads.fix(threads.wanted(sys.argv))
# Programs are started as they are installed: with their bytecode, which a setting may forbid.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import argparse  # noqa: E402 - the threads come first
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.built_in import built_in  # noqa: E402
from benchmarks.capture import capture  # noqa: E402
from benchmarks.cold import cold  # noqa: E402
from benchmarks.deep import deep  # noqa: E402
from benchmarks.effort import EFFORTS, Effort  # noqa: E402
from benchmarks.history import history  # noqa: E402
from benchmarks.iterations import iterations  # noqa: E402
from benchmarks.jacobians import jacobians  # noqa: E402
from benchmarks.lines import lines  # noqa: E402
from benchmarks.live import live  # noqa: E402
from benchmarks.machine import machine  # noqa: E402
from benchmarks.measure import Row  # noqa: E402
from benchmarks.peak import peak  # noqa: E402
from benchmarks.recording import recording  # noqa: E402
from benchmarks.report import as_json, machine_text, scaling_table, table  # noqa: E402
from benchmarks.scaling import Fit, scaling  # noqa: E402
from benchmarks.screen import screen  # noqa: E402

COMPARISONS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "screen": screen,
    "cold": cold,
    "iterations": iterations,
    "lines": lines,
    "built-in": built_in,
    "jacobians": jacobians,
    "deep": deep,
    "live": live,
    "history": history,
    "peak": peak,
    "recording": recording,
    "capture": capture,
}


def main() -> int:
    """Measure what is asked for; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--effort", choices=EFFORTS, default="quick")
    parser.add_argument("--threads", type=int, default=threads.DEFAULT)
    parser.add_argument("--only", nargs="+", choices=[*COMPARISONS, "scaling"])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything as JSON")
    options = parser.parse_args()
    effort, wanted = EFFORTS[options.effort], options.only or [*COMPARISONS, "scaling"]
    about = machine()
    begin = time.perf_counter()
    rows = [
        row for name in COMPARISONS if name in wanted for row in noted(COMPARISONS[name](effort))
    ]
    fits = list(noted_fits(scaling(effort))) if "scaling" in wanted else []
    print(machine_text(about), end="\n\n")
    print(table(rows), end="\n\n")
    print(scaling_table(fits), end="\n\n")
    print(f"measured in {time.perf_counter() - begin:.0f} s")
    if options.json:
        options.json.write_text(as_json(about, rows, fits) + "\n", encoding="utf-8")
    return int(any(row.kept is False for row in rows))


def noted(rows: Iterator[Row]) -> Iterator[Row]:
    """Say on stderr what has been measured."""
    for row in rows:
        against = f" / {row.against}: {row.ratio:.2f}" if row.against else f": {row.ours:.3g}"
        print(f"{row.work} {row.dtype}{against} {row.note}", file=sys.stderr)
        yield row


def noted_fits(fits: Iterator[Fit]) -> Iterator[Fit]:
    """The same for fits."""
    for fit in fits:
        print(f"{fit.what} against {fit.against}: {fit.exponent:.2f}", file=sys.stderr)
        yield fit


if __name__ == "__main__":
    sys.exit(main())
