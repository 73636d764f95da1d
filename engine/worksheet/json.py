"""The worksheet as dicts and lists for JSON."""

from collections.abc import Sequence
from typing import Any

from engine.arrays import Array
from engine.formulas.tree import Size
from engine.worksheet.rows import LAYOUTS, Factor, Forward, Gradient, Layout, Place
from engine.worksheet.worksheet import Worksheet


def worksheet_json(sheet: Worksheet, layout: Layout | None = None) -> dict[str, Any]:
    """The four tables of a worksheet, formulas as text and LaTeX, values as nested lists.

    A gradient's ``formula``, ``factors``, ``dims`` and ``values`` are in ``layout``, the numerator
    layout by default; both stand under ``layouts``.
    """
    at: Place = sheet.sample
    main: Layout = layout or ("gradient" if sheet.whole else "numerator")
    return {
        "experiment": sheet.name,
        "sample": at.index,
        "layout": main,
        "sizes": at.numbers,
        "steps": [
            {
                "step": step.phase.value,
                "code": step.code,
                "math": step.text,
                "phrase": step.phrase,
                "skipped": step.skipped,
            }
            for step in sheet.steps
        ],
        "forward": [
            {
                "layer": row.layer,
                "input": ", ".join(formula.text() for formula in row.inputs),
                "output": row.output.text(),
                "shape": shape_of(at, row),
                "symbol": row.symbol.text(),
                "size": size_text(row.dims),
                "latex": row.output.latex(),
                "values": value_of(row),
            }
            for row in sheet.forward
        ],
        "gradients": [
            {"parameter": row.parameter, "symbol": row.symbol.text()}
            | product_json(at, row, main)
            | {"layouts": {name: product_json(at, row, name) for name in LAYOUTS}}
            | backward_json(row)
            for row in sheet.gradients
        ],
        "elements": [
            {
                "symbol": row.symbol.text(),
                "rule": row.rule.text(),
                "dims": dims(at, row.dims),
                "size": size_text(row.dims),
                "latex": row.rule.latex(),
                "values": numbers(row.value),
            }
            for row in sheet.elements
        ],
        "shortcuts": [
            {
                "symbol": row.symbol.text(),
                "product": row.left.text(),
                "rule": row.right.text(),
                "remark": row.remark,
                "values": numbers(row.value),
            }
            for row in sheet.shortcuts
        ],
        "definitions": sheet.definitions,
    }


def product_json(at: Place, row: Gradient, layout: Layout) -> dict[str, Any]:
    """The product of a gradient in one layout: formula, factors, sizes and values."""
    return {
        "formula": row.formula(layout).text(),
        "factors": [factor_json(at, factor) for factor in row.factors(layout)],
        "terms": [[factor_json(at, factor) for factor in path] for path in row.paths(layout)],
        "dims": dims(at, row.dims(layout)),
        "size": size_text(row.dims(layout)),
        "latex": row.formula(layout).latex(),
        "values": numbers(row.values(layout)),
    }


def backward_json(row: Gradient) -> dict[str, Any]:
    """What backward adds to a gradient, of the batch, and the gradient in the parameter's shape."""
    if not row.own:
        return {}
    terms = [{"formula": one.text(), "latex": one.latex()} for one in row.own]
    return {"backward": terms, "gradient": numbers(row.array)}


def factor_json(at: Place, factor: Factor) -> dict[str, Any]:
    """One factor: its symbol, its dimensions, and the tensors it leads from and to."""
    return {
        "symbol": factor.symbol.text(),
        "dims": dims(at, factor.dims),
        "size": size_text(factor.dims),
        "written": factor.written.text(),
        "of": factor.of,
        "wrt": factor.wrt,
    }


def shape_of(at: Place, row: Forward) -> list[int]:
    """The shape of a row of (b): of a column its length, of a scalar nothing."""
    if row.shape is None:
        return [] if row.layer == "loss" else [at.count(row.dims[0])]
    return list(row.shape[:1] if is_column_of(row) else row.shape)


def is_column_of(row: Forward) -> bool:
    """Whether a row of (b) is a vector of one sample, which stands as a column."""
    return row.shape is not None and len(row.dims) == 2 and row.dims[1].name == "1"


def value_of(row: Forward) -> Any:
    """The numbers of a row of (b): a vector as a flat list, a scalar as a number."""
    if row.shape is None:
        return column(row.value) if row.layer != "loss" else scalar(row.value)
    return column(row.value) if is_column_of(row) else numbers(row.value)


def dims(at: Place, found: Sequence[Size]) -> list[int]:
    """Size symbols as their numbers: [rows, columns]; [1, 1] of a scalar."""
    return [at.count(size) for size in found] or [1, 1]


def size_text(found: Sequence[Size]) -> str:
    """Size symbols as text: ``n×h``."""
    return "×".join(one.text() for one in found) or "1×1"


def numbers(value: Array | None) -> Any:
    """A matrix as a list of rows; None where it was too large to be evaluated."""
    return None if value is None else value.tolist()


def column(value: Array | None) -> Any:
    """A column (d, 1) as a flat list; None where there is no value."""
    return None if value is None else value[:, 0].tolist()


def scalar(value: Array | None) -> Any:
    """A matrix (1, 1) as a number; None where there is no value."""
    return None if value is None else value.item()
