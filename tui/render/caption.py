"""The caption of a lesson: a rule with the chapter and the key to press, below it wrapped text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tui.render.text.clean import clean
from tui.render.text.line import Line, Span, fitted, width_of
from tui.render.text.wrapping import wrapped

BOLD = re.compile(r"\*\*(?P<bold>.+?)\*\*", re.DOTALL)
SHARE = 3  # the part of the screen that a caption may have: a third
LEAST = 3  # lines that it has in the lowest terminal
TAB = 4
LONG = 60  # characters of a line that may have been broken because it was full


@dataclass(frozen=True)
class Caption:
    """What stands in the strip: paragraphs with the role of each, and the words of the rule.

    ``chapter`` stands at the left of the rule and ``hint``, what Space does, at the right;
    ``page`` counts the parts of a text that has more lines than there is room for, ``key`` shows
    the next of them.
    """

    chapter: str = ""
    text: tuple[Span, ...] = ()
    hint: str = ""
    page: int = 0
    key: str = "Space"

    def lines(self, width: int) -> list[Line]:
        """The text in lines of a width."""
        return [line for text, role in self.text for line in paragraph(text, role, width)]

    def pages(self, width: int, height: int) -> int:
        """In how many parts it is read in a strip of a height, one at least."""
        room = max(1, height - 1)
        return max(1, -(-len(self.lines(width)) // room))


def room_for(rows: int) -> int:
    """The lines that a caption may have on a screen of so many rows."""
    return max(LEAST, rows // SHARE)


def caption_lines(caption: Caption, width: int, height: int) -> list[Line]:
    """The rule and a page of the text, ``height`` lines at most."""
    lines = caption.lines(width)
    room = max(1, height - 1)
    pages = caption.pages(width, height)
    page = min(caption.page, pages - 1)
    hint = caption.hint
    if page < pages - 1:
        hint = f"{caption.key}: more, {page + 1} of {pages}"
    return [rule(caption.chapter, hint, width), *lines[page * room : (page + 1) * room]]


def rule(left: str, right: str, width: int) -> Line:
    """A line across with a word at both ends."""
    head: Line = [("── ", "dim"), (f"{clean(left)} ", "name")] if left else [("─", "dim")]
    tail: Line = [(f" {clean(right)} ", "key"), ("──", "dim")] if right else [("──", "dim")]
    gap = width - width_of(head) - width_of(tail)
    if gap < 1:
        head, gap = fitted(head, max(0, width - width_of(tail) - 1)), 1
    return fitted([*head, ("─" * gap, "dim"), *tail], width)


def paragraph(text: str, role: str, width: int) -> Iterator[Line]:
    """A paragraph in lines of a width; longer lines are broken, ``**bold**`` is bold."""
    for raw in flowing([line.expandtabs(TAB) for line in text.split("\n")]):
        marked = Marked(raw, role)
        lines = wrapped(marked.plain, max(8, width - 2), more=0)
        yield from ([(" ", ""), *spans] for spans in marked.styled(lines))


def flowing(lines: Sequence[str]) -> Iterator[str]:
    """Lines that were broken only because they were full, joined again.

    A break stays where the word behind it would have had room: there it was meant.
    """
    full = max(map(len, lines), default=0)
    whole = ""
    for line, following in pairwise([*lines, ""]):
        whole += line
        word = following.split(maxsplit=1)[:1]
        meant = not word or following[:1] == " " or full < LONG
        if meant or len(line) + 1 + len(word[0]) <= full or not line:
            yield whole
            whole = ""
        else:
            whole += " "


@dataclass(frozen=True)
class Marked:
    """A line with ``**bold**`` in it, in the role of everything else."""

    text: str
    role: str

    @cached_property
    def characters(self) -> tuple[tuple[str, str], ...]:
        """Each character with its role, without the asterisks."""
        found: list[tuple[str, str]] = []
        last = 0
        for match in BOLD.finditer(self.text):
            found += ((c, self.role) for c in clean(self.text[last : match.start()]))
            found += ((c, "name") for c in clean(match["bold"]))
            last = match.end()
        found += ((c, self.role) for c in clean(self.text[last:]))
        return tuple(found)

    @property
    def plain(self) -> str:
        """The text without the asterisks."""
        return "".join(character for character, _ in self.characters)

    def styled(self, lines: Sequence[str]) -> Iterator[Line]:
        """The wrapped lines with their roles again: wrapping only drops and adds blanks."""
        source, at = self.characters, 0
        for line in lines:
            spans: Line = []
            for character in line:
                while character != " " and source[at][0] == " ":
                    at += 1
                role = self.role
                if at < len(source) and source[at][0] == character:
                    role = source[at][1]
                    at += 1
                if spans and spans[-1][1] == role:
                    spans[-1] = (spans[-1][0] + character, role)
                else:
                    spans.append((character, role))
            yield spans
