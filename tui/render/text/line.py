"""Lines of styled text without colours: spans of text with the role that a theme gives a style.

Widths are in terminal cells, as Rich measures them.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""A text and the role it plays: ``dim``, ``changed``, ``phase-forward``, … or nothing."""
Line = list[Span]

ROLES = (
    "dim",
    "label",
    "name",
    "symbol",
    "shape",
    "key",
    "changed",
    "nan",
    "inf",
    "zero",
    "range",
    "good",
    "warn",
    "bad",
    "current",
    "cursor",
    "tab",
    "tab-active",
    "curve",
    "histogram",
    "tensor-parameter",
    "tensor-gradient",
    "tensor-activation",
    "tensor-data",
    "tensor-loss",
    "phase-zero_grad",
    "phase-forward",
    "phase-loss",
    "phase-backward",
    "phase-update",
    "pill-zero_grad",
    "pill-forward",
    "pill-loss",
    "pill-backward",
    "pill-update",
)


def cells_of(text: str) -> int:
    """The width of a text in cells; most is ASCII, and Rich would look each up."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def width_of(line: Iterable[Span]) -> int:
    """The width of a line in cells."""
    width = 0
    for text, _ in line:  # as cells_of does, without a call for each
        width += len(text) if text.isascii() and text.isprintable() else cell_len(text)
    return width


def fitted(line: Sequence[Span], width: int) -> Line:
    """The line in exactly ``width`` cells, padded with blanks or cut with an ellipsis."""
    total = width_of(line)
    if total <= width:
        return [*line, (" " * (width - total), "")]
    out: Line = []
    left = max(0, width - 1)
    for text, role in line:
        size = cell_len(text)
        if size > left:
            # Of a character two cells wide that would be cut in half Rich makes a blank.
            out.append((set_cell_size(text, left), role))
            break
        out.append((text, role))
        left -= size
    return [*out, ("…", "dim")] if width > 0 else []


def centred(text: str, width: int) -> str:
    """A text in the middle of ``width`` cells; a longer one as it is."""
    room = width - cell_len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)


def shortened(name: str, width: int) -> str:
    """A name in at most ``width`` cells, cut in the middle: its last part, ``.weight``, stays."""
    if cell_len(name) <= width:
        return name
    if width < 3:
        return set_cell_size(name, max(0, width))
    last = name[name.rfind(".") :] if "." in name[1:] else ""
    tail = last if last and cell_len(last) <= width * 2 // 3 else name[-(width // 3) :]
    while cell_len(tail) > width - 2:
        tail = tail[1:]
    return set_cell_size(name, width - 1 - cell_len(tail)) + "…" + tail


def spread(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """One part at the left edge and one at the right; the left one is cut where they meet."""
    room = max(0, width - width_of(right))
    return fitted([*fitted(left, room), *right], width)


def fit_parts(parts: Sequence[tuple[int, Line]], width: int) -> Line:
    """The parts (rank, line) in their order, without those of the highest rank until they fit.

    Parts of rank 0 stay whatever the width.
    """
    kept = list(parts)
    while kept and sum(width_of(line) for _, line in kept) > width and max(r for r, _ in kept) > 0:
        worst = max(rank for rank, _ in kept)
        kept = [part for part in kept if part[0] != worst]
    return [span for _, line in kept for span in line]
