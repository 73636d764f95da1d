"""The line of keys at the bottom: those of the focused pane, then the most useful of everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tui.keys.command import PLOTS, PROMPT, TEACHER, Command
from tui.keys.key_names import key_name
from tui.keys.shown import Shown
from tui.render.text.line import Line, width_of

# At the right edge, however little room there is.
ALWAYS = ("help", "quit", "plot-close", "prompt-done", "prompt-leave", "teacher-quit")
# Groups of everywhere in the order in which they are shown, and what comes first in them.
GROUPS = ("Stepping", "Stops", "Going", "Looking", "Lesson", "Panes", "Session")
FIRST = ("step-op", "back-op", "step-phase", "step-iteration", "continue", "command", "plots")
STAYS = ("Stepping",)  # keys that only go dim where they do nothing: the others keep their places
BETWEEN = "│"


@dataclass(frozen=True)
class Hint:
    """Keys, the toolkit's name and that on screen, with one word for what they do.

    ``group`` is what they belong to; ``always`` means that they are shown however little room
    there is, ``off`` that they do nothing now.
    """

    keys: tuple[tuple[str, str], ...]
    words: str
    group: str = ""
    always: bool = False
    off: bool = False

    @property
    def spans(self) -> Line:
        """The hint with a blank on both sides."""
        names = " ".join(name for _, name in self.keys)
        return [(f" {names}", "dim" if self.off else "key"), (f" {self.words} ", self.role)]

    @property
    def role(self) -> str:
        """The role of the word."""
        return "dim" if self.off else ""

    def key_at(self, x: int) -> str:
        """The key under a column of the hint, by the toolkit's name; the first beside them all."""
        end = 1
        for key, name in self.keys:
            end += width_of([(name, "")]) + 1
            if x < end:
                return key
        return self.keys[0][0]


def hints(commands: Sequence[Command], place: str, shown: Shown | None = None) -> list[Hint]:
    """The keys of a pane, of the plots screen or the prompt, its own first, then everywhere's.

    Those that do nothing are left out; the others are in groups.
    """
    shown = shown or Shown()
    own = sorted((c for c in commands if c.pane == place), key=lambda c: c.fixed)
    mine = [*own, *(c for c in commands if place in c.near)]
    alone = [] if place in (PROMPT, TEACHER) else ["help", "notes"] if place == PLOTS else None
    shared = [c for c in commands if not c.pane and place not in c.near]
    shared = [c for c in shared if alone is None or c.id in alone]
    shared.sort(key=rank)
    found = [
        Hint(
            tuple((key, key_name(key)) for key in (c.keys if c.fixed else c.keys[:1])),
            c.footer,
            "" if c in mine else c.group,
            c.id in ALWAYS,
            not c.useful(shown),
        )
        for c in (*mine, *shared)
        if c.footer and c.keys and (c.useful(shown) or c.group in STAYS)
    ]
    return [joined(list(some)) for _, some in groupby(found, lambda h: (h.words, h.group, h.off))]


def rank(command: Command) -> tuple[int, int]:
    """The place of a command of everywhere in the line."""
    first = FIRST.index(command.id) if command.id in FIRST else len(FIRST)
    return GROUPS.index(command.group) if command.group in GROUPS else len(GROUPS), first


def joined(same: Sequence[Hint]) -> Hint:
    """Neighbours with the same word as one hint."""
    keys = tuple(key for hint in same for key in hint.keys)
    if len(keys) > 4:  # a row of digits
        keys = (keys[0], (keys[-1][0], f"… {keys[-1][1]}"))
    return Hint(keys, same[0].words, same[0].group, same[0].always, same[0].off)


def placed(found: Sequence[Hint], width: int) -> list[tuple[int, Hint]]:
    """The hints that fit, with their columns: from the left, those always shown at the right.

    Between two groups a column is left free.
    """
    always = [hint for hint in found if hint.always]
    right = width - sum(width_of(hint.spans) for hint in always)
    out: list[tuple[int, Hint]] = []
    x = 0
    for hint in (hint for hint in found if not hint.always):
        size, gap = width_of(hint.spans), int(bool(out) and out[-1][1].group != hint.group)
        if x + gap + size > right:
            break
        out.append((x + gap, hint))
        x += gap + size
    for hint in always:
        out.append((max(x, right), hint))
        x = right = max(x, right) + width_of(hint.spans)
    return out


def key_line(found: Sequence[Hint], width: int) -> Line:
    """The hints that fit into a line of ``width`` cells, with a stroke between two groups."""
    line: Line = []
    before: Hint | None = None
    for x, hint in placed(found, width):
        gap = x - width_of(line)
        stroke = gap == 1 and before is not None and not hint.always
        line += [(BETWEEN if stroke else " " * gap, "dim"), *hint.spans]
        before = hint
    return line


def short_names(commands: Sequence[Command], place: str) -> str:
    """The keys of a modal screen in a line, those that have a key and a short name."""
    mine = (c for c in commands if c.pane == place and c.footer and c.keys)
    return "  ".join(f"{key_name(c.keys[0])} {c.footer}" for c in mine)
