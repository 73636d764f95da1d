"""The tour: steps that each wait for a key, which really does what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from tui.control.display import Acts, Display
from tui.keys.command import Command
from tui.keys.key_names import key_name
from tui.settings.saved import load_tour, save_tour

WORD = "tour"


@dataclass(frozen=True)
class Step:
    """A step: the id of a command, and a text with ``{key}`` for what it waits for."""

    waits: str
    text: str


STEPS = (
    Step("step-op", "Training is a list of ops. {key} runs the next one: a gradient becomes zero."),
    Step("back-op", "Every step has its way back, on the same letter with Shift: {key}."),
    Step("step-phase", "{key} runs to the next of the five phases: forward."),
    Step("step-phase", "{key} once more: forward runs, and the network makes ŷ of x."),
    Step("pane-variables", "Digits go to panes. {key}: every tensor, its range, its histogram."),
    Step("pane-tensor", "{key}: the tensor that the last op wrote; ▸ marks what changed."),
    Step("explain", "{key} explains the number under the cursor. Esc comes back from there."),
    Step("step-iteration", "{key} finishes the iteration: backward, then the update."),
    Step("pane-program", "{key} goes to the program: ▶ is the op that runs next."),
    Step("break", "{key} sets a breakpoint on the selected op, ● in the list."),
    Step("continue", "{key} continues to it, through as many iterations as that takes."),
    Step("plots", "{key} shows the loss over the run. Esc comes back from there."),
    Step("worksheet", "{key} shows the homework's tables with these numbers. Esc comes back."),
    Step("first", "{key} goes to the first event: the past is kept, to the bit."),
    Step("help", "{key} shows every key there is. ctrl+o opens a file of your own."),
)  # fmt: skip


def tour_offer(commands: tuple[Command, ...]) -> str:
    """The line of the first start: it takes no key but its own."""
    (command,) = (one for one in commands if one.id == WORD)
    return f"first time here? {key_name(command.keys[0])} begins a tour · ? every key · q quits"


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
        keys = key_name(self.commands[WORD].keys[0])
        self.display.show_now(f"the tour waits here: {keys} or :{WORD} takes it up again")

    def pressed(self, key: str) -> None:
        """A key has been given to the main screen: go on where the step waited for it."""
        if self.step is None or key not in self.keys(STEPS[self.step]):
            return
        self.step += 1
        if self.step == len(STEPS):
            self.step = None
            self.display.say(note=f"that was the tour; :{WORD} begins it again")
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
        text = step.text.format(key=key_name(self.keys(step)[0]))
        self.show(f"tour {self.step + 1}/{len(STEPS)}  {text}  (Esc leaves)")
