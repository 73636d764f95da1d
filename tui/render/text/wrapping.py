"""Long texts in lines of a width: broken at blanks where that is possible, with their indent."""

from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

MORE = 4  # blanks by which the continuation of a line is set in


def wrapped(text: str, width: int, more: int = MORE) -> list[str]:
    """A cleaned text without breaks in lines of ``width`` cells; whole where these are under 8.

    What is continued is set in by ``more`` blanks.
    """
    if width < 8 or cell_len(text) <= width:
        return [text]
    indent = len(text) - len(text.lstrip(" "))
    margin = " " * min(indent + more, width // 2)
    lines = [""]
    for word in pieces(text, width - len(margin)):
        if cell_len(lines[-1]) + cell_len(word.rstrip(" ")) <= width:
            lines[-1] += word
        else:
            lines.append(margin + word.lstrip(" "))
    return [line.rstrip(" ") for line in lines]


def pieces(text: str, width: int) -> Iterator[str]:
    """Words with the blanks behind them; one wider than ``width`` cells in parts."""
    start = 0
    while start < len(text):
        blank = text.find(" ", start)
        end = len(text) if blank < 0 else blank
        while end < len(text) and text[end] == " ":
            end += 1
        word, start = text[start:end], end
        if cell_len(word) <= width:
            yield word
        else:
            yield from chop_cells(word, width)
