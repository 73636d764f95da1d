"""One declaration for each command: key, footer, help and palette all read this table."""

from dataclasses import dataclass

from engine.run.position import Granularity
from tui.keys.key_names import key_name


@dataclass(frozen=True)
class Command:
    """What keys do. ``keys`` and ``aliases`` are named as the toolkit names them.

    What is the debugger's is a ``word`` of the command language, which the key runs: a line with
    holes, ``{text}`` what a person types at a prompt, the others what the screen points at. What
    is the screen's own has no word. With a ``pane`` (one of PANES or ELSEWHERE) the keys work only
    there, and ``action`` is an action of that widget, in Textual's words. ``footer`` is for the
    line of keys, empty for a command that is not shown there.
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

    @property
    def title(self) -> str:
        """The command in the palette: its group, and what it does."""
        return f"{self.group}: {self.help}"

    @property
    def press(self) -> str:
        """What its keys are bound to: an action of the pane, else ``press`` of the main screen."""
        return self.action or f"press({self.id!r})"

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


# Where commands work that is no pane: other screens, and the prompt.
PLOTS, STOPS, HELP, PROMPT = "plots", "stop-list", "help", "prompt"
EXPLAINED, WORKSHEET, OPEN, LESSON = "explanation", "worksheet", "open-dialog", "lesson"
ELSEWHERE = (PLOTS, STOPS, HELP, PROMPT, EXPLAINED, WORKSHEET, OPEN, LESSON)
MOVING = ("continue", "reverse", "help")  # work on the plots screen besides the step keys


@dataclass(frozen=True)
class Pane:
    """A pane: the digit that goes there, its title, its help.

    An inspector shares the place of the tensor pane, under a line of tabs. One that is about
    ``layers`` has nothing to show of a run that no program of layers made.
    """

    number: int
    title: str
    help: str
    inspector: bool = False
    layers: bool = False


PANES: dict[str, Pane] = {
    "program": Pane(1, "Program", "the ops of one iteration; ▶ next, ✓ done, ⊞ can unfold"),
    "tensor": Pane(2, "Tensor", "the values; ▸ marks what the selected level changed", True),
    "jacobian": Pane(3, "Jacobian", "sizes, structure and values of a derivative", True, True),
    "chain": Pane(4, "Chain", "the product that makes a derivative, factor by factor", True, True),
    "variables": Pane(
        5, "Variables", "every tensor: range, mean μ, histogram; ∇ its gradient, largest magnitude"
    ),
    "watches": Pane(6, "Watches", "expressions: now, before the last op, and their past", True),
    "console": Pane(7, "Console", "what commands have answered", True),
    "timeline": Pane(8, "Timeline", "the loss and the phases of every iteration; ← → scrub"),
    "flow": Pane(
        9,
        "Flow",
        "per layer: gradient, activation, update; ↑ ↓ past a limit, ⇈ ⇊ far past",
        True,
        True,
    ),
    "diagnostics": Pane(
        0, "Doctor", "what is wrong with this training loop; Enter goes there", True, True
    ),
}

# The word and the key forwards, help, footer, aliases. Backwards the word begins with r, and the
# key is the same with Shift.
UNITS = {
    Granularity.OP: ("s", "step one op", "op", ("f11",)),
    Granularity.PHASE: ("n", "next phase", "phase", ("f10",)),
    Granularity.ITERATION: ("f", "finish the iteration", "iteration", ("shift+f11",)),
    Granularity.EPOCH: ("e", "finish the epoch", "epoch", ()),
}
BACK_HELP = {
    Granularity.OP: "step back one op",
    Granularity.PHASE: "back to the beginning of the phase, then of the one before",
    Granularity.ITERATION: "back to the beginning of the iteration, then of the one before",
    Granularity.EPOCH: "back to the beginning of the epoch, then of the one before",
}


def stepping() -> list[Command]:
    """The step keys: each letter forwards, with Shift backwards."""
    commands = []
    for unit, (key, words, short, aliases) in UNITS.items():
        keys = (key, "space") if unit == Granularity.PHASE else (key,)
        back = f"⇤ {short}" if unit == Granularity.OP else ""
        commands += [
            Command(f"step-{unit}", keys, words, "Stepping", short, aliases, word=key),
            Command(
                f"back-{unit}", (key.upper(),), BACK_HELP[unit], "Stepping", back, word=f"r{key}"
            ),
        ]
    return commands


def tensor_command(name: str, key: str, action: str, words: str, footer: str = "") -> Command:
    """A command of the tensor pane."""
    return Command(name, (key,), words, "Tensor pane", footer, pane="tensor", action=action)


WATCH_COMMANDS: tuple[Command, ...] = (
    Command(
        "unwatch", ("delete", "D"), "watch the selected expression no longer", "Watches pane",
        "remove", pane="watches", action="remove", word="undisplay {watch}",
    ),
)  # fmt: skip

PROGRAM_COMMANDS: tuple[Command, ...] = (
    Command(
        "unfold", ("enter",), "a line gives way to its functions, ⊞, or is folded again",
        "Program pane", pane="program", action="unfold", word="refold {op}",
    ),
)  # fmt: skip

VARIABLE_COMMANDS: tuple[Command, ...] = (
    Command(
        "fold", ("enter",), "fold or unfold a group (← folds, → unfolds); explain a number",
        "Variables pane", pane="variables", action="fold",
    ),
)  # fmt: skip

TENSOR_COMMANDS: tuple[Command, ...] = (
    tensor_command(
        "explain", "enter", "explain", "explain the number: the terms that make it",
        "explain",
    ),
    tensor_command("heat", "h", "face", "numbers, heat map, pictures side by side", "heat map"),
    tensor_command("side", "equals_sign", "side", "the values after, before, or the difference"),
    tensor_command("seek-next", "j", "seek(1)", "next changed cell, NaN, … (k chooses)"),
    tensor_command("seek-previous", "J", "seek(-1)", "the cell of that kind before"),
    tensor_command(
        "sought", "k", "sought(1)", "look for changed, NaN, ∞, max, min, zero, in range"
    ),
    tensor_command("sought-previous", "K", "sought(-1)", "the kind of cell before"),
    tensor_command("range", "r", "range", "highlight a range of values; limits of the heat map"),
    tensor_command("range-off", "exclamation_mark", "range_off", "highlight no range"),
    tensor_command("slice", "comma", "slice", "a NumPy slice such as 0, :, 2:8"),
    tensor_command("axes", "backslash", "axes(1)", "other axes as rows and columns"),
    tensor_command("axes-previous", "vertical_line", "axes(-1)", "the choice of axes before"),
    tensor_command("transpose", "T", "transpose", "swap rows and columns"),
    tensor_command("index-next", "right_curly_bracket", "index(1)", "next index of other axes"),
    tensor_command(
        "index-previous", "left_curly_bracket", "index(-1)", "previous index of other axes"
    ),
    tensor_command(
        "format", "number_sign", "format(1)", "fixed, scientific, significant digits, hex"
    ),
    tensor_command("format-previous", "dollar_sign", "format(-1)", "the number format before"),
    tensor_command("digits-more", "plus", "digits(1)", "more digits"),
    tensor_command("digits-fewer", "minus", "digits(-1)", "fewer digits"),
    tensor_command("columns-right", "ctrl+right", "columns(1)", "a page of columns to the right"),
    tensor_command("columns-left", "ctrl+left", "columns(-1)", "a page of columns to the left"),
    tensor_command("copy-cell", "Y", "copy_cell", "copy the cell"),
    tensor_command("copy-window", "W", "copy_window", "copy all cells that are seen"),
    tensor_command("save", "ctrl+s", "save", "save as .npy or .csv"),
)  # fmt: skip


def elsewhere(
    place: str, name: str, keys: str, action: str, words: str, footer: str = "", word: str = ""
) -> Command:
    """A command of another screen, or of the prompt: an action of that widget."""
    groups = {PLOTS: "Plots screen", STOPS: "List of stops", HELP: "Help", PROMPT: "Prompt"}
    groups |= {EXPLAINED: "Explanation", WORKSHEET: "Worksheet", OPEN: "Open dialog"}
    groups |= {LESSON: "Lesson"}
    group = groups[place]
    return Command(name, tuple(keys.split()), words, group, footer, (), place, action, word)


def plot_command(name: str, keys: str, action: str, words: str, footer: str = "") -> Command:
    """A command of the plots screen: an action of that screen."""
    return elsewhere(PLOTS, f"plot-{name}", keys, action, words, footer)


PLOT_COMMANDS: tuple[Command, ...] = (
    plot_command("in", "plus", "zoom(1)", "a shorter part of the run, around the cursor", "closer"),
    plot_command("out", "minus", "zoom(-1)", "a longer part", "further"),
    plot_command("left", "left", "pan(-1)", "the part before"),
    plot_command("right", "right", "pan(1)", "the part after"),
    plot_command("whole", "equals_sign home", "whole", "the whole run", "all"),
    plot_command("log", "l", "mode('log')", "logarithmic or linear", "log"),
    plot_command("own", "a", "mode('own')", "one scale for all curves, or each its own", "scales"),
    plot_command("unit", "x", "mode('events')", "iterations or events along the axis"),
    plot_command("others", "b", "mode('others')", "the losses of other branches", "branches"),
    plot_command("beside", "o", "beside", "the losses of a recording beside these", "recording"),
    plot_command("regions", "r", "regions", "decision regions of two inputs, or curves", "regions"),
    plot_command("close", "escape p q", "close", "back to the debugger", "close"),
)

STOP_COMMANDS: tuple[Command, ...] = (
    elsewhere(STOPS, "stop-switch", "space", "switch", "on or off", "on/off", "enable {stop}"),
    elsewhere(STOPS, "stop-once", "o", "once", "only once, or every time", "once", "once {stop}"),
    elsewhere(
        STOPS, "stop-if", "i", "condition", "only if a condition holds", "if",
        "condition {stop} {text}",
    ),
    elsewhere(
        STOPS, "stop-ignore", "g", "ignore", "let the next hits pass", "ignore",
        "ignore {stop} {text}",
    ),
    elsewhere(
        STOPS, "stop-log", "l", "log", "print a message instead of stopping", "log",
        "log {stop} {text}",
    ),
    elsewhere(STOPS, "stop-delete", "d delete", "delete", "remove it", "delete", "delete {stop}"),
    elsewhere(STOPS, "stop-add", "a", "add", "add a stop", "add", "b {text}"),
    elsewhere(STOPS, "stop-close", "escape q B", "close", "close the list of stops", "close"),
)  # fmt: skip

EXPLAINED_COMMANDS: tuple[Command, ...] = (
    elsewhere(EXPLAINED, "explain-deeper", "enter right", "deeper", "explain what it is made of",
              "explain"),
    elsewhere(EXPLAINED, "explain-back", "backspace left", "back", "the number before", "back"),
    elsewhere(EXPLAINED, "explain-go", "g", "go", "go where it was read, to its cell", "go there"),
    elsewhere(EXPLAINED, "explain-close", "escape q", "close", "close the explanation", "close"),
)  # fmt: skip

WORKSHEET_COMMANDS: tuple[Command, ...] = (
    elsewhere(WORKSHEET, "sheet-go", "enter", "go", "go where the row happens", "go there"),
    elsewhere(WORKSHEET, "sheet-next", "right_square_bracket tab", "table(1)", "the next table",
              "table"),
    elsewhere(WORKSHEET, "sheet-previous", "left_square_bracket shift+tab", "table(-1)",
              "the table before"),
    elsewhere(WORKSHEET, "sheet-view", "v", "view", "one sample, or the whole batch", "batch"),
    elsewhere(WORKSHEET, "sheet-layout", "l", "layout", "numerator or gradient layout", "layout"),
    elsewhere(WORKSHEET, "sheet-sample-next", "greater_than_sign", "sample(1)",
              "the next sample"),
    elsewhere(WORKSHEET, "sheet-sample-previous", "less_than_sign", "sample(-1)",
              "the sample before"),
    elsewhere(WORKSHEET, "sheet-copy", "y", "copy", "copy the tables as Markdown", "copy"),
    elsewhere(WORKSHEET, "sheet-save", "ctrl+s", "save", "save as .md, .tex or .json", "save"),
    elsewhere(WORKSHEET, "sheet-close", "escape q H", "close", "close the worksheet", "close"),
)  # fmt: skip

LESSON_COMMANDS: tuple[Command, ...] = (
    elsewhere(LESSON, "lesson-on", "space", "lesson_on", "go on to the next hold; answer", "on"),
    elsewhere(LESSON, "lesson-back", "backspace", "lesson_back", "read the caption before again"),
    elsewhere(LESSON, "lesson-large", "ctrl+l", "lesson_large", "large: one pane alone; and back"),
    elsewhere(LESSON, "lesson-reload", "ctrl+r", "lesson_reload", "read the edited file again"),
)

OPEN_COMMANDS: tuple[Command, ...] = (
    elsewhere(OPEN, "open-choose", "enter", "choose", "open what is under the cursor", "open"),
    elsewhere(OPEN, "open-mark", "tab", "mark", "mark a column of a table: several are predicted",
              "mark columns"),
    elsewhere(OPEN, "open-up", "up", "move('cursor_up')", "the line above"),
    elsewhere(OPEN, "open-down", "down", "move('cursor_down')", "the line below"),
    elsewhere(OPEN, "open-page-up", "pageup", "move('page_up')", "a page up"),
    elsewhere(OPEN, "open-page-down", "pagedown", "move('page_down')", "a page down"),
    elsewhere(OPEN, "open-close", "escape", "close", "back to the list, or to the debugger",
              "back"),
)  # fmt: skip

HELP_COMMANDS: tuple[Command, ...] = (
    elsewhere(HELP, "help-close", "escape q question_mark", "dismiss", "close the help"),
)

PROMPT_COMMANDS: tuple[Command, ...] = (
    elsewhere(PROMPT, "prompt-done", "enter", "prompt_submit", "take what is typed", "done"),
    elsewhere(PROMPT, "prompt-leave", "escape", "prompt_dismiss", "leave without it", "leave"),
    elsewhere(
        PROMPT, "prompt-complete", "tab", "prompt_complete", "complete what is typed", "complete"
    ),
    elsewhere(PROMPT, "prompt-earlier", "up", "prompt_recall(-1)", "an earlier line", "earlier"),
    elsewhere(PROMPT, "prompt-later", "down", "prompt_recall(1)", "a later line", "later"),
)

COMMANDS: tuple[Command, ...] = (
    *stepping(),
    Command("first", ("g",), "to the first event", "Stepping", word="goto start"),
    Command("last", ("G",), "to the last known event", "Stepping", word="last"),
    Command(
        "continue", ("c",), "continue to the next stop", "Stops", "continue", ("f5",), word="c"
    ),
    Command("reverse", ("C",), "back to the previous stop", "Stops", word="rc"),
    Command(
        "break", ("b",), "breakpoint on the selected op", "Stops", "stop", ("f9",),
        word="toggle {op}",
    ),
    Command("stops", ("B",), "the list of stops", "Stops"),
    Command("run-to", ("t",), "run to the selected op", "Stops", word="to {op}"),
    Command("watch", ("w",), "watch an expression", "Stops", "watch", word="display {text}"),
    Command(
        "next-change", ("right_parenthesis",), "next change of the tensor", "Stops",
        word="nc {value}",
    ),
    Command(
        "previous-change", ("left_parenthesis",), "previous change of the tensor", "Stops",
        word="pc {value}",
    ),
    Command("command", ("colon",), "the command line; try help", "Going", "command", word="{text}"),
    Command("search", ("slash",), "search tensors and ops", "Going"),
    Command(
        "at", ("at",), "go to an index of the tensor, or a position", "Going", word="goto {text}"
    ),
    Command("mark", ("m",), "a bookmark here: a name, then a text", "Going", word="mark {text}"),
    Command("to-mark", ("apostrophe",), "go to a bookmark", "Going", word="goto '{text}"),
    Command(
        "visited-back", ("alt+left",), "back to where the last jump came from", "Going",
        word="back",
    ),
    Command(
        "visited-forward", ("alt+right",), "forward again after going back", "Going", word="ahead"
    ),
    Command("edit", ("i",), "edit the selected value", "Going", word="set {value} = {text}"),
    Command("play", ("a",), "play, and pause", "Lesson"),
    Command("play-back", ("A",), "play backwards, and pause", "Lesson"),
    Command("slower", ("underscore",), "play slower", "Lesson"),
    Command("faster", ("asterisk",), "play faster", "Lesson"),
    Command(
        "chapter-back", ("left_square_bracket",), "bookmark before", "Lesson", word="rchapter"
    ),
    Command(
        "chapter", ("right_square_bracket",), "to the next bookmark", "Lesson", word="chapter"
    ),
    Command("record", ("R",), "record into a file; again closes it", "Lesson"),
    Command("outer", ("u",), "compare with an outer level: op, phase, …", "Looking"),
    Command("inner", ("d",), "compare with an inner level: …, phase, op", "Looking"),
    Command("listing", ("o",), "the program as ops, or as a PyTorch loop", "Looking"),
    Command("plots", ("p",), "curves over the run; decision regions", "Looking", "plots"),
    Command("worksheet", ("H",), "the homework's four tables here", "Looking"),
    Command("layers", ("L",), "the flow through the layers, or their costs", "Looking"),
    Command("follow", ("full_stop",), "show what the last op wrote", "Looking"),
    *TENSOR_COMMANDS,
    *PROGRAM_COMMANDS,
    *VARIABLE_COMMANDS,
    *WATCH_COMMANDS,
    Command("numerator", ("y",), "the selected tensor on top of ∂/∂", "Jacobians"),
    Command("denominator", ("x",), "the selected tensor below ∂/∂", "Jacobians"),
    Command("layout", ("l",), "numerator or gradient layout", "Jacobians"),
    Command("view", ("v",), "one sample, or the whole batch", "Jacobians"),
    Command("sample-next", ("greater_than_sign",), "the next sample", "Jacobians"),
    Command("sample-previous", ("less_than_sign",), "the sample before", "Jacobians"),
    Command("next-pane", ("tab",), "next pane", "Panes"),
    Command("previous-pane", ("shift+tab",), "previous pane", "Panes"),
    Command("wider", ("shift+right",), "program pane wider", "Panes"),
    Command("narrower", ("shift+left",), "program pane narrower", "Panes"),
    Command("higher", ("shift+up",), "timeline higher", "Panes"),
    Command("lower", ("shift+down",), "timeline lower", "Panes"),
    Command("zoom", ("z",), "the focused pane alone, and back", "Panes", "zoom"),
    Command("guide", ("V",), "what was looked at when it was recorded, or a view of one's own",
            "Looking"),
    Command("open", ("ctrl+o",), "open an experiment, a table or a recording", "Session"),
    Command("tour", ("f2",), "a tour of the most useful keys; also :tour", "Session"),
    Command("help", ("question_mark",), "this help", "Session", "help"),
    Command("cancel", ("escape",), "stop a long run; forget a count", "Session"),
    Command("suspend", ("ctrl+z",), "to the shell; fg comes back", "Session",
            action="app.suspend_process"),
    Command("quit", ("q",), "quit", "Session", "quit"),
)  # fmt: skip

EVERY: tuple[Command, ...] = (
    *COMMANDS, *PLOT_COMMANDS, *STOP_COMMANDS, *HELP_COMMANDS, *PROMPT_COMMANDS,
    *EXPLAINED_COMMANDS, *WORKSHEET_COMMANDS, *OPEN_COMMANDS, *LESSON_COMMANDS,
)  # fmt: skip
BY_ID = {command.id: command for command in EVERY}


def keys_text(command: Command) -> str:
    """All keys of a command as they are read on screen."""
    return ", ".join(key_name(key) for key in (*command.keys, *command.aliases))


def help_rows(
    commands: tuple[Command, ...] = EVERY, pane: str = ""
) -> list[tuple[str, list[tuple[str, str]]]]:
    """The table of the help screen: group, then (keys, what they do); a pane's own group first."""
    commands = tuple(sorted(commands, key=lambda command: not pane or command.pane != pane))
    groups: dict[str, list[tuple[str, str]]] = {}
    for command in commands:
        groups.setdefault(command.group, []).append((keys_text(command), command.help))
    groups["Stepping"].append(("5n, 20s, …", "a count before a step key"))
    groups["Plots screen"].append(("1 … 9", "show a curve, or no longer; step keys step"))
    numbers = [(str(pane.number), f"{pane.title}: {pane.help}") for pane in PANES.values()]
    groups["Panes"] = [*numbers, *groups["Panes"]]
    groups["Session"].append((key_name("ctrl+p"), "all commands by name"))
    return list(groups.items())
