"""A lesson as a terminal recording, asciicast version 2: a header, then what is written when."""

import json
from collections.abc import Iterator, Sequence

from tui.lesson.pictures import Look, Row, Rows
from tui.lesson.walk import Picture
from tui.render.text.clean import clean

CLEAR, HIDDEN, SHOWN = "\x1b[2J\x1b[H", "\x1b[?25l", "\x1b[?25h\x1b[0m\r\n"
PLAIN = "\x1b[0m"
MAX_IDLE = 15.0  # seconds


def cast_lines(title: str, size: tuple[int, int], pictures: Sequence[Picture]) -> Iterator[str]:
    """The lines of the recording; a picture writes the rows that differ from those before it."""
    width, height = size
    seconds = sum(one.seconds for one in pictures)
    header = {
        "version": 2,
        "width": width,
        "height": height,
        "duration": round(seconds, 3),
        "idle_time_limit": MAX_IDLE,
        "title": clean(title),
        "env": {"TERM": "xterm-256color", "SHELL": "/bin/sh"},
    }
    yield json.dumps(header)
    now = 0.0
    before: Rows = ()
    for one in pictures:
        text = "" if before else HIDDEN + CLEAR
        text += "".join(
            f"\x1b[{y};1H{row_text(row)}"
            for y, row in enumerate(one.rows, 1)
            if not before or before[y - 1] != row
        )
        yield event(now, text)
        now, before = now + one.seconds, one.rows
    yield event(now, f"\x1b[{height};1H{SHOWN}")


def event(seconds: float, text: str) -> str:
    """What is written at a time."""
    return json.dumps([round(seconds, 3), "o", text], ensure_ascii=False)


def row_text(row: Row) -> str:
    """A row with its colours."""
    return "".join(f"{style(look)}{clean(text)}" for text, look in row) + PLAIN


def style(look: Look) -> str:
    """The escape sequence of a look, from nothing."""
    parts = ["0"]
    parts += ["1"] if look.bold else []
    parts += ["3"] if look.italic else []
    parts += ["4"] if look.underline else []
    parts += [f"38;2;{rgb(look.colour)}"] if look.colour else []
    parts += [f"48;2;{rgb(look.background)}"] if look.background else []
    return f"\x1b[{';'.join(parts)}m"


def rgb(colour: str) -> str:
    """``#rrggbb`` as three numbers."""
    return ";".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
