"""Matrices in answers: [[a, b], [c, d]], [a, b; c, d], and a single row [a, b]."""

from collections.abc import Callable

from engine.answers.cursor import Cursor
from engine.answers.expr import Expr, Unread

Cell = Callable[[], Expr]


def matrix(cursor: Cursor, cell: Cell) -> Expr | None:
    """The matrix whose cells come next, after its first bracket; ``cell`` reads one.

    None, and nothing is read, where what is in the brackets is one expression. Raises Unread where
    the rows are of several lengths.
    """
    save, start, nested = cursor.at, cursor.now.start, cursor.sign("[")
    if save in cursor.no_matrix:  # asked once: brackets in brackets would double it each time
        return None
    try:
        lines = in_brackets(cursor, cell) if nested else apart(cursor, cell)
    except Unread:
        lines = []
    several = nested or sum(map(len, lines)) > 1
    if not (lines and several and cursor.sign("]")):
        cursor.at = save
        cursor.no_matrix.add(save)
        return None
    width = len(lines[0])
    if any(len(line) != width for line in lines):
        raise Unread("the rows of a matrix are of one length", start)
    cells = [one for line in lines for one in line]
    return cursor.made("matrix", start, *cells, data=(len(lines), width))


def in_brackets(cursor: Cursor, cell: Cell) -> list[list[Expr]]:
    """Rows in brackets, with commas between them."""
    found: list[list[Expr]] = []
    while cursor.sign("["):
        cursor.at += 1
        found.append(row(cursor, cell))
        if not cursor.sign("]"):
            raise Unread("[ is never closed", cursor.now.start)
        cursor.at += 1
        cursor.at += cursor.sign(",") or cursor.sign(";")
    return found


def apart(cursor: Cursor, cell: Cell) -> list[list[Expr]]:
    """Rows with semicolons between them."""
    found = [row(cursor, cell)]
    while cursor.sign(";"):
        cursor.at += 1
        found.append(row(cursor, cell))
    return found


def row(cursor: Cursor, cell: Cell) -> list[Expr]:
    """Cells with commas between them."""
    found = [cell()]
    while cursor.sign(","):
        cursor.at += 1
        found.append(cell())
    return found
