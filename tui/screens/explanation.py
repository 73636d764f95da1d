"""One number explained: its terms, and what they are made of, each explained in turn."""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import GradstepError
from engine.explain.explain import explain_operand
from engine.explain.explanation import Explanation, Operand
from engine.explain.text import explanation_lines
from engine.explain.writing import number_text
from engine.session.session import Session
from tui.keys.bindings import bindings
from tui.keys.command import EXPLAINED, Command
from tui.keys.line import short_names
from tui.render.text.clean import clean


@dataclass(frozen=True)
class Left:
    """What an explanation is closed with: the operand to ``go`` to, and the elements to mark."""

    go: Operand | None
    lit: tuple[tuple[str, tuple[int, ...]], ...]


class ExplanationScreen(ModalScreen[Left]):
    """A number with the operands of its terms; closing it marks their cells in their tensors.

    ``trail`` has the numbers on the way here, the last one shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(EXPLAINED)

    def __init__(self, session: Session, found: Explanation, commands: tuple[Command, ...]) -> None:
        super().__init__()
        self.session = session
        self.trail = [found]
        self.commands = commands

    def compose(self) -> ComposeResult:
        with Vertical(id="explanation"):
            # Names hold brackets, which would be read as markup.
            with VerticalScroll(id="explained", can_focus=False):
                yield Static(id="explained-text", markup=False)
            yield OptionList(id="operands", markup=False)
            yield Static(short_names(self.commands, EXPLAINED), id="explanation-hint", markup=False)

    def on_mount(self) -> None:
        """Show the number that was asked for."""
        self.show()
        self.query_one(OptionList).focus()

    @property
    def found(self) -> Explanation:
        """The explanation on display."""
        return self.trail[-1]

    @property
    def operands(self) -> list[Operand]:
        """What the terms on display are made of, each once, those of the parts behind."""
        return list({one.of: one for one in every_operand(self.found)}.values())

    def show(self, place: int = 0) -> None:
        """Show the last number of the trail, with the cursor at an operand."""
        box = self.query_one("#explanation", Vertical)
        box.border_title = " ← ".join(clean(one.of) for one in reversed(self.trail[-4:]))
        text = "\n".join(clean(line) for line in explanation_lines(self.found))
        self.query_one("#explained-text", Static).update(Text(text))
        self.query_one("#explained", VerticalScroll).scroll_home(animate=False)
        options = self.query_one(OptionList)
        options.clear_options()
        for one in self.operands:
            options.add_option(Option(Text(clean(f"{one.of} = {number_text(one.value)}"))))
        if not self.operands:
            options.add_option(Option("made of nothing else", disabled=True))
        options.highlighted = min(place, len(self.operands) - 1) if self.operands else None

    @property
    def chosen(self) -> Operand | None:
        """The operand under the cursor; None where there is none."""
        place = self.query_one(OptionList).highlighted
        return self.operands[place] if place is not None and place < len(self.operands) else None

    def leave(self, go: Operand | None = None) -> None:
        """Close, and say which cells the operands on display are."""
        found = ((one.tensor, one.index) for one in self.operands)
        self.dismiss(Left(go, tuple((name, index) for name, index in found if name is not None)))

    @on(OptionList.OptionSelected)
    def action_deeper(self) -> None:
        """Explain the operand under the cursor."""
        if (operand := self.chosen) is None:
            return
        try:
            self.trail.append(explain_operand(self.session, operand))
        except GradstepError as problem:
            self.query_one("#explanation", Vertical).border_title = clean(str(problem))
            return
        self.show()

    def action_back(self) -> None:
        """The number before, with the cursor where it was; from the first one to the debugger."""
        if len(self.trail) == 1:
            self.leave()
            return
        left = self.trail.pop()
        names = [one.of for one in self.operands]
        self.show(names.index(left.of) if left.of in names else 0)

    def action_go(self) -> None:
        """Close, and go where the operand under the cursor was read."""
        if self.chosen is not None:
            self.leave(self.chosen)

    def action_close(self) -> None:
        """Back to the debugger."""
        self.leave()


def every_operand(found: Explanation) -> list[Operand]:
    """The elements of tensors that an explanation names, those of its parts last."""
    own = [one for term in found.terms for one in term.factors if one.event is not None]
    return [*own, *(one for part in found.parts for one in every_operand(part))]
