"""The line at the bottom in which a person types: commands, searches, places, values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from tui.keys.bindings import bindings
from tui.keys.command import PROMPT
from tui.render.text.clean import clean
from tui.widgets.clean_input import CleanInput
from tui.widgets.key_line import KeyLine

CANDIDATE_ROWS = 3

Completer = Callable[[str], Sequence[str]]
"""From the text before the cursor to the whole texts that could stand instead."""


@dataclass
class Past:
    """What has been typed at prompts of one kind, newest last, and where the arrows stand."""

    lines: list[str] = field(default_factory=list)
    place: int = 0

    def add(self, line: str) -> None:
        """Keep a line; the same one twice in a row is kept once."""
        if line.strip() and (not self.lines or self.lines[-1] != line):
            self.lines.append(line)
        self.place = len(self.lines)

    def move(self, by: int) -> str:
        """The line before or after; empty behind the newest."""
        self.place = max(0, min(len(self.lines), self.place + by))
        return self.lines[self.place] if self.place < len(self.lines) else ""


class PromptInput(CleanInput):
    """The text field; arrows go through the past, Tab completes, Esc leaves."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(PROMPT)

    @property
    def prompt(self) -> "PromptLine":
        """The prompt that the field is part of."""
        return self.screen.query_one(PromptLine)

    def action_prompt_submit(self) -> None:
        """Hand the text up."""
        self.prompt.submit()

    def action_prompt_complete(self) -> None:
        """Complete the text before the cursor."""
        self.prompt.complete()

    def action_prompt_recall(self, by: int) -> None:
        """An earlier or later text."""
        self.prompt.recall(by)

    def action_prompt_dismiss(self) -> None:
        """Leave without an answer."""
        self.prompt.dismiss()


class PromptLine(Vertical):
    """The prompt: label, text field, candidates above; hidden until something is asked.

    ``answer`` is called with what is typed, ``leave`` where it is left without. ``offered`` are the
    candidates that Tab takes in turns, ``turn`` is the one on the line; ``pasts`` has the lines
    typed before, ``past`` those of the present prompt.
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.answer: Callable[[str], object] = str
        self.leave: Callable[[], object] = str
        self.past = Past()
        self.completer: Completer | None = None
        self.describe: Callable[[str], str] = str
        self.offered: list[str] = []
        self.turn = 0
        self.pasts: dict[str, Past] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="prompt-candidates", markup=False)
        with Horizontal(id="prompt-row"):
            yield Static(id="prompt-label", markup=False)
            # What is selected says ask(): a proposed part, not all.
            yield PromptInput(id="prompt-input", compact=True, select_on_focus=False)

    @property
    def field(self) -> Input:
        """The text field."""
        return self.query_one(PromptInput)

    def ask(
        self,
        label: str,
        answer: Callable[[str], object],
        leave: Callable[[], object],
        text: str = "",
        past: str = "",
        completer: Completer | None = None,
        describe: Callable[[str], str] = str,
        proposed: int = 0,
        instead: str = "",
    ) -> None:
        """Show the line and give it the focus; ``answer`` or ``leave`` is called in the end.

        Prompts of the same ``past`` share what has been typed; ``describe`` says more of a
        candidate. What stands in ``text`` from ``proposed`` on is selected: typing replaces it, an
        arrow keeps it. ``instead`` stands there in faint letters while nothing is typed.
        """
        self.answer, self.leave = answer, leave
        self.past = self.pasts.setdefault(past, Past())
        self.completer, self.describe = completer, describe
        self.offered = []
        self.past.place = len(self.past.lines)
        self.query_one("#prompt-label", Static).update(Content(f" {clean(label)} "))
        self.candidates([])
        self.field.placeholder = clean(instead)
        self.field.value = text
        self.field.selection = Selection(min(proposed, len(text)), len(text))
        self.screen.add_class("asking")
        self.screen.query_one(KeyLine).typing = True
        self.screen.set_focus(self.field)

    def candidates(self, found: Sequence[str]) -> None:
        """Show candidates over the lines above the prompt; none hides them."""
        place = self.query_one("#prompt-candidates", Static)
        shown = [clean(self.describe(text)) for text in endings(found)]
        lines = rows(shown, max(20, self.screen.size.width - 2))
        place.set_class(bool(lines), "some")
        place.styles.height = len(lines)
        # Over the lines above, not between them: the panes keep their sizes.
        place.styles.offset = (0, -len(lines))
        place.update(Content("\n".join(lines)))

    def recall(self, by: int) -> None:
        """An earlier or later line of those typed before."""
        self.offered = []
        self.field.value = self.past.move(by)
        self.field.cursor_position = len(self.field.value)

    def complete(self) -> None:
        """Complete as far as all candidates agree; show the others, and take them in turns."""
        if self.completer is None:
            return
        if self.offered and self.field.value == self.offered[self.turn]:
            self.offer(self.turn + 1)
            return
        self.offered = []
        before = self.field.value[: self.field.cursor_position]
        after = self.field.value[self.field.cursor_position :]
        found = list(self.completer(before))
        if not found:
            self.candidates([])
            return
        longest = shared_beginning(found)
        self.candidates(found if len(found) > 1 else [])
        if longest == before and len(found) > 1 and not after:
            self.offered = found
            self.offer(int(found[0] == before))
            return
        if len(longest) >= len(before) or len(found) == 1:
            self.field.value = longest + after
            self.field.cursor_position = len(longest)

    def offer(self, place: int) -> None:
        """Put a candidate on the line; behind the last one comes the first again."""
        self.turn = place % len(self.offered)
        self.field.value = self.offered[self.turn]
        self.field.cursor_position = len(self.field.value)

    def submit(self) -> None:
        """Keep the line and hand it over."""
        self.past.add(self.field.value)
        self.hide()
        self.answer(self.field.value)

    def dismiss(self) -> None:
        """Leave without an answer."""
        self.hide()
        self.leave()

    def hide(self) -> None:
        """Hide the line; the keys that are typed ahead are not its own."""
        self.screen.remove_class("asking")
        self.screen.query_one(KeyLine).typing = False
        self.screen.set_focus(None)


def shared_beginning(texts: Sequence[str]) -> str:
    """The longest beginning that all texts have."""
    first, last = min(texts), max(texts)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[:same] if same is not None else min(first, last, key=len)


def endings(texts: Sequence[str]) -> list[str]:
    """The last words of texts that begin alike: what is the same in all of them is on the line."""
    if not texts:
        return []
    cut = max((shared_beginning(texts).rfind(mark) for mark in " (,["), default=-1) + 1
    return [text[cut:] for text in texts]


def rows(words: Sequence[str], width: int) -> list[str]:
    """Words in at most CANDIDATE_ROWS lines of ``width`` cells, and how many do not fit."""
    lines: list[str] = []
    for number, word in enumerate(words):
        room = width - (12 if len(lines) == CANDIDATE_ROWS else 0)
        if lines and cell_len(lines[-1]) + 2 + cell_len(word) <= room:
            lines[-1] += f"  {word}"
        elif len(lines) < CANDIDATE_ROWS:
            lines.append(set_cell_size(word, width) if cell_len(word) > width else word)
        else:
            lines[-1] += f"  … {len(words) - number} more"
            break
    return lines
