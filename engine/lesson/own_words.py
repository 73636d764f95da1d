"""The words that lessons have besides those of the command line, each read from its line."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import GradstepError
from engine.lesson.steps import (
    DERIVATIVES,
    FACES,
    PANES,
    PARTS,
    AnyStep,
    Ask,
    Chapter,
    Hide,
    Hold,
    Note,
    Play,
    Reveal,
    Say,
    Show,
)
from engine.wording import suggestion
from engine.words.language import parse

MAX_TITLE = 200  # characters
MAX_QUESTION = 2_000
MAX_CHOICES = 20
SLOWEST, FASTEST = 0.05, 100.0  # ops a second
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
RATE = re.compile(r"(?P<what>.*?)\s*\bat\s+(?P<rate>[\d.]+)\s*/\s*s", re.DOTALL)
WITHIN = re.compile(r"(?P<what>.*?)\s+within\s+(?P<far>[\d.eE+-]+)\s*(?P<share>%?)\s*", re.DOTALL)
SAMPLE = re.compile(r"\d{1,9}", re.ASCII)
LAYOUTS = ("numerator", "gradient")
OF_VIEW: Mapping[str, Mapping[str, Any]] = {
    "zoom": {"zoom": True},
    "batch": {"sample": -1},
    **{word: {"layout": word} for word in LAYOUTS},
    **{word: {"face": word} for word in FACES},
}
"""Words of a view, and what each of them sets."""
NUMBERED = {
    "sample": "the number of a sample",
    "factor": "the number of a factor",
    "width": "a number of columns",
    "height": "a number of lines",
}
"""Words of a view behind which a number stands: what it is."""


class Wrong(GradstepError):
    """A line that cannot be read; ``column`` counts its characters from 0."""

    def __init__(self, message: str, column: int) -> None:
        self.message = message
        self.column = column
        super().__init__(message)


def quoted(line: str, at: int) -> tuple[str, int]:
    r"""The text in double quotes at a column, and the column behind it; ``\"`` is a quote in it.

    Raises Wrong where there is none.
    """
    at += len(line[at:]) - len(line[at:].lstrip())
    found = STRING.match(line, at)
    if found is None:
        begun = line[at : at + 1] == '"'
        raise Wrong('the closing " is missing' if begun else 'a text in "quotes" is expected', at)
    return re.sub(r'\\(["\\])', r"\1", found[1]), found.end()


def after_word(line: str) -> int:
    """The column behind the first word of a line."""
    return len(line) - len(line.lstrip()) + len(line.split(maxsplit=1)[0])


def ended(line: str, at: int) -> None:
    """Raise Wrong where something stands behind a column."""
    rest = line[at:].strip()
    if rest:
        raise Wrong(f"nothing is expected here, found {rest[:40]!r}", line.index(rest, at))


def read_say(line: str, number: int) -> Say:
    """``say "text"``; the longer form is read with its lines."""
    text, behind = quoted(line, after_word(line))
    ended(line, behind)
    return Say(number, text)


def read_note(line: str, number: int) -> Note:
    """``note "text"``; the longer form is read with its lines, as that of ``say``."""
    text, behind = quoted(line, after_word(line))
    ended(line, behind)
    return Note(number, text)


def read_chapter(line: str, number: int) -> Chapter | None:
    """``chapter "Title"``; None without a title, which is a word of the command line."""
    at = after_word(line)
    if not line[at:].strip():
        return None
    title, behind = quoted(line, at)
    ended(line, behind)
    if not title.strip() or len(title) > MAX_TITLE:
        raise Wrong(f"a title has 1 to {MAX_TITLE} characters", at + 1)
    return Chapter(number, title)


def read_hold(line: str, number: int) -> Hold:
    """``hold``."""
    ended(line, after_word(line))
    return Hold(number)


def read_view(line: str, number: int) -> Show:
    """``view PANE [TENSOR | dA/dB]``, and the words of :data:`OF_VIEW` behind it."""
    found = [(m.group(), m.start()) for m in re.finditer(r"\S+", line)][1:]
    if not found:
        raise Wrong(f"which pane? {', '.join(PANES)}", len(line))
    pane, at = found[0]
    if pane not in PANES:
        raise Wrong(f"no pane {pane!r}{suggestion(pane, PANES)}: {', '.join(PANES)}", at)
    step = Show(number, pane)
    rest = iter(found[1:])
    for word, at in rest:
        if word in NUMBERED:
            digits, place = next(rest, ("", len(line)))
            if not SAMPLE.fullmatch(digits):
                raise Wrong(f"{NUMBERED[word]} is expected: `{word} 0`", place)
            step = replace(step, **{word: int(digits)})  # type: ignore[arg-type]  # its field
        elif word in OF_VIEW:
            step = replace(step, **OF_VIEW[word])
        elif step.of:
            raise Wrong(f"{word!r}: one tensor, then zoom, sample I, batch, a layout, heat", at)
        else:
            of, wrt = pair_of(word, pane, at)
            step = replace(step, of=of, wrt=wrt)
    return step


def pair_of(word: str, pane: str, at: int) -> tuple[str, str]:
    """The numerator and denominator of dA/dB; a tensor and nothing of any other word."""
    derivative = re.fullmatch(r"[d∂](?P<of>[^/]+)/[d∂](?P<wrt>[^/]+)", word)
    if derivative is None:
        return word, ""
    if pane not in DERIVATIVES:
        raise Wrong(f"a derivative stands in {' or '.join(DERIVATIVES)}, not in {pane}", at)
    return derivative["of"], derivative["wrt"]


def read_play(line: str, number: int) -> Play:
    """``play LINE at 2/s``: a number of ops, or a word that leads somewhere: n, 3s, to backward."""
    at = after_word(line)
    found = RATE.fullmatch(line[at:].strip())
    form = "`play 6 at 2/s`, `play n at 2/s`"
    if found is None or not found["what"]:
        raise Wrong(f"what to play, and how fast: {form}", at + 1)
    what = found["what"]
    text = f"{what}s" if what.isascii() and what.isdigit() else what
    begin = line.index(what, at)
    parsed = parse(" " * begin + text)
    if parsed is None or parsed[0].leads is None:
        raise Wrong(f"{what.split()[0]!r} leads to no place known beforehand: {form}", begin)
    rate = number_of(found["rate"])
    if rate is None or not SLOWEST <= rate <= FASTEST:
        said = f"between {SLOWEST:g} and {FASTEST:g} ops a second"
        raise Wrong(said, line.rindex(found["rate"]))
    return Play(number, text, rate)


def number_of(text: str) -> float | None:
    """The finite number that a text is; None for any other."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def read_ask(line: str, number: int) -> Ask:
    """``ask "question" = …``, see :class:`Ask`."""
    begin = after_word(line)
    question, behind = quoted(line, begin)
    if not question.strip() or len(question) > MAX_QUESTION:
        raise Wrong(f"a question has 1 to {MAX_QUESTION:,} characters", begin + 1)
    formula = question.rstrip().endswith("=")
    rest = line[behind:].strip()
    if not rest and formula:
        return Ask(number, question, "formula")
    if not rest.startswith("=") or not rest[1:].strip():
        raise Wrong('the right answer is missing: `ask "Which size?" = shape(W1.grad)`', behind)
    at = line.index("=", behind) + 1
    if not line[at:].strip().startswith('"'):
        return read_value(line, at, number, question)
    right, at = quoted(line, at)
    if formula:
        ended(line, at)
        return Ask(number, question, "formula", right)
    word = line[at:].split()[:1]
    if not word:
        return Ask(number, question, "text", right)
    if word != ["of"]:
        raise Wrong('several to choose from follow `of`: = "b" of "a", "b", "c"', at)
    return read_choice(line, line.index("of", at) + 2, number, question, right)


