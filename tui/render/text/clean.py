"""Strings from files made safe to print: nothing invisible, nothing that moves a cursor."""

import unicodedata

# Cc control, Cf format (bidi, zero width), Cs lone surrogate, Cn unassigned, Zl/Zp separators.
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
# Letters and marks by category, yet drawn as nothing: the grapheme joiner, the Hangul and Khmer
# fillers, the Mongolian and the two blocks of variation selectors.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x180B, 0x180C, 0x180D, 0x180F}
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_escaped(code: int) -> bool:
    return code in _INVISIBLE or unicodedata.category(chr(code)) in _ESCAPED_CATEGORIES


class _Escapes(dict[int, str]):
    """A table for `str.translate` that decides about a character when it first meets it."""

    def __missing__(self, code: int) -> str:
        shown = _escape(code) if _is_escaped(code) else chr(code)
        self[code] = shown
        return shown


_ESCAPES = _Escapes()
_ESCAPES_KEEPING_NEWLINES = _Escapes({ord("\n"): "\n"})


def clean(text: str, *, keep_newlines: bool = False) -> str:
    r"""Show control, bidi, zero-width, separator and unassigned characters as `\x1b`, `\u202e`.

    Ordinary text of any script stays as it is, combining accents included. `keep_newlines` keeps
    line feeds alone; a tab or a carriage return moves the cursor and is escaped all the same.
    """
    return text.translate(_ESCAPES_KEEPING_NEWLINES if keep_newlines else _ESCAPES)
