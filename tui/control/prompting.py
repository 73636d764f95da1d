"""What keys ask for at the prompt, and what is done with the answer."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tui.control.display import Acts, Display
from tui.control.follow import Follow
from tui.control.layout import Layout
from tui.control.movement import Movement
from tui.control.pointing import Pointing
from tui.control.words import Words
from tui.keys.command import to_pane
from tui.keys.table import BY_ID

Completer = Callable[[str], Sequence[str]]
"""From the text before the cursor to the whole texts that could stand instead."""
Answer = Callable[[str], object]


class Prompt(Protocol):
    """The line in which a person types."""

    def ask(
        self,
        label: str,
        answer: Answer,
        leave: Callable[[], object],
        text: str = "",
        past: str = "",
        completer: Completer | None = None,
        describe: Callable[[str], str] = str,
        proposed: int = 0,
        instead: str = "",
    ) -> None:
        """Open with a label and a text, selected from ``proposed`` on; call one of the two.

        ``instead`` is what stands there in faint letters while nothing is typed.
        """

    def candidates(self, found: Sequence[str]) -> None:
        """Show candidates over the lines above the prompt."""


class Prompting:
    """Opens the prompt, which is mounted after the first paint; an answer runs the word of a key.

    When it is left the pane that had the focus before has it again.
    """

    def __init__(
        self,
        words: Words,
        display: Display,
        movement: Movement,
        follow: Follow,
        pointing: Pointing,
        panes: Layout,
        prompt: Callable[[], Prompt],
    ) -> None:
        self.words = words
        self.display = display
        self.movement = movement
        self.follow = follow
        self.pointing = pointing
        self.panes = panes
        self.prompt = prompt
        self.last = ""  # the line that Enter on an empty one runs again

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {
            "command": self.command,
            "search": self.search,
            "at": self.at,
            "mark": self.mark,
            "to-mark": self.to_mark,
            "watch": self.watch,
            "edit": self.edit,
        }

    def ask(
        self,
        label: str,
        answer: Answer,
        text: str = "",
        past: str = "",
        completer: Completer | None = None,
        describe: Callable[[str], str] = str,
        proposed: int = 0,
        instead: str = "",
    ) -> None:
        """Open the prompt, unless a run is under way; ``answer`` gets what is typed, stripped.

        What is typed at prompts of the same ``past`` is what the arrows bring back. What stands in
        ``text`` from ``proposed`` on is replaced by typing; ``instead`` stands there in faint
        letters while nothing is typed.
        """

        def answered(typed: str) -> None:
            self.panes.resume()  # the focus was the prompt's
            answer(typed.strip())

        if self.display.free:
            self.prompt().ask(
                label, answered, self.panes.resume, text, past, completer, describe, proposed,
                instead,
            )  # fmt: skip

    def needed(self, answer: Answer) -> Answer:
        """An answer that is not given where nothing is typed."""
        return lambda text: answer(text) if text else self.display.show_now()

    def behind(self, head: str) -> Completer:
        """A completer of what is typed alone: of what follows the beginning of a line."""
        return lambda text: [whole.removeprefix(head) for whole in self.words.complete(head + text)]

    # -- keys

    def command(self, text: str = "", proposed: int = 0, unchanged: str = "") -> None:
        """The command line; Enter alone runs the last line again, where none was proposed.

        ``unchanged`` is the note where a proposed line is left as it is, instead of running it.
        """
        again = "" if text else self.last

        def run(typed: str) -> None:
            if unchanged and typed == text.strip():
                self.display.show_now(unchanged)
                return
            self.last = typed or again or self.last
            self.needed(self.words.typed)(typed or again)

        self.ask(
            ":", run, text, "command", self.words.complete, proposed=proposed,
            instead=f"{self.display.keys['prompt-done']}: {again}" if again else "",
        )  # fmt: skip

    def edit(self) -> None:
        """Edit the selected value; among the variables the whole tensor, where it is small."""
        name, value = self.pointing.edited()
        head = BY_ID["edit"].line(value=name, text="")
        self.command(head + value, len(head), "nothing was changed: no edit")

    def search(self) -> None:
        """Search tensors and ops."""
        self.ask("/", self.needed(self.follow.search), past="search", completer=self.follow.found)

    def at(self) -> None:
        """Go to an index of the tensor, or to a position."""
        label = "index row,column or position" if self.pointing.in_grid() else "position"
        self.ask(
            label,
            self.needed(self.go_at),
            past="at",
            completer=self.behind(BY_ID["at"].line(text="")),
        )

    def go_at(self, text: str) -> None:
        """Go to a cell of the grid in focus, to an element by name, or to a position of the run."""
        there, named = self.pointing.go_to_cell(text), self.pointing.named(text)
        if there is None and named is not None:
            self.go_to_element(*named)
        elif there is None:
            self.movement.go(BY_ID["at"].line(text=text))
        else:
            self.display.show_now("" if there else f"no cell [{text}] here")

    def go_to_element(self, tensor: str, index: Sequence[int]) -> None:
        """Show a tensor in its pane, with the cursor at an index of it."""
        self.panes.go_to("tensor")
        self.follow.tensor(tensor)
        if index and not self.pointing.show_index(index):
            self.display.show_now(f"no cell {list(index)} of {tensor}")

    def mark(self) -> None:
        """A bookmark here; without a name it gets one."""
        line = BY_ID["mark"].line
        self.ask("bookmark: name and text", lambda text: self.words.typed(line(text=text)),
                 past="mark")  # fmt: skip

    def to_mark(self) -> None:
        """Go to a bookmark."""
        marks, command = self.words.debugger.bookmarks, BY_ID["to-mark"]
        if not marks:
            self.display.show_now(f"no bookmarks yet: {self.display.keys['mark']} makes one")
            return

        def names(text: str) -> list[str]:
            return [name for name in marks if name.startswith(text)]

        def go(text: str) -> None:
            self.words.typed(command.line(text=text.lstrip("'")))

        self.ask("go to bookmark", self.needed(go), past="to-mark", completer=names,
                 describe=self.bookmark_text)  # fmt: skip
        if self.display.free:
            self.prompt().candidates(names(""))

    def bookmark_text(self, name: str) -> str:
        """A bookmark with position and text; in brackets, to tell one candidate from the next."""
        from engine.words.placing import mark_line

        debugger = self.words.debugger
        return f"[{mark_line(debugger, debugger.bookmarks[name])}]"

    def watch(self) -> None:
        """Watch an expression."""
        command = BY_ID["watch"]
        said = f"{self.display.keys[to_pane('watches')]} shows its values"

        def watch(text: str) -> None:
            self.words.act(command.line(text=text), lambda _: f"watched: {text}; {said}")

        self.ask("watch", self.needed(watch), self.pointing.value(), "watch",
                 self.behind(command.line(text='')))  # fmt: skip

    # -- of the list of stops

    def of_stop(self, name: str, stop: int, label: str, text: str = "") -> None:
        """Ask for what a word about a stop needs; an empty text takes a condition or message away.

        What is typed before is remembered for each stop by itself.
        """
        command = BY_ID[name]

        def change(text: str) -> None:
            self.words.typed(command.line(stop=str(stop), text=text))

        answer = self.needed(change) if name == "stop-ignore" else change
        head = command.line(stop=str(stop), text="")
        self.ask(label, answer, text, head, self.behind(head))
