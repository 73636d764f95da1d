"""A comparison of two worksheets as dicts and lists for JSON."""

from typing import Any

from engine.worksheet.comparison import Change, Comparison, Row

NAMES = {Change.SAME: "same", Change.MEANING: "meaning", Change.CHANGED: "changed"}


def comparison_json(found: Comparison) -> dict[str, Any]:
    """The tables with every cell of both sides, and the gradient norms."""
    return {
        "left": found.left.name,
        "right": found.right.name,
        "tables": [
            {
                "table": table.letter,
                "title": table.title,
                "summary": table.summary,
                "rows": [row_json(row) for row in table.rows],
            }
            for table in found.tables
        ],
        "norms": norms_json(found),
    }


def row_json(row: Row) -> dict[str, Any]:
    """A row: its name, its greatest change, and each cell with the texts of both sides."""
    return {
        "row": row.name.text,
        "change": NAMES[row.change],
        "cells": [
            {
                "cell": cell.head,
                "left": cell.left.text,
                "right": cell.right.text,
                "change": NAMES[cell.change],
            }
            for cell in row.cells
        ],
    }


def norms_json(found: Comparison) -> dict[str, Any] | None:
    """The gradient norms of the weights after the first backward pass; None without one."""
    if found.norms is None:
        return None
    return {
        "rows": [
            {"weight": row.symbol, "norms": list(row.norms), "factors": list(row.factors)}
            for row in found.norms.rows
        ],
        "overall": list(found.norms.overall),
        "summary": found.norms.summary(found.names),
    }
