"""Which fields of a [data] table go together: one source, and what belongs to it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from engine.experiment.data_generated import RECIPES
from engine.experiment.synonyms import is_names, plain, words_for
from engine.wording import shown

# What is taken for names of columns, and the field that has them.
COLUMNS = {"x": "inputs", "features": "inputs", "y": "targets", "classes": "targets"}


def data_problems(raw: Mapping[str, Any], lines: bool) -> Iterator[tuple[str, str]]:
    """Where there is not one source of data, or a field belongs to another: (path, message).

    A network written as lines may do without x, y or both.
    """
    given = {name for name, value in raw.items() if value is not None}
    named = {"x/y": {"x", "y"}} | {name: {name} for name in ("csv", "npz", "generate")}
    sources = [name for name, fields in named.items() if given & fields]
    if len(sources) != 1 and not (lines and not sources):
        found = " and ".join(sources) or "none"
        yield "data", f"needs exactly one source of x/y, csv, npz, generate; found {found}"
    for name in sorted({"x", "y"} - given if sources == ["x/y"] and not lines else ()):
        yield f"data.{name}", "missing: inline data has both x and y"
    for name in ("inputs", "targets"):
        if sources == ["csv"] and name not in given:
            yield f"data.{name}", "missing: a CSV needs the names of its columns"
    for name in ("inputs", "targets"):
        if "csv" not in given and raw.get(name):
            yield f"data.{name}", "belongs to csv only"
    if raw.get("one_hot") and not given & {"csv", "generate"}:
        yield "data.one_hot", "belongs to csv and generate only"
    if raw.get("stratify") and "validation" not in given:
        yield "data.stratify", "belongs to validation: the share of rows set aside"
    yield from file_problems(raw, given)
    yield from array_problems(raw, lines)
    yield from generate_problems(raw)


def file_problems(raw: Mapping[str, Any], given: set[str]) -> Iterator[tuple[str, str]]:
    """What belongs to another kind of data file, or names no columns, as (path, message)."""
    if isinstance(raw.get("inputs"), str) and raw["inputs"] != "others":
        said = f'must be a list of names, or "others", not {shown(raw["inputs"])}'
        yield "data.inputs", f'{said}: "others" takes all other columns than the targets'
    for name in ("separator", "decimal", "encoding", "missing", "header"):
        if "csv" not in given and name in given:
            yield f"data.{name}", "belongs to csv only"
    if "arrays" in given and "npz" not in given:
        yield "data.arrays", "belongs to npz only"


def array_problems(raw: Mapping[str, Any], lines: bool) -> Iterator[tuple[str, str]]:
    """Names of arrays that are not one for x and one for y, which lines may do without."""
    names = raw.get("arrays")
    if isinstance(names, list) and len(names) != 2 and not (lines and len(names) == 1):
        wanted = "1 or 2 values" if lines else "2 values"
        yield "data.arrays", f"must be a list of {wanted}, not {len(names)}"


def generate_problems(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters that do not belong to the generated set, as (path, message)."""
    name = raw.get("generate")
    recipe = RECIPES.get(name) if isinstance(name, str) else None
    for field in ("samples", "noise", "classes", "features"):
        if field not in raw:
            continue
        if name is None:
            yield f"data.{field}", "belongs to generate only"
        elif recipe is not None and getattr(recipe, field, 0) is None:
            known = [n for n, other in RECIPES.items() if getattr(other, field) is not None]
            yield f"data.{field}", f"{name} has none; it belongs to {', '.join(known)}"
    noise = raw.get("noise")
    if isinstance(noise, float) and not math.isfinite(noise):
        yield "data.noise", f"{noise} is not finite"


def columns_elsewhere(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields with names of columns that stand for others: (as it is called, which is meant).

    That is so beside a csv, however that is called, with x, y, features and classes.
    """
    if not {"csv", *words_for("csv")} & {plain(key) for key in raw}:
        return
    for key, field in (
        ("x", "inputs"),
        ("features", "inputs"),
        ("y", "targets"),
        ("classes", "targets"),
    ):
        if key in raw and field not in raw and is_names(raw[key]):
            yield key, field
