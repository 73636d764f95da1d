"""What a command of the keyboard is, and the panes and other places in which one works."""

from collections.abc import Callable
from dataclasses import dataclass

from tui.keys.shown import Shown, always

Useful = Callable[[Shown], bool]
"""Whether keys do something, by what is on the screen."""

# Where commands work that is no pane: other screens, and the prompt.
PLOTS, STOPS, HELP, PROMPT = "plots", "stop-list", "help", "prompt"
EXPLAINED, WORKSHEET, QUITTING, JUMP = "explanation", "worksheet", "quitting", "jump"
NOTES, PALETTE, OPEN, TAUGHT = "notes", "palette", "open-dialog", "lesson"
TEACHER = "teacher"
ELSEWHERE = (
    PLOTS,
    STOPS,
    HELP,
    PROMPT,
    EXPLAINED,
    WORKSHEET,
    QUITTING,
    JUMP,
    NOTES,
    PALETTE,
    OPEN,
    TAUGHT,
    TEACHER,
)
MOVING = ("continue", "reverse", "help", "notes")  # work on the plots screen besides the step keys


@dataclass(frozen=True)
class Command:
    """What keys do. ``keys`` and ``aliases`` are named as the toolkit names them.

    What is the debugger's is a ``word`` of the command language, which the key runs: a line with
    holes, ``{text}`` what a person types at a prompt, the others what the screen points at. What
    is the screen's own has no word. With a ``pane`` (one of PANES or ELSEWHERE) the keys work only
    there, and ``action`` is an action of that widget, in Textual's words; without one the keys are
    the widget's own and stay as they are. ``near`` are panes that a command of everywhere is
    about, ``useful`` says whether it does something now. ``footer`` is for the line of keys, empty
    for a command that is not shown there; neighbours with the same one share it.
    """

    id: str
    keys: tuple[str, ...]
    help: str
    group: str
    footer: str = ""
    aliases: tuple[str, ...] = ()
    pane: str = ""
    action: str = ""
    word: str = ""
    near: tuple[str, ...] = ()
    useful: Useful = always

    @property
    def title(self) -> str:
        """The command in the palette: its group, and what it does."""
        return f"{self.group}: {self.help}"

    @property
    def press(self) -> str:
        """What its keys are bound to: an action of the pane, else ``press`` of the main screen."""
        return self.action or f"press({self.id!r})"

    @property
    def fixed(self) -> bool:
        """Whether its keys are a widget's own, which moves its cursor with them."""
        return bool(self.pane) and not self.action

    @property
    def places(self) -> set[str]:
        """The panes in which the keys work, and the plots screen."""
        if self.pane:
            return {self.pane}
        moves = self.group == "Stepping" or self.id in MOVING
        return {*PANES, PLOTS} if moves else {*PANES}

    def line(self, **holes: str) -> str:
        """The line of the command language that its key runs."""
        return self.word.format(**holes)


@dataclass(frozen=True)
class Pane:
    """A pane: the digit that goes there, the letter behind the jump key, its title, its help.

    An inspector shares the place of the tensor pane, under a line of tabs. One that is about
    ``layers`` has nothing to show of a run that no program of layers made.
    """

    number: int
    letter: str
    title: str
    help: str
    inspector: bool = False
    layers: bool = False


PANES: dict[str, Pane] = {
    "program": Pane(1, "p", "Program", "the ops of one iteration; ▶ next, ✓ done, ⊞ can unfold"),
    "tensor": Pane(2, "t", "Tensor", "the values; ▸ marks what the selected level changed", True),
    "jacobian": Pane(3, "j", "Jacobian", "sizes, structure and values of a derivative", True, True),
    "chain": Pane(
        4, "c", "Chain", "the product that makes a derivative, factor by factor", True, True
    ),
    "variables": Pane(
        5,
        "v",
        "Variables",
        "every tensor: range, mean μ, histogram; ∇ its gradient, largest magnitude",
    ),
    "watches": Pane(
        6, "w", "Watches", "expressions: now, before the last op, and their past", True
    ),
    "console": Pane(7, "o", "Console", "what commands have answered", True),
    "timeline": Pane(8, "l", "Timeline", "the loss and the phases of every iteration; ← → scrub"),
    "flow": Pane(
        9,
        "f",
        "Flow",
        "per layer: gradient, activation, update; ↑ ↓ past a limit, ⇈ ⇊ far past",
        True,
        True,
    ),
    "diagnostics": Pane(
        0,
        "d",
        "Doctor",
        "what is wrong with this training loop; {to-finding} goes there",
        True,
        True,
    ),
}


def to_pane(pane: str) -> str:
    """The id of the command that goes to a pane."""
    return f"pane-{pane}"
