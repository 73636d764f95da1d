"""Names in expressions: how a tensor's name is written, found, suggested and completed."""

import ast
import keyword
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache

import numpy as np

from engine.expressions.function import Functions

CONSTANTS = {"nan": np.nan, "inf": np.inf, "pi": np.pi, "e": np.e}
# What people who know NumPy write, and its form here.
INSTEAD = {
    "T": "transpose({})",
    "shape": "shape({}, 0)",
    "size": "size({})",
    "ndim": "rank({})",
}


# How far a name may have been typed: identifiers, dots, and brackets of which the last may be open.
BEGUN = re.compile(r"[^\W\d][\w.]*(?:\[[^\[\]]*\][\w.]*)*(?:\[[^\[\]]*)?$")
NAME = re.compile(r"[^\W\d][\w.]*(?:\[[-\d, ]*\][\w.]*)*")
MAX_NAME = 200  # characters of a name that is looked at as one with indices


def written(node: ast.expr) -> str | None:
    """The name that identifiers, dots and whole numbers in brackets spell: ``h[2].grad``.

    None for any other expression. Python's parser has normalised the identifiers.
    """
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            owner = written(node.value)
            return None if owner is None else f"{owner}.{node.attr}"
        case ast.Subscript():
            owner, places = written(node.value), indices(node.slice)
            return None if owner is None or places is None else f"{owner}[{places}]"
    return None


def indices(node: ast.expr) -> str | None:
    """Whole numbers as they stand in the brackets of a name, without blanks; None for others."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    found = []
    for part in parts:
        negative = isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub)
        number = part.operand if isinstance(part, ast.UnaryOp) and negative else part
        if not isinstance(number, ast.Constant) or type(number.value) is not int:
            return None
        found.append(f"{'-' * negative}{number.value}")
    return ",".join(found) or None


def is_written(name: str) -> bool:
    """Whether an expression can have the name as it is: identifiers, dots, whole indices."""
    return _parsed(name) is not None


@lru_cache(maxsize=4096)
def _parsed(name: str) -> str | None:
    """A name as the parser spells it; None where it would be another expression, or none."""
    if name.isidentifier() and not keyword.iskeyword(name):
        return _normal(name)
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return written(ast.parse(name, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def spelling(name: str) -> str:
    """How a tensor of this name is written in an expression."""
    spelled = _parsed(name)
    return name if spelled is not None and spelled == name.replace(" ", "") else quoted(name)


def quoted(name: str) -> str:
    """The form `tensor("…")`, which can write any name."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in escaped)
    return f'tensor("{"".join(shown)}")'


def unwritable(text: str, names: Iterable[str]) -> str | None:
    """The longest name in the text that must be written in quotes."""
    found = [name for name in names if name and not is_written(name) and name in text]
    return max(found, key=len, default=None)


def _normal(name: str) -> str:
    # Python's parser normalises identifiers to NFKC, so names are compared in that form.
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


class Names:
    """The known names of one expression, as they are and as Python's parser would spell them."""

    def __init__(self, names: Collection[str], functions: Functions) -> None:
        self.functions = functions
        self.exact = frozenset(names)
        self.same: dict[str, list[str]] = {}
        for name in sorted(self.exact):
            self.same.setdefault(_parsed(name) or _normal(name), []).append(name)

    def find(self, dotted: str) -> list[str]:
        """The known names that a spelled name may stand for; more than one is ambiguous."""
        return self.same.get(_normal(dotted), [])

    def at(self, node: ast.expr) -> list[str]:
        """The known names that a node spells, indices included: ``h[2]`` may be a tensor."""
        spelled = written(node)
        return [] if spelled is None else self.find(spelled)

    def has_places(self, name: str) -> bool:
        """Whether tensors are called so with an index, ``h[0]``, ``h[1]``."""
        return any(known.startswith(f"{name}[") for known in self.same)

    def unknown(self, name: str, text: str) -> str:
        """What to say of a dotted name in the text that is not known."""
        owner, _, last = name.rpartition(".")
        if name in self.functions:
            return f"{name} is a function: write {self.functions[name].signature}"
        if last in INSTEAD and self.find(owner):
            return f"attributes cannot be reached: write {INSTEAD[last].format(owner)}"
        if meant := unwritable(text, self.exact):
            return f"unknown name '{name}': did you mean {spelling(meant)}?"
        return f"unknown name '{name}'{self._nearest(name, spelling)}"

    def unknown_text(self, name: str) -> str:
        """What to say of a quoted name that is not known."""
        return f"unknown name '{name}'{self._nearest(name, quoted)}"

    def _nearest(self, name: str, spelled: Callable[[str], str]) -> str:
        if near := get_close_matches(name, self.exact, 1):
            return f": did you mean {spelled(near[0])}?"
        if near := get_close_matches(name, [*self.functions, *CONSTANTS], 1):
            return f": did you mean {near[0]}?"
        shown = ", ".join(map(spelled, sorted(self.exact)[:4]))
        return f"; known are {shown}{', …' if len(self.exact) > 4 else ''}" if shown else ""


def unknown_function(name: str, functions: Functions) -> str:
    """What to say of a call of something that is no function."""
    near = get_close_matches(name, functions, 1)
    hint = f"did you mean {near[0]}?" if near else f"functions are {', '.join(sorted(functions))}"
    return f"unknown function '{name}': {hint}"


def complete(prefix: str, names: Iterable[str], functions: Functions) -> list[str]:
    """What `prefix` may become: its last word completed to a name, a function or a constant.

    Each answer is the whole text and can replace the prefix; a function ends in its bracket.
    """
    if inside := re.search(r"""\btensor\(\s*["']([^"']*)$""", prefix):
        matches = [quoted(name) for name in sorted(names) if name.startswith(inside[1])]
        return [prefix[: inside.start()] + match for match in matches]
    start = begun(prefix, names)
    head, word = prefix[:start], _normal(prefix[start:])
    matches = [spelling(name) for name in sorted(names) if _normal(name).startswith(word)]
    words = [f"{name}(" for name in sorted(functions)] + sorted(CONSTANTS)
    matches += [each for each in words if each.startswith(word)]
    return [head + match for match in dict.fromkeys(matches)]


def begun(prefix: str, names: Iterable[str]) -> int:
    """Where the last word of a text begins: a name with its indices, if one begins so."""
    longer = BEGUN.search(prefix)
    if longer and "[" in longer[0]:
        word = _normal(longer[0])
        if any(_normal(name).startswith(word) for name in names):
            return longer.start()
    return re.search(r"[\w.]*$", prefix).start()  # type: ignore[union-attr]
