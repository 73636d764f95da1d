"""The selection: its level, the listing, and the derivative of the Jacobian and Chain panes.

An abstract base of the main screen.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from textual import on

from engine.run.position import Granularity
from tui.keys.messages import FactorChosen
from tui.panes.program import ProgramPane
from tui.screens.wishes import Wishes
from tui.view.derivative import differentiable, variable
from tui.view.snapshot import Selection

LEVELS = tuple(Granularity)


class Looking(Wishes):
    """Keys that change the selection and do not move the session."""

    selection: Selection

    @abstractmethod
    def lay_out(self) -> None:
        """Display and size the panes."""

    @abstractmethod
    def refresh_view(self, note: str = "") -> None:
        """Show the present selection, with a note."""

    def action_level(self, by: int) -> None:
        """Choose the level whose changes are shown."""
        place = max(0, min(len(LEVELS) - 1, LEVELS.index(self.selection.level) + by))
        same = LEVELS[place] == self.selection.level
        self.selection = replace(self.selection, level=LEVELS[place])
        last = f"{LEVELS[place]} is the {'outermost' if by > 0 else 'innermost'} level"
        self.refresh_view(last if same else f"▸ marks what this {LEVELS[place]} has changed")

    def action_listing(self) -> None:
        """The program as ops, or as a PyTorch loop."""
        if not self.layered():
            return
        program = self.query_one(ProgramPane)
        program.as_code = not program.as_code
        self.set_class(program.as_code, "code")
        self.lay_out()

    def action_layers(self) -> None:
        """The flow through the layers, or what they cost; from elsewhere, the flow pane."""
        from tui.panes.flow import FlowPane

        if not self.layered():
            return
        flow = self.query_one(FlowPane)
        if self.focused_pane != flow.id:
            self.go_to_pane("flow")
        else:
            self.show_now("what the layers cost" if flow.switch() else "what flows through them")

    def action_follow(self) -> None:
        """Show what the last op wrote, and its derivative."""
        derivative = replace(self.selection.derivative, of=None, wrt=None)
        self.selection = replace(self.selection, tensor=None, derivative=derivative, compared=None)
        self.refresh_view()

    def compare_with(self, branches: Sequence[str]) -> None:
        """Select the compared branch that is not the current one, for the timeline, until Esc."""
        others = [name for name in branches if name != self.session.branch.name]
        self.selection = replace(self.selection, compared=others[0] if others else None)

    def focus_derivative(self, note: str = "", **changes: object) -> None:
        """Select another derivative: ``changes`` are fields of Derivative, such as ``sample``."""
        if not self.layered():
            return
        derivative = replace(self.selection.derivative, **changes)  # type: ignore[arg-type]
        self.selection = replace(self.selection, derivative=derivative)
        self.refresh_view(note)

    def action_numerator(self) -> None:
        """The selected tensor becomes the numerator."""
        if not self.layered():
            return
        name = differentiable(self.session.program, self.snapshot().tensor)
        said = f"numerator: {name}" if name else "only activations and the loss have derivatives"
        self.focus_derivative(said, of=name or self.selection.derivative.of, factor=0)

    def action_denominator(self) -> None:
        """The selected tensor becomes the denominator."""
        if not self.layered():
            return
        name = variable(self.session.program, self.snapshot().tensor)
        said = f"denominator: {name}" if name else "nothing in forward depends on this tensor"
        self.focus_derivative(said, wrt=name or self.selection.derivative.wrt, factor=0)

    def action_layout(self) -> None:
        """The other layout."""
        self.focus_derivative(layout=self.selection.derivative.toggled_layout().layout)

    def action_sample_view(self) -> None:
        """One sample, or the whole batch."""
        self.focus_derivative(sample=self.selection.derivative.toggled_view(0).sample)

    def action_sample(self, by: int) -> None:
        """Another sample of the batch."""
        if not self.layered():
            return
        entering = self.session.program.batch_names[0]
        rows, at = len(self.session.tensors[entering]), self.selection.derivative.sample
        if at is not None and not 0 <= at + by < rows:
            self.focus_derivative(
                f"sample {at} is the {'last' if by > 0 else 'first'} of the batch"
            )
        else:
            self.focus_derivative(sample=0 if at is None else at + by)

    @on(FactorChosen)
    def choose_factor(self, message: FactorChosen) -> None:
        """Select a factor of the chain."""
        self.focus_derivative(factor=message.index)