def read_value(line: str, at: int, number: int, question: str) -> Ask:
    """A value at the cursor, and how far an answer may be away."""
    text = line[at:].strip()
    far = WITHIN.fullmatch(text)
    if far is None:
        return Ask(number, question, "expression", text)
    size = number_of(far["far"])
    if size is None or size < 0:
        raise Wrong("within 0.01, or within 5%", line.rindex(far["far"]))
    relative = bool(far["share"])
    within = size / 100 if relative else size
    return Ask(number, question, "expression", far["what"], (), within, relative)


def read_choice(line: str, at: int, number: int, question: str, right: str) -> Ask:
    """The texts of which one is right, with commas between them."""
    choices: list[str] = []
    while True:
        one, at = quoted(line, at)
        choices.append(one)
        rest = line[at:].lstrip()
        if not rest:
            break
        if not rest.startswith(","):
            raise Wrong("a comma is expected between two of them", line.index(rest, at))
        at = line.index(",", at) + 1
    if right not in choices:
        raise Wrong(f"the right one, {right!r}, is not among them", line.index(right))
    if len(choices) > MAX_CHOICES or len(set(choices)) < len(choices):
        raise Wrong(f"at most {MAX_CHOICES} of them, all different", at)
    return Ask(number, question, "choice", right, tuple(choices))


def read_hide(line: str, number: int) -> Hide:
    """``hide TENSOR…``, ``hide sizes TENSOR…``, ``hide formulas``, ``hide next``."""
    words = line.split()[1:]
    if not words:
        raise Wrong("what? a tensor, `sizes TENSOR`, `formulas`, `next`", len(line))
    if words == ["next"]:
        return Hide(number, "next")
    if words[0] in PARTS:
        return Hide(number, words[0], tuple(words[1:]))
    return Hide(number, "cells", tuple(words))


def read_reveal(line: str, number: int) -> Reveal:
    """``reveal``, ``reveal TENSOR…``."""
    return Reveal(number, tuple(line.split()[1:]))


OWN: Mapping[str, Callable[[str, int], AnyStep | None]] = {
    "say": read_say,
    "note": read_note,
    "chapter": read_chapter,
    "hold": read_hold,
    "view": read_view,
    "play": read_play,
    "ask": read_ask,
    "hide": read_hide,
    "reveal": read_reveal,
}
"""What reads a line that begins with one of these words; None leaves it to the command line."""
