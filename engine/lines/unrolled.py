"""The text of a line in a loop, with the values of its variables."""

import ast
import re
from collections.abc import Mapping

from engine.lines.known import Known
from engine.lines.node import Node
from engine.lines.scope import Scope, Wrong

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
PLACE = re.compile(r"\[([^\[\]]*)\]")
SMALL = re.compile(r"[-+*/% ()0-9]+\Z")


def unread(node: ast.expr) -> Node:
    """No tensor stands in a sum of whole numbers."""
    raise Wrong(node, "a number is needed here")


NUMBERS = Known(Scope({}, {}, {}), unread)


def substituted(text: str, loops: Mapping[str, int]) -> str:
    """A line with the values of loop variables, and indices such as ``3-1`` worked out."""
    text = WORD.sub(lambda m: str(loops[m[0]]) if m[0] in loops else m[0], text)
    return PLACE.sub(lambda m: f"[{worked_out(m[1])}]", text)


def worked_out(index: str) -> str:
    """An index whose parts that are whole numbers alone are worked out."""
    return ",".join(
        keep_space(part, ":".join(figure(one) for one in part.split(":")))
        for part in index.split(",")
    )


def keep_space(part: str, found: str) -> str:
    """A space before a part of an index stays."""
    return f" {found}" if part.startswith(" ") else found


def figure(text: str) -> str:
    """A sum of whole numbers as one; anything else as it is."""
    bare = text.strip()
    if not bare or len(bare) > 40 or not SMALL.match(bare) or "**" in bare:
        return bare
    try:
        tree = ast.parse(bare, mode="eval").body
        return str(NUMBERS.whole(tree))
    except (SyntaxError, Wrong):
        return bare
