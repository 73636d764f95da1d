"""The rows as a Markdown table and as JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.measure import Row
from benchmarks.scaling import Fit

Machine = dict[str, str | int | float]
TIMES = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SIZES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
HEAD = ("work", "dtype", "ours", "against", "theirs", "ratio", "at most", "")


def quantity(value: float, unit: str) -> str:
    """A number with three digits and the fitting prefix of its unit."""
    if not math.isfinite(value):
        return ""
    table = {"s": TIMES, "B": SIZES}.get(unit)
    if table is None:
        return f"{value:.3g} {unit}".rstrip()
    scale, name = next(((s, n) for s, n in table if value >= s), table[-1])
    return f"{value / scale:.3g} {name}" if value < 1000 * scale else f"{value / scale:.0f} {name}"


def cells(row: Row) -> tuple[str, ...]:
    """One row as text."""
    bound = "" if row.bound is None else f"{row.bound:g}×"
    if row.limit is not None:
        bound = quantity(row.limit, row.unit)
    verdict = {None: "", True: "✓", False: "✗"}[row.kept]
    ratio = f"{row.ratio:.2f}×" if math.isfinite(row.ratio) else ""
    ours, theirs = quantity(row.ours, row.unit), quantity(row.theirs, row.unit)
    return (row.work, row.dtype, ours, row.against, theirs, ratio, bound, verdict)


def fit_cells(fit: Fit) -> tuple[str, ...]:
    """One line of the scaling table as text."""
    points = ", ".join(f"{size:,}: {quantity(value, fit.unit)}" for size, value in fit.points)
    return (fit.what, fit.against, points, f"{fit.exponent:.2f}", fit.why)


def markdown(lines: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown, its columns as wide as what is in them; the first line is the head."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    padded = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([padded[0], rule, *padded[1:]])


def table(rows: Sequence[Row]) -> str:
    """All comparisons."""
    return markdown([HEAD, *map(cells, rows)])


def scaling_table(fits: Sequence[Fit]) -> str:
    """All fitted exponents."""
    head = ("measured", "against", "points", "exponent", "why")
    return markdown([head, *map(fit_cells, fits)])


def machine_text(about: Machine) -> str:
    """The machine in two lines."""
    return (
        f"{about['date']} · {about['processor']}, {about['cores']} cores, load {about['load']} · "
        f"{about['threads']} BLAS thread(s) for everybody\n"
        f"Python {about['python']} · NumPy {about['numpy']} with {about['blas']} · "
        f"PyTorch {about['torch']} · Textual {about['textual']} · pudb {about['pudb']}"
    )


def as_json(about: Machine, rows: Sequence[Row], fits: Sequence[Fit]) -> str:
    """Everything for other programs; what is not a number is null."""
    document = {
        "machine": about,
        "rows": [finite(asdict(row) | {"kept": row.kept}) for row in rows],
        "scaling": [finite(asdict(fit)) for fit in fits],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)


def finite(record: dict[str, Any]) -> dict[str, Any]:
    """A record with None for NaN and the infinities."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in record.items()
    }
