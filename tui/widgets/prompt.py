"""The line at the bottom in which a person types: commands, searches, places, values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from tui.render.text.clean import clean
from tui.widgets.clean_input import CleanInput
from tui.widgets.key_line import KeyLine

CANDIDATE_ROWS = 3

Completer = Callable[[str], Sequence[str]]
"""From the text before the cursor to the whole texts that could stand instead."""


@dataclass
class Asked(Message):
    """The answer to a prompt of a kind, posted to the screen."""

    kind: str
    text: str


@dataclass
class Dismissed(Message):
    """The prompt was left without an answer."""


@dataclass
class Past:
    """What has been typed at one kind of prompt, newest last, and where the arrows stand."""

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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "prompt_submit", "done", show=False),
        Binding("tab", "prompt_complete", "complete", show=False),
        Binding("up", "prompt_recall(-1)", "earlier", show=False),
        Binding("down", "prompt_recall(1)", "later", show=False),
        Binding("escape", "prompt_dismiss", "leave", show=False),
    ]

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

    ``offered`` are the candidates that Tab takes in turns, ``turn`` is the one on the line;
    ``pasts`` has the lines typed at each kind of prompt.
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.kind = ""
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

    @property
    def past(self) -> Past:
        """What has been typed at this kind of prompt."""
        return self.pasts.setdefault(self.kind, Past())

    def ask(
        self,
        kind: str,
        label: str,
        text: str = "",
        completer: Completer | None = None,
        describe: Callable[[str], str] = str,
        proposed: int = 0,
    ) -> None:
        """Show the line and give it the focus; ``describe`` says more of a candidate.

        What stands from ``proposed`` on is selected: typing replaces it, an arrow keeps it.
        """
        self.kind, self.completer, self.describe = kind, completer, describe
        self.offered = []
        self.past.place = len(self.past.lines)
        self.query_one("#prompt-label", Static).update(Content(f" {clean(label)} "))
        self.candidates([])
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
        """An earlier or later line of this kind of prompt."""
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
        """Keep the line and hand it up."""
        self.past.add(self.field.value)
        self.leave(Asked(self.kind, self.field.value))

    def dismiss(self) -> None:
        """Leave without an answer."""
        self.leave(Dismissed())

    def leave(self, message: Message) -> None:
        """Hide the line and post ``message``.

        The screen gets it before any key that is typed ahead.
        """
        self.screen.remove_class("asking")
        self.screen.query_one(KeyLine).typing = False
        self.screen.set_focus(None)
        self.screen.post_message(message)


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
