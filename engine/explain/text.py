"""An explanation as lines of text."""

from collections.abc import Iterator
from unicodedata import combining

import numpy as np

from engine.explain.explanation import Explanation, Term
from engine.explain.writing import number_text, shown_whole


def explanation_lines(found: Explanation, lead: str = "") -> Iterator[str]:
    """The number with its terms, the index form and what follows from it, then the parts."""
    if found.value is None:
        yield f"{lead}{found.of}"
    elif found.terms:
        yield from (f"{lead}{line}" for line in summed(found))
    else:
        yield f"{lead}{found.of} = {number_text(found.value)}"
    inner = f"{lead}  "
    about = (found.formula, found.index_form, found.why, *found.notes)
    yield from (f"{inner}{line}" for line in about if line)
    for part in found.parts:
        yield from explanation_lines(part, inner)


def summed(found: Explanation) -> Iterator[str]:
    """The terms, then the same with their values put in, and the number."""
    texts = [*(term.text for term in found.terms)]
    numbers = [*(term.numbers for term in found.terms)]
    signs = [term.sign for term in found.terms]
    if found.hidden:
        texts.append(f"{found.hidden} smaller terms")
        numbers.append(number_text(abs(found.rest)))
        signs.append(-1 if found.rest < 0 else 1)
    yield f"{found.of} = {joined(signs, texts)}"
    assert found.value is not None
    sign = "=" if exact(found) else "≈"
    pad = " " * width_of(found.of)
    if any(text != number for text, number in zip(texts, numbers, strict=True)):
        yield f"{pad} = {joined(signs, numbers)}"
    products = [number_text(abs(term.value)) for term in found.terms]
    text = number_text(found.value)
    yield f"{pad} {sign} {text}{last_bits(found.value)}"
    if len(found.terms) > 1 and products != numbers[: len(products)]:
        yield from values(found.terms)


def last_bits(value: float) -> str:
    """The whole number in brackets, where its text leaves something out."""
    if not np.isfinite(value) or float(f"{value:.6g}") == value:
        return ""
    return f"  ({value!r})".replace("-", "−")


def values(terms: tuple[Term, ...]) -> Iterator[str]:
    """The value of each term."""
    width = max(width_of(term.signed) for term in terms)
    for term in terms:
        blanks = " " * (width - width_of(term.signed))
        yield f"  {term.signed}{blanks}  {number_text(term.value)}"


def width_of(text: str) -> int:
    """The columns of a text: the hat of m̂ has none of its own."""
    return sum(not combining(character) for character in text)


def joined(signs: list[int], texts: list[str]) -> str:
    """Terms with their signs between them."""
    out = ("−" if signs[0] < 0 else "") + texts[0]
    for sign, text in zip(signs[1:], texts[1:], strict=True):
        out += f" {'−' if sign < 0 else '+'} {text}"
    return out


def exact(found: Explanation) -> bool:
    """Whether no number that is shown has digits that are not."""
    shown = [one.value for term in found.terms for one in term.factors]
    assert found.value is not None
    rest = [found.rest] if found.hidden else []
    return not np.isfinite(found.value) or all(map(shown_whole, [*shown, *rest, found.value]))
