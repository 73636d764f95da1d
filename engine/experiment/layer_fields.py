"""What [[layers]] tables need beyond their structs: whether they are lines, values, sharing."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors import Problem
from engine.experiment.data_inline import Walk
from engine.experiment.spec_tables import LAYER_SPECS
from engine.nn.line_table import LINE_LAYERS
from engine.wording import shown, walk

OWN = ("name", "inputs", "shared", "frozen", "init", "init_scale", "lr", "weight_decay", "decay")


def as_lines(layers: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> bool:
    """Whether layers are no chain from rows to rows, so that the network is one of lines.

    That is so where one is of a kind that chains do not have, names its inputs or shares its
    parameters, and where x has more than two axes.
    """
    return deep(data.get("x"), data.get("image")) or any(
        layer.get("type") in LINE_LAYERS
        or layer.get("inputs") is not None
        or layer.get("shared") is not None
        for layer in layers
        if isinstance(layer.get("type"), str)
    )


def deep(x: Any, image: Any) -> bool:
    """Whether x has more than two axes; pictures of flat rows have two."""
    for _ in range(2):
        if not isinstance(x, list | tuple) or not x:
            return False
        x = x[0]
    return image is None and isinstance(x, list | tuple)


def sharing(layers: Sequence[Any], names: Sequence[str | None]) -> list[Any]:
    """The tables, with the options of the layer whose parameters one uses where it has none."""
    found = []
    for given in layers:
        table = given
        other = table.get("shared") if isinstance(table, Mapping) else None
        if isinstance(other, str) and other in names:
            source = layers[names.index(other)]
            if isinstance(source, Mapping) and source.get("type") == table.get("type"):
                apart, _ = with_values(source)
                kept = {k: v for k, v in apart.items() if k not in (*OWN, "values", "weight")}
                if isinstance(kept.get("bias"), list):
                    kept["bias"] = True
                table = {**kept, **table}
        found.append(table)
    return found


def with_values(table: Any) -> tuple[Any, dict[str, Any]]:
    """A layer's table without the explicit values of its parameters, and those by role."""
    row = LINE_LAYERS.get(str(table.get("type"))) if isinstance(table, Mapping) else None
    if row is None or not row.roles:
        return table, {}
    kept: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):  # out_proj.weight = [[…]] nests in TOML
            inner = {f"{key}.{k}": v for k, v in value.items()}
            if inner and all(re.fullmatch(row.roles, one) for one in inner):
                values |= inner
                continue
        if re.fullmatch(row.roles, key) and not isinstance(value, bool):
            values[key] = value
        else:
            kept[key] = value
    return kept, values


def value_problems(values: Mapping[str, Any], path: str, largest: float) -> Iterator[Problem]:
    """Explicit values that are no rectangles of finite numbers."""
    for role, value in values.items():
        place = f"{path}.{role}"
        if not isinstance(value, list):
            yield Problem(place, f"must be lists of numbers, not {shown(value)}")
        elif (fault := Walk().fault(value)) is not None:
            yield Problem(place + fault[0], fault[1])
        elif any(not math.isfinite(one) or abs(one) > largest for one in walk(value)):
            yield Problem(place, "has a number that is not finite, or too large")


def shared_problems(layers: Sequence[Any], names: Sequence[str | None]) -> Iterator[Problem]:
    """Layers that share the parameters of none, or of one that has not the same kind."""
    for i, table in enumerate(layers):
        if not isinstance(table, Mapping) or not isinstance(table.get("shared"), str):
            continue
        other, path = table["shared"], f"layers[{i}].shared"
        if other not in names:
            known = ", ".join(name for name in names if name is not None)
            yield Problem(path, f"no layer {shown(other)}; layers are {known}")
            continue
        source = layers[names.index(other)]
        if source is table:
            yield Problem(path, "is the layer itself: leave it out")
        elif source.get("type") != table.get("type"):
            said = f"{other} is {source.get('type')}, and this is {table.get('type')}"
            yield Problem(path, f"{said}: the kinds must agree")
        elif source.get("shared") is not None:
            yield Problem(path, f"{other} shares those of {shown(source['shared'])}: name that")
        elif "running_mean" in getattr(LINE_LAYERS.get(source["type"]), "roles", ""):
            yield Problem(path, f"{other} keeps running statistics, which no two layers share")


def layers_as_lines(raw: Mapping[str, Any]) -> bool:
    """Whether a document without lines has layers that are no chain."""
    layers, data = raw.get("layers"), raw.get("data")
    tables = (
        [table for table in layers if isinstance(table, Mapping)]
        if isinstance(layers, list)
        else []
    )
    return as_lines(tables, data if isinstance(data, Mapping) else {})


def layer_names(raw: Sequence[Any]) -> list[str | None]:
    """The names of the layers, given or numbered; None where a table is too wrong to have one."""
    # As Experiment.layer_names, but of raw tables, any of which may be wrong.
    counts: dict[str, int] = {}
    names: list[str | None] = []
    for table in (item if isinstance(item, Mapping) else {} for item in raw):
        kind, name = table.get("type"), table.get("name")
        number = None
        if isinstance(kind, str) and kind in LAYER_SPECS:
            number = counts[kind] = counts.get(kind, 0) + 1
        if name is None and number is not None:
            name = f"{kind}{number}"
        names.append(name if isinstance(name, str) and name else None)
    return names
