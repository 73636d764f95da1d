"""The experiment of a recording as a TOML file that stands alone: its data and values inside."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.program.program import Program
from engine.recording.canonical import experiment_table, self_contained

BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
KEPT = ("batch_size", "shuffle", "drop_last")  # of [data]: the rest has made the data what they are
PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f']*\Z")  # what may stand between three quotes


def experiment_toml(program: Program) -> str:
    """The text of a file that describes the same run, to the bit, and reads no other file.

    The data are those that the run had, after everything that [data] asked for; rows set aside for
    validation, which have no part in it, are not among them.
    """
    table = experiment_table(self_contained(program))
    data = table.get("data", {})
    table["data"] = {name: data[name] for name in KEPT if name in data}
    arrays = {"x": program.data.x.tolist(), "y": program.data.y.tolist()}
    table["data"] = arrays | table["data"]
    return table_toml(table)


def table_toml(table: Mapping[str, Any]) -> str:
    """The text of the file that the table of an experiment is."""
    plain = {name: one for name, one in table.items() if not isinstance(one, dict | list)}
    parts = ["".join(f"{key(name)} = {value(one)}\n" for name, one in plain.items())]
    for name, one in table.items():
        if name == "layers":
            parts += [block("[[layers]]", layer) for layer in one]
        elif isinstance(one, dict):
            parts.append(block(f"[{key(name)}]", one))
    return "\n".join(parts)


def block(head: str, table: Mapping[str, Any]) -> str:
    """A table under its heading."""
    return "\n".join([head, *fields(table)]) + "\n"


def fields(table: Mapping[str, Any]) -> Iterator[str]:
    """A line for each field."""
    for name, one in table.items():
        if one is not None:
            yield f"{key(name)} = {value(one)}"


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if BARE.match(name) else string(name)


def value(one: Any) -> str:
    """A value on one line, but for text of several lines."""
    match one:
        case bool():
            return "true" if one else "false"
        case str():
            literal = "\n" in one and PLAIN.match(one)
            return f"'''\n{one}'''" if literal else string(one)
        case dict():
            inner = ", ".join(f"{key(k)} = {value(v)}" for k, v in one.items() if v is not None)
            return f"{{ {inner} }}"
        case list() | tuple():
            return f"[{', '.join(map(value, one))}]"
        case _:
            return repr(one)  # numbers: nan and inf are TOML's words too


def string(text: str) -> str:
    """A string in quotes; JSON's escapes are TOML's but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
