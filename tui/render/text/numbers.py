"""Numbers as text: short, aligned in columns, or exact."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.lesson.hidden import Concealed
from tui.render.text.clean import clean
from tui.view.number_format import NumberFormat

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BYTE_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_HEX_DIGITS = {2: 3, 4: 6, 8: 13}  # hexadecimal digits of a float's fraction, by its bytes
_FIXED_LIMIT = 1e10  # beyond, positional digits would only be noise
_POSITIONAL_EXPONENTS = range(-4, 7)
_MAX_DIGITS = 17  # with so many significant digits every float64 reads back as the same


def compact(value: Any, width: int = 7) -> str:
    """A number of a scalar in at most `width` characters and four significant digits.

    Seven characters hold any float; where `width` is too narrow even for one digit, the cell is
    filled with `#`, never with a wrong number. Integers and booleans have no decimal point.
    """
    return _compact(_scalar(value), width)


@lru_cache(maxsize=4096, typed=True)  # what one step leaves as it is, is shown again
def _compact(scalar: bool | int | float, width: int) -> str:
    return _written(scalar, width)


def _written(scalar: bool | int | float, width: int) -> str:
    candidates: Iterable[str]
    if isinstance(scalar, bool):
        candidates = [str(scalar), str(scalar)[0]]
    elif isinstance(scalar, int):
        whole = [str(scalar)] if abs(scalar) < 10 ** max(0, width) else []
        small = (e for digits in (4, 3, 2, 1) for e in _exponents(Decimal(scalar), digits))
        candidates = chain(whole, small)
    elif not math.isfinite(scalar):
        candidates = [str(scalar)]
    else:
        candidates = _float_candidates(scalar, width)
    return next((text for text in candidates if len(text) <= width), "#" * width)


def _scalar(value: Any) -> bool | int | float:
    item = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return item if isinstance(item, bool | int) else float(item)


def _float_candidates(value: float, width: int) -> Iterator[str]:
    """The longest first, each made when the one before is too long: as a rule none is."""
    if value == 0.0:
        yield from ("0.0", "0")  # no one asks of which sign a zero is: exact() tells it
        return
    # Positional up to the largest whole number that fits, then exponents.
    positional = 1e-4 <= abs(value) < 10.0 ** min(width, 15)
    for digits in (4, 3, 2, 1):
        if positional:
            yield from _positional(value, digits)
        yield from _exponents(value, digits)


def _positional(value: float, digits: int) -> list[str]:
    decimals = digits - 1 - _exponent(value, digits)
    if decimals <= 0:
        whole = f"{value:.0f}"
        return [f"{whole}.0", whole] if float(whole) == value else [whole]
    text = f"{value:.{decimals}f}".rstrip("0")
    return [text + "0", text[:-1]] if text.endswith(".") else [text]


def _exponents(value: float | Decimal, digits: int) -> list[str]:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return [f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}", f"{mantissa}e{int(exponent)}"]


def _exponent(value: float, digits: int) -> int:
    """The decimal exponent after rounding to `digits` digits: 9.9996 has 1 with four of them."""
    return int(f"{value:.{max(0, digits - 1)}e}".partition("e")[2])


def cells(
    window: NDArray[Any], fmt: NumberFormat = NumberFormat.FIXED, digits: int = 4
) -> list[list[str]]:
    """The texts of a 2-D window, row by row, equally wide within a column and with points aligned.

    `digits` counts decimals (fixed, scientific) or significant digits (significant). A window has
    one style: where fixed or significant digits would run too wide, or would show nothing but
    zeros, the whole window is scientific. Raises ValueError if the window is not 2-D.
    """
    if window.ndim != 2:
        raise ValueError(f"a window of cells has 2 axes, not {window.ndim}")
    show = _formatter(window, fmt, min(max(0, digits), _MAX_DIGITS))
    columns = [_aligned([show(value) for value in column]) for column in window.T.tolist()]
    return [[column[row] for column in columns] for row in range(window.shape[0])]


def _formatter(window: NDArray[Any], fmt: NumberFormat, digits: int) -> Callable[[Any], str]:
    if window.dtype.kind in "iu":
        return hex if fmt is NumberFormat.HEX else str
    if window.dtype.kind != "f":
        return lambda value: clean(str(value))
    if fmt is NumberFormat.HEX:
        fraction = _HEX_DIGITS.get(window.dtype.itemsize, 13)
        return _finite_or_name(lambda value: _hex(value, fraction))
    magnitudes = np.abs(window[np.isfinite(window) & (window != 0)]).astype(np.float64)
    if fmt is NumberFormat.SIGNIFICANT and _fits_significant(magnitudes, digits):
        return _finite_or_name(lambda value: _significant(value, max(1, digits)))
    if fmt is NumberFormat.FIXED and _fits_fixed(magnitudes, digits):
        return _finite_or_name(lambda value: f"{value:z.{digits}f}")
    decimals = max(0, digits - 1) if fmt is NumberFormat.SIGNIFICANT else digits
    long = any(abs(_exponent(float(v), decimals + 1)) >= 100 for v in _extremes(magnitudes))
    return _finite_or_name(lambda value: _scientific(value, decimals, 3 if long else 2))


def _finite_or_name(show: Callable[[float], str]) -> Callable[[float], str]:
    return lambda value: show(value) if math.isfinite(value) else str(value)


def _extremes(magnitudes: NDArray[Any]) -> list[float]:
    return [float(magnitudes.min()), float(magnitudes.max())] if magnitudes.size else []


def _fits_significant(magnitudes: NDArray[Any], digits: int) -> bool:
    return all(_exponent(m, digits) in _POSITIONAL_EXPONENTS for m in _extremes(magnitudes))


def _fits_fixed(magnitudes: NDArray[Any], digits: int) -> bool:
    if magnitudes.size == 0:
        return True
    largest = float(magnitudes.max())
    return largest < _FIXED_LIMIT and float(f"{largest:.{digits}f}") != 0.0


def _significant(value: float, digits: int) -> str:
    if value == 0.0:
        return "0"
    return f"{value:.{max(0, digits - 1 - _exponent(value, digits))}f}"


def _scientific(value: float, decimals: int, exponent_digits: int) -> str:
    mantissa, _, exponent = f"{value:z.{decimals}e}".partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>{exponent_digits}}"


def _hex(value: float, fraction: int) -> str:
    head, _, rest = value.hex().partition(".")
    mantissa, _, exponent = rest.partition("p")
    return f"{head}.{mantissa[:fraction]:0<{fraction}}p{exponent}"


def _aligned(texts: Sequence[str]) -> list[str]:
    """Heads of numbers right-aligned, tails from the point on left-aligned, names to the right."""
    named = {"nan", "inf", "-inf"}
    parts = [text.partition(".") for text in texts if text not in named]
    head = max((len(part[0]) for part in parts), default=0)
    tail = max((len(part[1] + part[2]) for part in parts), default=0)
    width = max([head + tail, *(len(text) for text in texts if text in named)])
    return [
        text.rjust(width) if text in named else _at_point(text, tail).rjust(width) for text in texts
    ]


def _at_point(text: str, tail: int) -> str:
    head, point, rest = text.partition(".")
    return head + (point + rest).ljust(tail)


def exact(value: Any) -> str:
    """The shortest text that reads back as the same value of the same dtype: 0.1 for float32."""
    scalar = value[()] if isinstance(value, np.ndarray) else value
    return clean(str(scalar))


def count_text(count: int) -> str:
    """A count with commas at the thousands, 12,345; above ten million as 2.2·10¹²."""
    if abs(count) <= 10_000_000:
        return f"{count:,}"
    mantissa, _, exponent = f"{Decimal(count):.1e}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def nbytes_text(count: int) -> str:
    """A number of bytes in binary units, as 1.2 MiB."""
    if count < 1024:
        return f"{count} B"
    amount = Decimal(count)
    for unit in _BYTE_UNITS:
        amount /= 1024
        if round(amount, 1) < 1024:
            return f"{amount:.1f} {unit}"
    return f"{count_text(int(amount))} {_BYTE_UNITS[-1]}"


def shape_text(shape: Sequence[int]) -> str:
    """A shape as NumPy writes it: (4, 3), (2,), (); (?) for one that is hidden."""
    if isinstance(shape, Concealed):
        return "(?)"
    return str(tuple(int(length) for length in shape))


def dims_text(dims: Sequence[int]) -> str:
    """The dimensions of a matrix as mathematics writes them: 1×3. No dimension is `scalar`."""
    if isinstance(dims, Concealed):
        return "?"
    return "×".join(str(int(length)) for length in dims) or "scalar"
