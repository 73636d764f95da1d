"""A lesson as Markdown: its captions, questions with their answers, and the tensors by chapter."""

from collections.abc import Iterator, Mapping
from html import escape

import numpy as np

from engine.arrays import Array
from engine.lesson.perform import Outcome, Performance
from engine.lesson.steps import Ask, Chapter, Lesson, Play, Say, Typed
from engine.run.position_text import format_position

SHOWN = 64  # elements of a tensor whose values are written
MOST = 40  # tensors of a chapter
SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~$"})
KEPT = str.maketrans({c: f"\\{c}" for c in "\\`_{}[]<>#|~$"})  # in captions ** is bold


class Notes:
    """The lesson as it is carried out, with what each chapter has changed."""

    def __init__(self, lesson: Lesson, performance: Performance) -> None:
        self.lesson = lesson
        self.performance = performance
        self.before: Mapping[str, Array] = {}

    def lines(self) -> Iterator[str]:
        """The document, line by line."""
        yield f"# {escaped(self.lesson.title)}"
        yield ""
        yield f"Over {escaped(self.lesson.thing)}."
        self.begin()
        open_chapter = False
        for outcome in self.performance.outcomes():
            if isinstance(outcome.step, Chapter):
                if open_chapter:
                    yield from self.tensors()
                self.begin()
                open_chapter = True
            yield from self.step(outcome)
        yield from self.tensors()

    def step(self, outcome: Outcome) -> Iterator[str]:
        """What a step adds."""
        match outcome.step:
            case Chapter(title=title):
                yield from ("", f"## {escaped(title)}")
            case Say(text=text):
                yield ""
                yield from (caption(line) for line in text.split("\n"))
            case Ask(question=question, choices=choices):
                yield from ("", f"**{escaped(question)}**", "")
                yield from (f"- {escaped(one)}" for one in choices)
                answer = escape(plain(str(outcome.data["answer"])))  # no Markdown in HTML
                yield f"<details><summary>Answer</summary>{answer}</details>"
            case Typed(text=text) | Play(text=text):
                yield from ("", f"    > {plain(text)}")
                if not self.performance.hidden:  # an answer could tell what is hidden
                    yield from (f"    {plain(line)}" for line in outcome.lines)
            case _:
                return

    def begin(self) -> None:
        """A chapter begins here."""
        self.before = dict(self.performance.debugger.session.tensors)

    def tensors(self) -> Iterator[str]:
        """The tensors that the chapter has written."""
        session = self.performance.debugger.session
        now, run = session.tensors, session.run
        hidden = self.performance.hidden
        written = [
            name
            for name in run.tensors
            if name in now
            and now[name] is not self.before.get(name)
            and not hidden.hides_cells(name)
        ]
        if not written:
            return
        yield from ("", f"Tensors at {escaped(format_position(run, session.event))}:", "")
        yield "| tensor | shape | values |"
        yield "| --- | --- | --- |"
        for name in written[:MOST]:
            info = run.tensors[name]
            symbol = f" {escaped(info.symbol)}" if info.symbol not in ("", name) else ""
            size = "×".join(map(str, now[name].shape)) or "a number"
            yield f"| {escaped(name)}{symbol} | {size} | {escaped(values(now[name]))} |"
        if len(written) > MOST:
            yield f"| and {len(written) - MOST} more | | |"


def values(array: Array) -> str:
    """The numbers of a small tensor, the range of a large one."""
    if array.size <= SHOWN:
        text: str = np.array2string(
            array, precision=4, separator=", ", max_line_width=10_000, threshold=SHOWN + 1
        )
        return " ".join(text.split())
    finite = array[np.isfinite(array)]
    lost = array.size - finite.size
    held = f"{finite.min():.4g} … {finite.max():.4g}" if finite.size else "no finite number"
    return held + (f", {lost} not finite" if lost else "")


def plain(text: str) -> str:
    """A text without what moves a cursor or ends a line."""
    return "".join(c if c.isprintable() else " " for c in text)


def escaped(text: str) -> str:
    """A text of which Markdown makes nothing else."""
    return plain(text).translate(SPECIAL)


def caption(line: str) -> str:
    """A line of a caption: ``**bold**`` stays; the break at its end too."""
    text = plain(line).translate(KEPT).rstrip()
    return f"{text}  " if text else ""
