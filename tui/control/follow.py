"""What is looked at: the tensor followed or chosen, the level, the derivative, the branch."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.lesson.hidden import NOTHING
from engine.program.program import CAPTURED, Program
from engine.run.position import Granularity
from engine.run.timeline import every_op
from engine.session.session import Session
from tui.control.display import Acts, Display
from tui.keys.command import PANES
from tui.view.derivative import derives, differentiable, variable
from tui.view.snapshot import Selection
from tui.view.veil import VEILED, WHY

if TYPE_CHECKING:
    from engine.answers.asking import Asked

LEVELS = tuple(Granularity)


class Follow:
    """The selection that a View is made with: by keys that move nothing, and by what panes say."""

    def __init__(self, session: Session, display: Display) -> None:
        self.session = session
        self.display = display
        self.selection = Selection()
        self.hidden = NOTHING  # by a lesson

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {
            "outer": partial(self.level, 1),
            "inner": partial(self.level, -1),
            "follow": self.again,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "layout": self.layout,
            "view": self.one_or_all,
            "sample-next": partial(self.sample, 1),
            "sample-previous": partial(self.sample, -1),
        }

    def refresh(self, note: str = "") -> None:
        """Show the present selection, with a note; not while a run is under way."""
        if self.display.free:
            self.display.show_now(note)

    # -- tensors and ops

    def tensor(self, name: str, note: str = "") -> None:
        """Show a tensor until another is chosen."""
        self.selection = replace(self.selection, tensor=name)
        self.refresh(note)

    def op(self, index: int) -> None:
        """Select an op of the iteration, and show the tensor that it writes."""
        writes = self.display.snapshot().listing.ops[index].writes
        name = writes[0] if writes else self.selection.tensor
        self.selection = replace(self.selection, tensor=name, row=index)
        self.refresh()

    def next_op(self) -> None:
        """Select the op about to run, as after every movement."""
        self.selection = replace(self.selection, row=None)

    def again(self) -> None:
        """Show what the last op wrote, and its derivative."""
        derivative = replace(self.selection.derivative, of=None, wrt=None)
        self.selection = replace(
            self.selection, tensor=None, derivative=derivative, compared=None, lit=(), claimed=None
        )
        self.refresh()

    def light(self, elements: Sequence[tuple[str, tuple[int, ...]]], note: str = "") -> None:
        """Mark elements of tensors, each a name and an index, until Esc."""
        self.selection = replace(self.selection, lit=tuple(elements))
        self.refresh(note)

    def claim(self, found: "Asked", note: str = "") -> None:
        """Show a claim over the derivative that it is about, in its layout, of a sample."""
        chosen = self.selection.derivative
        if len(found.about) == 2:
            of, wrt = found.about
            layout = Layout.GRADIENT if found.verdict.layout == "gradient" else Layout.NUMERATOR
            sample = chosen.sample or 0  # claims are about one sample
            chosen = replace(chosen, of=of, wrt=wrt, layout=layout, sample=sample)
        self.selection = replace(self.selection, claimed=found, derivative=chosen)
        self.refresh(note)

    def compare(self, branches: Sequence[str]) -> None:
        """Select the compared branch that is not the current one, for the timeline, until Esc."""
        others = [name for name in branches if name != self.session.branch.name]
        self.selection = replace(self.selection, compared=others[0] if others else None)

    def level(self, by: int) -> None:
        """Choose the level whose changes are shown."""
        place = max(0, min(len(LEVELS) - 1, LEVELS.index(self.selection.level) + by))
        same = LEVELS[place] == self.selection.level
        self.selection = replace(self.selection, level=LEVELS[place])
        last = f"{LEVELS[place]} is the {'outermost' if by > 0 else 'innermost'} level"
        self.refresh(last if same else f"▸ marks what this {LEVELS[place]} has changed")

    def found(self, text: str) -> list[str]:
        """The names of the tensors whose name (in any case) or symbol holds a text."""
        infos = self.session.run.tensors.values()
        return [i.name for i in infos if text.lower() in i.name.lower() or text in i.symbol]

    def search(self, text: str) -> None:
        """Show the first tensor that a text finds, else the op whose formula holds it."""
        found = self.found(text)
        ops = every_op(self.session.timeline)
        seen = [op for op in ops if op.writes and not self.hidden.hides_formula(op)]
        wrote = [op.writes[0] for op in seen if text in op.formula]
        if not found and not wrote:
            self.display.show_now(f"nothing found for {text!r}")
            return
        exactly = [name for name in found if name == text]
        self.tensor((exactly or found or wrote)[0])

    # -- derivatives

    def refusal(self, pane: str) -> str:
        """Why a pane has nothing to show of this run; empty where it has."""
        run = self.session.run
        if self.hidden and pane in VEILED:
            return WHY
        if not PANES[pane].layers:
            return ""
        return "" if derives(run) else CAPTURED

    def may(self, pane: str) -> bool:
        """Whether a pane has something to show of this run; sets the note where it has not."""
        refused = self.refusal(pane)
        if refused:
            self.display.say(note=refused)
        return not refused

    def has_code(self) -> bool:
        """Whether the run is written in a program or a script; sets the note where it is not."""
        source = self.session.source
        return bool(source.scripts) or self.layered()

    def layered(self) -> bool:
        """Whether the run has derivatives; sets the note where it has not."""
        return self.may("jacobian")

    def derivative(self, note: str = "", **changes: object) -> None:
        """Select another derivative: ``changes`` are fields of Derivative, such as ``sample``."""
        if not self.layered():
            return
        derivative = replace(self.selection.derivative, **changes)  # type: ignore[arg-type]
        self.selection = replace(self.selection, derivative=derivative)
        self.refresh(note)

    def numerator(self) -> None:
        """The selected tensor becomes the numerator."""
        if not self.layered():
            return
        name = differentiable(self.session.run, self.display.snapshot().tensor)
        said = f"numerator: {name}" if name else "only activations and the loss have derivatives"
        self.derivative(said, of=name or self.selection.derivative.of, factor=0)

    def denominator(self) -> None:
        """The selected tensor becomes the denominator."""
        if not self.layered():
            return
        name = variable(self.session.run, self.display.snapshot().tensor)
        said = f"denominator: {name}" if name else "nothing in forward depends on this tensor"
        self.derivative(said, wrt=name or self.selection.derivative.wrt, factor=0)

    def layout(self) -> None:
        """The other layout."""
        self.derivative(layout=self.selection.derivative.toggled_layout().layout)

    def prefer(self, layout: Layout) -> None:
        """Begin with a layout."""
        derivative = replace(self.selection.derivative, layout=layout)
        self.selection = replace(self.selection, derivative=derivative)

    def one_or_all(self) -> None:
        """One sample, or the whole batch."""
        self.derivative(sample=self.selection.derivative.toggled_view(0).sample)

    def sample(self, by: int) -> None:
        """Another sample of the batch."""
        if not self.layered():
            return
        rows, at = self.samples(), self.selection.derivative.sample
        if at is not None and not 0 <= at + by < rows:
            self.derivative(f"sample {at} is the {'last' if by > 0 else 'first'} of the batch")
        else:
            self.derivative(sample=0 if at is None else at + by)

    def samples(self) -> int:
        """The rows of the batch; of a captured script those of the derivative, else one."""
        run = self.session.run
        if isinstance(run, Program):
            return len(self.session.tensors[run.batch_names[0]])
        from tui.render.captured import found_in, samples  # which a program does not need

        try:
            found = found_in(self.display.snapshot())
        except GradstepError:
            return 1
        return 1 if found.sample_dims is None else samples(found)
