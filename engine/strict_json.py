r"""JSON text that every parser takes: NaN and infinities as strings, nothing unprintable in it.

Floats are written with the fewest digits that read back as the same float64. Characters that
are invisible or could move a cursor stand as ``\uXXXX``, so that the text is safe in a terminal
and the value is still the same.
"""

import json
import math
from typing import Any

NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class _Escapes(dict[int, str]):
    """A table for `str.translate` that decides about a character when it first meets it."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char.isprintable() or char == "\n":  # between the lines of an indented text
            self[code] = char
        else:
            # JSON escapes UTF-16 units: beyond U+FFFF these are a pair of surrogates
            units = char.encode("utf-16-be", "surrogatepass").hex()
            self[code] = "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
        return self[code]


_ESCAPES = _Escapes()


def named(value: Any) -> Any:
    """The value with the strings "NaN", "Infinity" and "-Infinity" for floats that are not finite.

    Copies dicts, lists and tuples (as lists); anything else is returned as it is.
    """
    match value:
        case float():
            return value if math.isfinite(value) else NAMES[str(value)]
        case dict():
            return {key: named(item) for key, item in value.items()}
        case list() | tuple():
            return [named(item) for item in value]
        case _:
            return value


def strict_json(value: Any, indent: int | None = None) -> str:
    """A value of dicts, lists, strings, numbers, booleans and None as JSON text.

    One line without ``indent``. Raises TypeError for anything else, such as an array.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:  # a float that is not finite: only then is a copy worth its time
        text = json.dumps(named(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return text if text.isascii() and text.isprintable() else text.translate(_ESCAPES)
