"""The tour: steps that each wait for a key, which really does what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from tui.control.display import Acts, Display
from tui.keys.bound import Bound, bound
from tui.keys.command import Command
from tui.keys.table import UNITS
from tui.settings.saved import load_tour, save_tour

WORD = "tour"


@dataclass(frozen=True)
class Step:
    """A step: the id of a command, and a text with ``{key}`` for what it waits for.

    ``{shift}`` is there where the keys back are those forwards with Shift; others are the keys of
    commands by their ids.
    """

    waits: str
    text: str


STEPS = (
    Step("step-op", "Training is a list of ops. {key} runs the next one: a gradient becomes zero."),
    Step("back-op", "Every step has its way back{shift}: {key}."),
    Step("step-phase", "{key} runs to the next of the five phases: forward."),
    Step("step-phase", "{key} once more: forward runs, and the network makes ŷ of x."),
    Step("pane-variables", "{key} goes to the variables: every tensor, its range, its histogram."),
    Step("pane-tensor", "{key} goes to the tensor that the last op wrote; ▸ marks what changed."),
    Step("explain", "{key} explains the number under the cursor. {explain-close} comes back."),
    Step("step-iteration", "{key} finishes the iteration: backward, then the update."),
    Step("pane-program", "{key} goes to the program: ▶ is the op that runs next."),
    Step("break", "{key} sets a breakpoint on the selected op, ● in the list."),
    Step("continue", "{key} continues to it, through as many iterations as that takes."),
    Step("plots", "{key} shows the loss over the run. {plot-close} comes back from there."),
    Step("worksheet", "{key} shows the homework's tables, in numbers. {sheet-close} comes back."),
    Step("first", "{key} goes to the first event: the past is kept, to the bit."),
    Step("help", "{key} shows every key there is. {open} opens a file of your own."),
)  # fmt: skip


OFFER = "first time here? {tour} begins a tour · {help} every key · {quit} quits"
HINT = "{help} every key · {step-op} one op · {step-phase} next phase{shift} · {quit} quits"


def first_line(commands: tuple[Command, ...], offer: bool) -> str:
    """The line of the first start: a tour is offered, which takes no key but its own, or not."""
    keys = bound(commands)
    return (OFFER if offer else HINT).format_map(
        {**keys, "shift": " · with Shift backwards" if with_shift(keys) else ""}
    )


def with_shift(keys: Bound) -> bool:
    """Whether the keys back are those forwards with Shift."""
    steps = [(keys[f"step-{unit}"], keys[f"back-{unit}"]) for unit in UNITS]
    return all(len(there) == 1 and back == there.upper() for there, back in steps)


class Tour:
    """Where a person is in the tour; ``step`` counts from 0, and is None while there is none.

    ``show`` puts a text above the message line, and takes the line away for an empty one.
    """

    def __init__(
        self, commands: tuple[Command, ...], display: Display, show: Callable[[str], None]
    ) -> None:
        self.commands = {command.id: command for command in commands}
        self.display = display
        self.show = show
        self.step: int | None = None

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {WORD: self.begin}

    def begin(self) -> None:
        """Begin the tour, or take it up where it was left."""
        if self.step is None:
            self.step = min(load_tour(), len(STEPS) - 1)
        self.tell()

    def leave(self) -> None:
        """Leave it for now."""
        save_tour(self.step or 0)
        self.step = None
        self.tell()
        keys = self.display.keys
        self.display.show_now(
            f"the tour waits here: {keys[WORD]} or {keys['command']}{WORD} takes it up again"
        )

    def pressed(self, key: str) -> None:
        """A key has been given to the main screen: go on where the step waited for it."""
        if self.step is None or key not in self.keys(STEPS[self.step]):
            return
        self.step += 1
        if self.step == len(STEPS):
            self.step = None
            line = self.display.keys["command"]
            self.display.say(note=f"that was the tour; {line}{WORD} begins it again")
        save_tour(self.step or 0)
        self.tell()

    def keys(self, step: Step) -> tuple[str, ...]:
        """The keys that a step waits for, as the toolkit names them."""
        command = self.commands[step.waits]
        return (*command.keys, *command.aliases)

    def tell(self) -> None:
        """Show the text of the step."""
        if self.step is None:
            self.show("")
            return
        step = STEPS[self.step]
        keys = self.display.keys
        shift = ", on the same letter with Shift" if with_shift(keys) else ""
        text = step.text.format_map({**keys, "key": keys[step.waits], "shift": shift})
        self.show(f"tour {self.step + 1}/{len(STEPS)}  {text}  ({keys['cancel']} leaves)")
