"""The line of keys at the bottom: the most useful ones of a place, as many as there is room for."""

from collections.abc import Sequence
from typing import NamedTuple

from tui.keys.key_names import key_name
from tui.keys.table import PLOTS, PROMPT, Command
from tui.render.text.line import Line, width_of

# At the right edge, however little room there is.
ALWAYS = ("help", "quit", "plot-close", "prompt-done", "prompt-leave")
FIRST = ("step-op", "back-op", "step-phase", "step-iteration", "command", "continue", "plots")


class Hint(NamedTuple):
    """A key by the toolkit's name, its name and words on screen, and whether it is always shown."""

    key: str
    name: str
    words: str
    always: bool = False

    @property
    def spans(self) -> Line:
        """The hint with a blank on both sides."""
        return [(f" {self.name}", "key"), (f" {self.words} ", "")]


def hints(commands: Sequence[Command], place: str) -> list[Hint]:
    """The commands of a pane, of the plots screen or the prompt with a short name; its own first.

    Then come those that are used most: they are the last to go where there is little room.
    """
    own = [c for c in commands if c.pane == place]
    alone = [] if place == PROMPT else ["help"] if place == PLOTS else None
    shared = [c for c in commands if not c.pane and (alone is None or c.id in alone)]
    shared.sort(key=lambda c: FIRST.index(c.id) if c.id in FIRST else len(FIRST))
    return [
        Hint(c.keys[0], key_name(c.keys[0]), c.footer, c.id in ALWAYS)
        for c in (*own, *shared)
        if c.footer and c.keys
    ]


def placed(found: Sequence[Hint], width: int) -> list[tuple[int, Hint]]:
    """The hints that fit, with their columns: from the left, those always shown at the right."""
    always = [hint for hint in found if hint.always]
    right = width - sum(width_of(hint.spans) for hint in always)
    out, x = [], 0
    for hint in (hint for hint in found if not hint.always):
        size = width_of(hint.spans)
        if x + size > right:
            break
        out.append((x, hint))
        x += size
    for hint in always:
        out.append((max(x, right), hint))
        x = right = max(x, right) + width_of(hint.spans)
    return out


def key_line(found: Sequence[Hint], width: int) -> Line:
    """The hints that fit into a line of ``width`` cells."""
    line: Line = []
    for x, hint in placed(found, width):
        line += [(" " * (x - width_of(line)), ""), *hint.spans]
    return line


def short_names(commands: Sequence[Command], place: str) -> str:
    """The keys of a modal screen in a line, those that have a key and a short name."""
    mine = (c for c in commands if c.pane == place and c.footer and c.keys)
    return "  ".join(f"{key_name(c.keys[0])} {c.footer}" for c in mine)
