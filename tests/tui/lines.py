"""The lines that panes are made of, as text."""

from tui.render.text.line import Line


def text_of(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for text, _ in line)
