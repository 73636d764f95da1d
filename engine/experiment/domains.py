"""Where a number of an experiment must lie: the limits that its file is held to, for edits too."""

import re
from functools import lru_cache

from msgspec import inspect

from engine.run.op import Domain

SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
PART = re.compile(r"(.*?)(\d)")  # beta1 is the first of the betas


@lru_cache
def numbers_of(table: type) -> dict[str, tuple[inspect.Type, ...]]:
    """The fields of a table of an experiment by name, each with the types of its numbers."""
    found: dict[str, tuple[inspect.Type, ...]] = {}
    for field in inspect.type_info(table).fields:  # type: ignore[attr-defined]
        items = (
            field.type.item_types if isinstance(field.type, inspect.TupleType) else (field.type,)
        )
        found[field.name] = tuple(items)
    return found


def domain_of(table: type, name: str) -> Domain:
    """The limits of a number by its name; those of ``beta1`` stand in the field ``betas``."""
    numbers = numbers_of(table)
    part = PART.fullmatch(name)
    if name not in numbers and part is not None:
        (kind,) = numbers[f"{part[1]}s"][int(part[2]) - 1 : int(part[2])]
    else:
        (kind,) = numbers[name]
    limits = ((sign, getattr(kind, key, None)) for key, sign in SIGNS.items())
    return tuple((sign, float(limit)) for sign, limit in limits if limit is not None)
