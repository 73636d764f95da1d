"""The homework's four tables at the cursor of the debugger; and beside those of another network."""

from dataclasses import replace
from typing import ClassVar

from rich.console import RenderableType
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import GradstepError
from engine.jacobian.operator import Layout as Side
from engine.program.program import Program
from engine.session.session import Session
from engine.worksheet.markdown import worksheet_markdown
from engine.worksheet.rows import LAYOUTS, Layout
from engine.worksheet.worksheet import Worksheet, standing, worksheet
from tui.keys.bindings import binding, bindings
from tui.keys.bound import bound
from tui.keys.command import WORKSHEET, Command
from tui.keys.line import short_names
from tui.keys.table import BY_ID
from tui.render.reports.worksheet_rows import Item, worksheet_items
from tui.render.text.clean import clean
from tui.view.derivative import Derivative

TOO_LONG = "the formulas of this network are too long to be written out: a sum of too many terms"


class WorksheetScreen(ModalScreen[tuple[Derivative, int | None, bool]]):
    """Four tables, a row for the cursor each; of the sample and in the layout of the chain.

    It is closed with the Derivative that it was left with, the op of the row that was chosen, and
    whether the tables are to be saved. ``sheet`` is what it shows first, of its own sample.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(WORKSHEET)

    def __init__(
        self,
        session: Session,
        program: Program,
        derivative: Derivative,
        commands: tuple[Command, ...],
        sheet: Worksheet | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.program = program
        self.derivative = derivative
        self.commands = commands
        self.items: list[Item] = []
        self.sheet = sheet
        self.view_key = bound(commands)["sheet-view"]
        self.tensors = standing(program, session.state.tensors)
        if sheet is not None:
            self.derivative = replace(derivative, sample=sheet.sample.index)

    def compose(self) -> ComposeResult:
        with Vertical(id="worksheet"):
            yield OptionList(Option("reckoning …", disabled=True), id="rows", markup=False)
            yield Static(short_names(self.commands, WORKSHEET), id="worksheet-hint", markup=False)

    def on_mount(self) -> None:
        """Show the tables, which are reckoned behind the first picture unless they are there."""
        self.query_one(OptionList).focus()
        if self.sheet is not None:
            self.show_sheet(self.sheet, self.made(self.sheet))
        else:
            self.reckon()

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layout of table (c)."""
        return (LAYOUTS[self.derivative.layout == Side.GRADIENT],)

    @property
    def rows(self) -> int:
        """The number of samples of the batch."""
        return len(self.tensors[self.program.batch_names[0]])

    def reckon(self) -> None:
        """Make the tables in a thread: those of a deep network take a while."""
        sample = self.derivative.sample

        def work() -> None:
            try:
                found = worksheet(self.program, sample, tensors=self.tensors)
                items = self.made(found)
            except (GradstepError, RecursionError) as problem:
                said = TOO_LONG if isinstance(problem, RecursionError) else str(problem)
                self.app.call_from_thread(lambda: self.title_is(said))
                return
            self.app.call_from_thread(lambda: self.show_sheet(found, items))

        self.run_worker(work, thread=True, exclusive=True)

    def title_is(self, said: str) -> None:
        """Say something in the frame."""
        self.query_one("#worksheet", Vertical).border_title = clean(said)

    def made(self, sheet: Worksheet) -> list[Item]:
        """The rows of the tables; RecursionError for formulas that are too long to be written."""
        op = self.session.op
        now = op.index if op is not None else None
        return list(
            worksheet_items(self.program, sheet, self.layouts, now, self.rows, self.view_key)
        )

    def show_sheet(self, sheet: Worksheet, items: list[Item]) -> None:
        """Show the tables, with the cursor on the row that it was on, or that of the op."""
        at = self.query_one(OptionList).highlighted if self.items else None
        self.sheet, self.items = sheet, items
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(i.shown, disabled=i.row is None) for i in self.items)
        of = "batch" if sheet.sample.index is None else f"sample {sheet.sample.index}"
        self.title_is(f"Worksheet · {sheet.name} · {of} · {self.derivative.layout} layout")
        if at is None:
            # The last mark is the op's, the one before that of its step.
            at = ([2] + [k for k, item in enumerate(self.items) if item.marked])[-1]
        options.highlighted = min(at, len(self.items) - 1)
        options.scroll_to_highlight()

    def change(self, derivative: Derivative) -> None:
        """Another sample, the batch, or the other layout."""
        self.derivative = derivative
        self.reckon()

    def action_view(self) -> None:
        """The batch, or one sample."""
        self.change(self.derivative.toggled_view(0))

    def action_layout(self) -> None:
        """The other layout."""
        self.change(self.derivative.toggled_layout())

    def action_sample(self, by: int) -> None:
        """Another sample of the batch."""
        at = self.derivative.sample
        moved = 0 if at is None else min(max(at + by, 0), self.rows - 1)
        self.change(replace(self.derivative, sample=moved))

    def action_table(self, by: int) -> None:
        """The first row of the next table, or of the one before."""
        options = self.query_one(OptionList)
        at = options.highlighted or 0
        heads = [k + 1 for k, item in enumerate(self.items) if item.row is None and k]
        heads = [k for k in heads if k < len(self.items) and self.items[k].row is not None]
        later = [k for k in heads if k > at] if by > 0 else [k for k in heads if k < at][::-1]
        if later:
            options.highlighted = later[0]
            options.scroll_to(y=max(options.scroll_y, 0), animate=False)
            options.scroll_to_highlight(top=True)

    @on(OptionList.OptionSelected)
    def action_go(self) -> None:
        """Close, and go where the row under the cursor happens."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self.items):
            if self.items[at].op is None:
                self.title_is("this row is of no op: there is nowhere to go")
                return
            self.dismiss((self.derivative, self.items[at].op, False))

    def action_copy(self) -> None:
        """Copy the tables as Markdown."""
        if self.sheet is not None:
            self.app.copy_to_clipboard(worksheet_markdown(self.sheet, self.layouts))
            self.title_is("copied as Markdown, if the terminal lets programs copy (OSC 52)")

    def action_save(self) -> None:
        """Close, and ask for a file."""
        self.dismiss((self.derivative, None, True))

    def action_close(self) -> None:
        """Back to the debugger."""
        self.dismiss((self.derivative, None, False))


class VersusScreen(ModalScreen[None]):
    """The tables of two networks side by side, what changes marked."""

    BINDINGS: ClassVar[list[BindingType]] = [binding(BY_ID["sheet-close"])]

    def __init__(self, parts: list[RenderableType], key: str) -> None:
        super().__init__()
        self.parts = parts
        self.key = key  # that closes it

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="versus") as box:
            box.border_title = f"Versus · {self.key} closes"
            for part in self.parts:
                yield Static(part, markup=False)

    def action_close(self) -> None:
        """Back to the debugger."""
        self.dismiss(None)
