"""Ops by the module that runs them and by the line of the script that they come from."""

import re
from fnmatch import fnmatchcase

from engine.run.op import Op
from engine.run.timeline import Listing

MODULE = "module:"
LINE = re.compile(r"(?P<file>[^:]*[^:/\\]):(?P<line>\d{1,9})", re.ASCII)


def module_pattern(text: str) -> str | None:
    """The module, or pattern of modules, that ``module:layer1.*`` names; None for another text."""
    return text.removeprefix(MODULE) if text.startswith(MODULE) else None


def in_module(layer: str | None, pattern: str) -> bool:
    """Whether a module is one that a pattern names, or lies inside of it."""
    if layer is None:
        return False
    path = layer.split(".")
    return any(fnmatchcase(".".join(path[:i]), pattern) for i in range(1, len(path) + 1))


def ops_of_module(listing: Listing, pattern: str) -> list[Op]:
    """The ops of an iteration that modules of a pattern run."""
    return [op for op in listing.ops if in_module(op.layer, pattern)]


def code_line(text: str) -> tuple[str, int] | None:
    """The file and the line that ``train.py:41`` names; None for another text."""
    found = LINE.fullmatch(text)
    return None if found is None else (found["file"], int(found["line"]))


def is_file(path: str | None, name: str) -> bool:
    """Whether a path is the file of a name, which may have the last folders before it."""
    return path is not None and (path == name or path.endswith("/" + name))


def ops_at_line(listing: Listing, file: str, line: int) -> list[Op]:
    """The ops of an iteration that come from a line of the script."""
    return [op for op in listing.ops if op.line == line and is_file(op.file, file)]


def by_code(listing: Listing, text: str) -> list[Op] | None:
    """The ops that ``module:NAME`` or ``FILE:LINE`` means; None for a text that is neither."""
    pattern = module_pattern(text)
    if pattern is not None:
        return ops_of_module(listing, pattern)
    found = code_line(text)
    return None if found is None else ops_at_line(listing, *found)
