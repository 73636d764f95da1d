"""Sizes in bytes as people write them: 256MiB, 1.5GB, 4096."""

import re
from decimal import Decimal

UNITS = {"": 1, "B": 1} | {
    f"{prefix}{infix}B": base ** (power + 1)
    for power, prefix in enumerate("KMGT")
    for infix, base in (("i", 1024), ("", 1000))
}
SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([a-z]*)\Z", re.IGNORECASE)
DEFAULT_HISTORY = "256MiB"


def byte_size(text: str) -> int:
    """The bytes of a size with or without a unit: 256MiB, 1.5GB, 4096. At least 1.

    Raises ValueError with what to write instead.
    """
    units = {unit.lower(): factor for unit, factor in UNITS.items()}
    found = SIZE.match(text.strip())
    unit = found[2].lower() if found else ""
    size = int(Decimal(found[1]) * units[unit]) if found and unit in units else 0
    if size < 1:
        raise ValueError(f"{text!r} is not a size like {DEFAULT_HISTORY}, 1GiB or 500MB")
    return size
