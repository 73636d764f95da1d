"""TOML of strangers: its nesting is looked at before anything is made of it."""

import re
import tomllib
from typing import Any

MAX_PARTS = 64  # of one key: every part is a table, and the parser's memory grows with the square
# A chain of dotted parts, met at its beginning alone, so that the search takes one pass.
CHAIN = re.compile(
    r"""(?<![\w."'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"""
    f"{{{MAX_PARTS}}}"
)


def read_toml(text: str) -> dict[str, Any]:
    """The table that a TOML text describes.

    Raises ValueError, which tomllib's own error is, for a text that is none or nests too deep.
    """
    deep = CHAIN.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.start()) + 1
        raise ValueError(f"a key of more than {MAX_PARTS} parts (at line {line})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("lists or tables nest too deep") from None
