"""Names in expressions: how a tensor's name is written, found, suggested and completed."""

import keyword
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches

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


def is_dotted(name: str) -> bool:
    """Whether the name consists of identifiers, as Python's parser wants them."""
    parts = name.split(".")
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)


def spelling(name: str) -> str:
    """How a tensor of this name is written in an expression."""
    return name if is_dotted(name) and _normal(name) == name else quoted(name)


def quoted(name: str) -> str:
    """The form `tensor("…")`, which can write any name."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in escaped)
    return f'tensor("{"".join(shown)}")'


def unwritable(text: str, names: Iterable[str]) -> str | None:
    """The longest name in the text that must be written in quotes."""
    found = [name for name in names if name and not is_dotted(name) and name in text]
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
            self.same.setdefault(_normal(name), []).append(name)

    def find(self, dotted: str) -> list[str]:
        """The known names that a dotted name may stand for; more than one is ambiguous."""
        return self.same.get(_normal(dotted), [])

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
    start = re.search(r"[\w.]*$", prefix).start()  # type: ignore[union-attr]
    head, word = prefix[:start], _normal(prefix[start:])
    matches = [spelling(name) for name in sorted(names) if _normal(name).startswith(word)]
    words = [f"{name}(" for name in sorted(functions)] + sorted(CONSTANTS)
    matches += [each for each in words if each.startswith(word)]
    return [head + match for match in dict.fromkeys(matches)]
