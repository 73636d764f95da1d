"""Messages about wrong values and unknown names: what was found, what is allowed, what is near."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

MAX_SHOWN = 60  # characters of a value in a message
MAX_CHOICES = 30
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
STEP = re.compile(r"\[(\d+)\]")
# msgspec's ValidationError has its message and nothing else: what it expected has to be parsed
EXPECTED = re.compile(
    r"Expected `(?P<kind>[^`]+)`(?: (?P<bound>of length >=|of length <=|of length|>=|<=|>|<)"
    r" (?P<limit>[^\s,]+))?(?:, got .*)?\Z"
)
LIST = re.compile(r"Expected `[^`]*\barray\b")  # alone, or among other kinds
NUMBER = re.compile(r"[+-]?\d{1,30}([.,]\d{1,30})?([eE][+-]?\d{1,3})?")
ITEMS = {"of texts": (str,), "of numbers": (int, float)}
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text in quotes",
    "array": "a list",
    "object": "a table",
}
BOUNDS = {
    ">": "above {}",
    ">=": "of at least {}",
    "<": "below {}",
    "<=": "of at most {}",
    "of length": "of {} values",
    "of length >=": "with at least {} of them",
    "of length <=": "with at most {} of them",
}


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The remedy for an unknown word: the closest allowed one, if any is, then the list of all."""
    choices = [str(choice) for choice in allowed]
    near = get_close_matches(word.lower(), choices, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}allowed: {listed(choices)}"


def suggestion(word: str, allowed: Collection[str]) -> str:
    """`` (did you mean backward?)`` with the closest allowed word; empty where none is close."""
    near = get_close_matches(word, list(allowed), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def listed(words: Sequence[str]) -> str:
    """The words with commas between them; of more than MAX_CHOICES the first, and a count."""
    more = len(words) - MAX_CHOICES
    return ", ".join(words[:MAX_CHOICES]) + (f", … ({more} more)" if more > 0 else "")


def shown(value: Any, width: int = MAX_SHOWN) -> str:
    """A value as it would stand in a file, ``width`` characters at most; lists by kind alone."""
    match value:
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "a table"
        case list() | tuple():
            return "a list"
        # Python refuses to write out an integer of more than 4300 digits
        case int() if value.bit_length() > 8 * MAX_SHOWN:
            return f"a number of {value.bit_length()} bits"
        case str() | int() | float():
            text = repr(value)
        case _:
            text = str(value)
    return clipped(text, width)


def guarded(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def clipped(text: str, width: int = MAX_SHOWN) -> str:
    """The text, or where it is longer than ``width`` its beginning, with ``…``."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def join(path: str, key: str) -> str:
    """The path of a field inside a table; a key that is no plain word stands in quotes."""
    name = key if BARE_KEY.match(key) else shown(key)
    return f"{path}.{name}" if path else name


def walk(value: Any) -> Iterable[Any]:
    """The leaves of a nested list or tuple, depth first; any other value is its own leaf."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)
    else:
        yield value


def words_of(kind: Any) -> tuple[str, ...]:
    """The words that a type admits: of a Literal, an Enum, or a list of one of them."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(member.value) for member in kind)
    found: list[str] = []
    for part in get_args(kind):
        found += (part,) if isinstance(part, str) else words_of(part)
    return tuple(found)


def explain(said: str, value: Any, kind: Any) -> tuple[str, str]:
    """The message of a msgspec ValidationError as (place inside ``value``, message of ours).

    ``kind`` is the annotated type of ``value``; the place is a path such as ``[2]``, or empty.
    """
    said, _, where = said.partition(" - at ")
    where = where.strip("`").removeprefix("$")
    for step in STEP.findall(where):
        value = value[int(step)]
    allowed, is_list = words_of(kind), LIST.match(said) is not None
    if allowed and not is_list:
        return where, unknown_value(value, allowed)
    match = EXPECTED.match(said)
    if match is None:
        out_of_range = said == "Number out of range"
        return where, f"{shown(value)} is out of range" if out_of_range else said.replace("`", "")
    within = f"; allowed in it: {listed(allowed)}" if allowed else ""
    kinds = [*match["kind"].split(" | "), *(items_of(kind) if is_list else ())]
    return where, expectation(value, **match.groupdict()) + within + rewritten(value, kinds)


def items_of(kind: Any) -> Iterator[str]:
    """Of a type with lists: whether they are ``of texts`` or ``of numbers``."""
    inside = get_args(kind)
    if get_origin(kind) in (list, tuple):
        yield from (word for word, of in ITEMS.items() if {*of} & {*map(innermost, inside)})
    elif get_origin(kind) is not Literal:
        for part in inside:
            yield from items_of(part)


def innermost(kind: Any) -> Any:
    """A type without what is annotated to it; text for one of some words."""
    origin = get_origin(kind)
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return str
    return get_args(kind)[0] if origin is Annotated else kind


def rewritten(value: Any, kinds: Sequence[str]) -> str:
    """How a value of another kind is written that is meant: ``: write 0.1, without quotes``."""
    match value:
        case str() if "bool" in kinds and value.lower() in ("true", "false"):
            return f": write {value.lower()}, without quotes"
        case str() if {"int", "float"} & {*kinds} and NUMBER.fullmatch(value):
            return f": write {value.replace(',', '.')}, without quotes"
        case float() if "float" not in kinds and "int" in kinds and value.is_integer():
            return f": write {value:.0f}"
        case str() if "of texts" in kinds:
            return f': write ["{shown(value)[1:-1]}"], in brackets'
        case bool():
            return ""
        case int() | float() if "of numbers" in kinds:
            return f": write [{shown(value)}], in brackets"
    return ""


def unknown_value(value: Any, allowed: Iterable[str]) -> str:
    """``unknown value …; did you mean …`` for a value that is none of the allowed words."""
    return (
        f"unknown value {shown(value)}; {nearest(value if isinstance(value, str) else '', allowed)}"
    )


def expectation(value: Any, kind: str, bound: str | None, limit: str | None) -> str:
    """``must be …, not …`` for what msgspec expected."""
    names = [KINDS.get(part, part) for part in kind.split(" | ") if part != "null"]
    words = ", or ".join(names)
    if kind.startswith("str") and bound and limit:
        return "must not be empty" if limit == "1" else f"must have at most {limit} characters"
    if bound and limit:
        words += f" {BOUNDS[bound].format(limit.removesuffix('.0'))}"
    found = f"{len(value)}" if bound and "length" in bound else shown(value)
    return f"must be {words}, not {found}"
