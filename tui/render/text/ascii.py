"""The drawing in ASCII, for a terminal whose encoding has no better: one sign for one cell."""

import codecs
import unicodedata

HANDLER = "gradstep-ascii"
"""The name of the codec error handler, as in ``str.encode(encoding, HANDLER)``."""

SAMPLE = "│─╭▶✓∂ℓ⁽▇⠿"  # what the drawing needs
SIGNS = {
    **dict.fromkeys("│┃┊╎▏▕⎢⎥‖╸╺", "|"),
    **dict.fromkeys("─━┈–−—⁻", "-"),
    **dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼⊞⁺▴", "+"),
    **dict.fromkeys("⎡⎣⌊⌈", "["),
    **dict.fromkeys("⎤⎦⌋⌉", "]"),
    **dict.fromkeys("⁽", "("),
    **dict.fromkeys("⁾", ")"),
    **dict.fromkeys("←◀⇤‹≤«", "<"),
    **dict.fromkeys("→▶▸▹›≥»↦≻", ">"),
    **dict.fromkeys("↑⇈▲△▴", "^"),
    **dict.fromkeys("↓⇊▼✓", "v"),
    **dict.fromkeys("●•◆■▮⊙", "*"),
    **dict.fromkeys("○◇□▯⊘∘", "o"),
    **dict.fromkeys("█▇▆▓", "#"),
    **dict.fromkeys("▅▄▒▀", "="),
    **dict.fromkeys("▃▂░", "-"),
    **dict.fromkeys("▁", "_"),
    **dict.fromkeys("▉▊▋▌▍▎", "|"),
    **dict.fromkeys("·…⋯⋮", "."),
    **dict.fromkeys("×✗", "x"),
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("‘’′", "'"),
    **{
        "╲": "\\",
        "╱": "/",
        "∂": "d",
        "∇": "D",
        "Δ": "D",
        "∞": "%",
        "≈": "~",
        "▪": "*",
        "≠": "#",
        "≡": "=",
        "ŷ": "Y",
    },
    **{"√": "V", "∈": "e", "⎇": "Y", "±": "~", "⊟": "-", "≷": "~", "✎": "/", "ß": "s", "ø": "o"},
    **{"Ø": "O", "æ": "a", "Æ": "A", "ł": "l", "Ł": "L", "½": "h", "¼": "q", "¬": "-", "°": "o"},
}
GREEK = dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", "abgdezhqiklmnxoprsstufcyw", strict=True))
BRAILLE = range(0x2800, 0x2900)


def sign(character: str) -> str:
    """A character in ASCII, as many cells wide as it is."""
    found = SIGNS.get(character) or GREEK.get(character)
    if found is None and character.lower() in GREEK:
        found = GREEK[character.lower()].upper()
    if found is None and ord(character) in BRAILLE:
        dots = (ord(character) - BRAILLE.start).bit_count()
        found = " .:oO8@##"[dots]
    if found is None:  # a letter with its accent taken off, a digit set high or low
        plain = unicodedata.normalize("NFKD", character)[:1]
        plain = SIGNS.get(plain) or GREEK.get(plain, plain)
        found = plain if plain.isascii() and plain.isprintable() else "?"
    if unicodedata.combining(character):
        return ""
    return "??" if unicodedata.east_asian_width(character) in "WF" else found


def in_ascii(error: UnicodeError) -> tuple[str, int]:
    """The handler of what an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(sign, error.object[error.start : error.end])), error.end


codecs.register_error(HANDLER, in_ascii)


def draws(encoding: str) -> bool:
    """Whether an encoding has what the drawing needs."""
    try:
        SAMPLE.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
