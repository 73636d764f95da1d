"""What a person asks for in words or with a debugger's keys: stops, watches, places, edits.

The abstract base of the main screen: it turns keys and prompts into commands of the engine's own
command language, so that everything a key does can be written in a script too.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual import on

from engine.errors import GradstepError
from engine.program.program import CAPTURED, Program
from engine.run.position_text import parse_position
from engine.run.timeline import every_op
from tui.control.worker import BUSY, Job, Worker
from tui.keys.messages import GutterClicked, WatchRemoved
from tui.keys.table import PANES
from tui.screens.pointing import Pointing
from tui.view.snapshot import followed
from tui.widgets.prompt import Asked, Dismissed, PromptLine

if TYPE_CHECKING:
    from engine.words.language import CommandLine
    from tui.panes.console import ConsolePane
    from tui.screens.stops import StopsAnswer

OF_A_STOP = ("condition ", "log ")  # what the list of stops asks for and may be emptied
SMALL = 24  # elements of a tensor that is edited as a list


class Commanding(Pointing):
    """Keys and prompts turned into commands of the debugger."""

    worker: Worker
    keep: Callable[[], None] = staticmethod(lambda: None)  # saves stops, watches and bookmarks

    @abstractmethod
    def show_now(self, note: str = "") -> None:
        """Take a new View of the session, and show it with a note."""

    @abstractmethod
    def say(self, **status: str) -> None:
        """Change texts of the View alone: ``note``, ``count``, ``busy``."""

    @abstractmethod
    def move(self, target: int, said: str = "") -> None:
        """Move to event ``target``; ``said`` is the note there."""

    @abstractmethod
    def arrived(self, run: Job, said: str = "") -> None:
        """Show where a movement has led to, or why it failed."""

    @abstractmethod
    def go_to_pane(self, pane: str) -> None:
        """Give a pane the focus."""

    @abstractmethod
    def compare_with(self, branches: Sequence[str]) -> None:
        """Draw the losses of the compared branch in the timeline too."""

    @abstractmethod
    def start_recording(self, path: str) -> None:
        """Begin a recording of the session in a new file."""

    @abstractmethod
    def select_tensor(self, name: str, note: str = "") -> None:
        """Show a tensor until another is chosen, with a note."""

    @property
    def prompt(self) -> PromptLine:
        """The prompt; mounted after the first paint."""
        return self.query_one(PromptLine)

    @property
    def console(self) -> "ConsolePane":
        """The pane in which commands answer; mounted after the first paint."""
        from tui.panes.console import ConsolePane  # not needed for the first paint

        return self.query_one(ConsolePane)

    @cached_property
    def command_line(self) -> "CommandLine":
        """The command language, loaded when the first command is typed."""
        from engine.words.language import CommandLine

        return CommandLine(self.debugger)

    # -- commands

    def command(self, line: str) -> None:
        """Run a line of the command language; refused with a note while a run is under way."""
        if not self.free:
            return
        if line.strip() in ("q", "quit", "exit"):
            self.app.exit()
            return
        self.console.begin(line)
        self.worker.begin(self.command_line.run(line), self.answered)

    def answered(self, run: Job) -> None:
        """Put the answer of a command into the console, and its first line into the note."""
        from engine.words.language import Result

        if run.error is not None:
            self.failed(run.error)
            return
        result = run.result if isinstance(run.result, Result) else Result("")
        said = result.lines or tuple(run.logs)  # an answer repeats what was logged on the way
        self.console.say(said, "" if result.ok else "bad")
        if "branches" in result.data and result.word == "compare":
            self.compare_with(result.data["branches"])
        note = "stopped" if run.cancelled else self.headline(result.word, said)
        self.show_hit(result.data.get("hits", ()), note)
        if len(result.lines) > 1 and "at" not in result.data:
            self.go_to_pane("console")  # an answer to read
        self.keep()

    def headline(self, word: str, lines: Sequence[str]) -> str:
        """The first line of an answer, for the note."""
        if word == "help" and len(lines) > 1:
            return "what there is to type: pane 7"
        return lines[0] if lines else ""

    def show_hit(self, hits: Sequence[dict[str, Any]], note: str) -> None:
        """Show the session; the tensor of a stop that was hit, with the cursor on its element."""
        tensors = self.session.run.tensors
        hit = next((hit for hit in hits if hit.get("tensor") in tensors), None)
        if hit is None or hit["tensor"] == followed(self.session):
            self.show_now(note)
        else:
            self.select_tensor(hit["tensor"], note)
        if hit is not None and self.current_view is not None:
            self.tensor_grid(self.current_view).go_to_index(hit["index"])

    def failed(self, error: GradstepError) -> None:
        """Put an error into the console, and its last line into the note."""
        self.console.say([str(error)], "bad")
        last = str(error).strip().splitlines()[-1].lstrip(" ^")
        self.show_now(last)

    # -- stops

    def action_proceed(self, direction: int) -> None:
        """To the next stop, or back to the previous one."""
        self.command("c" if direction > 0 else "rc")

    @property
    def has_layers(self) -> bool:
        """Whether the run is of a program of layers; a captured one is not."""
        return isinstance(self.session.run, Program)

    def layered(self) -> bool:
        """Whether the run is of a program of layers; sets the note where it was captured."""
        if not self.has_layers:
            self.say(note=CAPTURED)
        return self.has_layers

    def resting(self) -> bool:
        """Whether no job moves the session in a thread, so that it may be read."""
        return self.worker.current is None

    @property
    def free(self) -> bool:
        """Whether a key may move the session; sets the note where a job does."""
        if self.resting():
            return True
        self.say(note=BUSY)
        return False

    def action_toggle_stop(self) -> None:
        """A breakpoint on the selected op, or none."""
        if not self.free:
            return
        view = self.snapshot()
        if view.selected_op is None:
            self.show_now("the run is over: select an op of the program first")
            return
        stop = self.debugger.stops.toggle_op(view.listing.ops[view.selected_op])
        self.keep()
        self.show_now(f"stop {stop.number}: {stop}" if stop else "breakpoint removed")

    @on(GutterClicked)
    def gutter_clicked(self) -> None:
        """Set or remove the breakpoint of the op that the click has selected."""
        self.action_toggle_stop()

    def action_stops(self) -> None:
        """The list of stops."""
        from tui.screens.stops import StopsScreen

        if self.free:
            self.app.push_screen(StopsScreen(self.debugger.stops), self.stops_answered)

    def stops_answered(self, answer: "StopsAnswer | None") -> None:
        """The list of stops is closed: save them, and open the prompt that it asks for."""
        self.keep()
        if answer is not None:
            head = "" if answer.kind == "command" else f"{answer.kind} "
            proposed = len(answer.text) if answer.kind == "command" else 0
            completer = self.argument_completer(head)
            self.ask(answer.kind, answer.label, answer.text, completer, proposed=proposed)
        self.show_now()

    def action_run_to(self) -> None:
        """Run to the next occurrence of the selected op."""
        view, timeline = self.snapshot(), self.session.timeline
        if view.selected_op is None:
            return
        target = timeline.next(view.event, op=view.listing.ops[view.selected_op].key)
        if target is None:
            self.show_now("this op does not come again before the end of the run")
            return
        later = timeline.iteration(target) > timeline.iteration(view.event)
        self.jump(target, "an iteration later: the same op again" if later else "")

    def action_watch(self) -> None:
        """Watch an expression."""
        self.ask("watch", "watch", self.expression(), self.argument_completer("display "))

    @on(WatchRemoved)
    def unwatch(self, message: WatchRemoved) -> None:
        """Watch an expression no longer."""
        text, key = message.text, "w"
        if not text:
            self.show_now(f"nothing is watched: {key} watches an expression")
        elif self.free:
            self.guarded(lambda: self.debugger.watches.remove(text), f"no longer watched: {text}")

    def action_change(self, direction: int) -> None:
        """To the next or previous change of the tensor, or of the selected element."""
        self.command(f"{'pc' if direction < 0 else 'nc'} {self.expression()}")

    # -- places

    def jump(self, target: int, said: str = "") -> None:
        """Move to event ``target``, and put the event left into the jump list."""
        if self.free:
            if target != self.session.event:
                self.debugger.jumps.leave(self.session.event)
            self.move(target, said)

    def action_go_at(self) -> None:
        """Go to an index of the tensor, or to a position."""
        inside = self.focused_pane in ("tensor", "jacobian")
        label = "index row,column or position" if inside else "position"
        self.ask("at", label, "", self.argument_completer("goto "))

    def action_mark(self) -> None:
        """A bookmark here."""
        self.ask("mark", "bookmark: name and text")

    def action_to_mark(self) -> None:
        """Go to a bookmark."""
        if not self.debugger.bookmarks:
            self.show_now("no bookmarks yet: m makes one")
            return
        self.ask("to-mark", "go to bookmark", "", self.bookmarks, self.bookmark_text)
        if self.free:
            self.prompt.candidates(self.bookmarks(""))

    def bookmarks(self, text: str) -> list[str]:
        """The names of bookmarks that begin with a text."""
        return [name for name in self.debugger.bookmarks if name.startswith(text)]

    def bookmark_text(self, name: str) -> str:
        """A bookmark with position and text; in brackets, to tell one candidate from the next."""
        from engine.words.placing import mark_line

        return f"[{mark_line(self.debugger, self.debugger.bookmarks[name])}]"

    def action_visited(self, direction: int) -> None:
        """The place before the last jump, or forward again."""
        if not self.free:
            return
        jumps = self.debugger.jumps
        event = jumps.forward() if direction > 0 else jumps.back(self.session.event)
        if event is None:
            self.show_now("no place further on" if direction > 0 else "no place before")
        else:
            self.worker.begin(self.session.travel(event), self.arrived, event)

    # -- typing

    def ask(
        self,
        kind: str,
        label: str,
        text: str = "",
        completer: Callable[[str], Sequence[str]] | None = None,
        describe: Callable[[str], str] = str,
        proposed: int = 0,
    ) -> None:
        """Open the prompt, unless a run is under way; ``text`` is selected from ``proposed`` on."""
        if self.free:
            self.prompt.ask(kind, label, text, completer, describe, proposed)

    def action_command(self) -> None:
        """The command line."""
        self.ask("command", ":", "", self.command_line.complete)

    def action_search(self) -> None:
        """Search tensors and ops."""
        self.ask("search", "/", "", self.found)

    def action_edit(self) -> None:
        """Edit the selected value; among the variables the whole tensor, where it is small."""
        view = self.snapshot()
        place, value = self.selected_value()
        if self.focused_pane == "variables" and view.array is not None and view.array.ndim:
            small = view.array.size <= SMALL
            place, value = view.tensor, str(view.array.tolist()) if small else ""
        head = f"set {place} = "
        text = head + value
        self.ask("command", ":", text, self.command_line.complete, proposed=len(head))

    @on(Asked)
    def asked(self, message: Asked) -> None:
        """Turn the answer to a prompt into a command, by the prompt's kind."""
        self.go_to_pane(self.focused_pane)  # the focus was the prompt's
        text = message.text.strip()
        match message.kind:
            case "record":
                self.start_recording(text)
            case "mark":
                self.command(f"mark {text}")
            case kind if kind.startswith(OF_A_STOP):  # an empty text takes it away
                self.command(f"{kind} {text}")
            case _ if not text:
                self.show_now()
            case "command":
                self.command(text)
            case "search":
                self.search(text)
            case "at":
                self.go_at(text)
            case "to-mark":
                self.command(f"goto '{text.lstrip(chr(39))}")
            case "watch":
                self.guarded(
                    lambda: self.debugger.watches.add(text),
                    f"watched: {text}; {PANES['watches'].number} shows its values",
                )
            case kind:
                self.command(f"{kind} {text}")

    @on(Dismissed)
    def dismissed(self) -> None:
        """Give the focus back to the pane that had it."""
        self.go_to_pane(self.focused_pane)

    def guarded(self, act: Callable[[], Any], note: str) -> None:
        """Call ``act``, save and show a note; a GradstepError is shown instead."""
        try:
            act()
        except GradstepError as error:
            self.failed(error)
        else:
            self.keep()
            self.show_now(note)

    def argument_completer(self, head: str) -> Callable[[str], list[str]]:
        """A completer of an argument alone: of what follows ``head`` in a command."""
        return lambda text: [
            whole.removeprefix(head) for whole in self.command_line.complete(head + text)
        ]

    # -- what the words are about

    def search(self, text: str) -> None:
        """Show the first tensor that a text finds, else the op whose formula holds it."""
        found = self.found(text)
        ops = [op.name for op in every_op(self.session.timeline) if text in op.formula]
        if not found and not ops:
            self.show_now(f"nothing found for {text!r}")
            return
        exactly = [name for name in found if name == text]
        self.select_tensor((exactly or found or ops)[0])

    def go_at(self, text: str) -> None:
        """Go to a cell of the grid in focus, or to a position of the run."""
        grid = self.grid()
        cell = [part.strip() for part in text.strip("[]()").split(",")]
        if grid is not None and all(re.fullmatch(r"\d{1,12}", part, re.ASCII) for part in cell):
            there = grid.go_to_index([int(part) for part in cell])
            self.show_now("" if there else f"no cell [{text}] here")
            return
        try:
            event = parse_position(text, self.debugger)
        except GradstepError as error:
            self.failed(error)
            return
        self.jump(event)
