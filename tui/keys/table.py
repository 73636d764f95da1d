"""One declaration for each command: key, footer, help and palette all read this table."""

import unicodedata
from dataclasses import dataclass

from engine.run.position import Granularity


@dataclass(frozen=True)
class Command:
    """What keys do. ``action`` is an action of the main screen, in Textual's words.

    With ``pane`` it is an action of that pane, and the keys work only there. ``keys`` and
    ``aliases`` are named as the toolkit names them; ``footer`` is for the line of keys, empty for
    a command that is not shown there.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    help: str
    group: str
    footer: str = ""
    aliases: tuple[str, ...] = ()
    pane: str = ""

    @property
    def title(self) -> str:
        """The command in the palette: its group, and what it does."""
        return f"{self.group}: {self.help}"

    @property
    def places(self) -> set[str]:
        """The panes in which the keys work, and the plots screen."""
        if self.pane:
            return {self.pane}
        moves = self.group == "Stepping" or self.id in MOVING
        return {*PANES, PLOTS} if moves else {*PANES}


PLOTS = "plots"  # where the commands of the plots screen work, which is no pane
MOVING = ("continue", "reverse", "help")  # work there besides the step keys


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
    "program": Pane(1, "Program", "the ops of one iteration; ▶ runs next, ✓ is done"),
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

# Forwards, backwards, help, footer, aliases forwards and backwards.
UNITS = {
    Granularity.OP: ("s", "S", "one op", "op", ("f11",), ()),
    Granularity.PHASE: ("n", "N", "next phase", "phase", ("f10",), ()),
    Granularity.ITERATION: ("f", "F", "finish the iteration", "iteration", ("shift+f11",), ()),
    Granularity.EPOCH: ("e", "E", "finish the epoch", "epoch", (), ()),
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
    for unit, (key, back, words, short, aliases, back_aliases) in UNITS.items():
        keys = (key, "space") if unit == Granularity.PHASE else (key,)
        text = "step one op" if unit == Granularity.OP else words
        commands += [
            Command(f"step-{unit}", keys, f"step('{unit}', 1)", text, "Stepping", short, aliases),
            Command(
                f"back-{unit}",
                (back,),
                f"step('{unit}', -1)",
                BACK_HELP[unit],
                "Stepping",
                f"⇤ {short}" if unit == Granularity.OP else "",
                back_aliases,
            ),
        ]
    return commands


def tensor_command(name: str, key: str, action: str, words: str, footer: str = "") -> Command:
    """A command of the tensor pane."""
    return Command(name, (key,), action, words, "Tensor pane", footer, pane="tensor")


WATCH_COMMANDS: tuple[Command, ...] = (
    Command(
        "unwatch", ("delete", "D"), "remove", "watch the selected expression no longer",
        "Watches pane", "remove", pane="watches",
    ),
)  # fmt: skip

TENSOR_COMMANDS: tuple[Command, ...] = (
    tensor_command("heat", "h", "face", "numbers, heat map, picture of an image", "heat map"),
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
)


def plot_command(name: str, keys: str, action: str, words: str, footer: str = "") -> Command:
    """A command of the plots screen: an action of that screen."""
    return Command(
        f"plot-{name}", tuple(keys.split()), action, words, "Plots screen", footer, pane=PLOTS
    )


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

COMMANDS: tuple[Command, ...] = (
    *stepping(),
    Command("first", ("g",), "first", "to the first event", "Stepping"),
    Command("last", ("G",), "last", "to the last known event", "Stepping"),
    Command(
        "continue", ("c",), "proceed(1)", "continue to the next stop", "Stops", "continue", ("f5",)
    ),
    Command("reverse", ("C",), "proceed(-1)", "back to the previous stop", "Stops"),
    Command(
        "break",
        ("b",),
        "toggle_stop",
        "breakpoint on the selected op",
        "Stops",
        "stop",
        ("f9",),
    ),
    Command("stops", ("B",), "stops", "the list of stops", "Stops"),
    Command("run-to", ("t",), "run_to", "run to the selected op", "Stops"),
    Command("watch", ("w",), "watch", "watch an expression", "Stops", "watch"),
    Command(
        "next-change", ("right_parenthesis",), "change(1)", "next change of the tensor", "Stops"
    ),
    Command(
        "previous-change",
        ("left_parenthesis",),
        "change(-1)",
        "previous change of the tensor",
        "Stops",
    ),
    Command(
        "command",
        ("colon",),
        "command",
        "the command line; try help",
        "Going",
        "command",
    ),
    Command("search", ("slash",), "search", "search tensors and ops", "Going"),
    Command("at", ("at",), "go_at", "go to an index of the tensor, or a position", "Going"),
    Command("mark", ("m",), "mark", "a bookmark here: a name, then a text", "Going"),
    Command("to-mark", ("apostrophe",), "to_mark", "go to a bookmark", "Going"),
    Command(
        "visited-back",
        ("alt+left",),
        "visited(-1)",
        "back to where the last jump came from",
        "Going",
    ),
    Command(
        "visited-forward", ("alt+right",), "visited(1)", "forward again after going back", "Going"
    ),
    Command("edit", ("i",), "edit", "edit the selected value", "Going"),
    Command("play", ("a",), "play(1)", "play, and pause", "Lesson"),
    Command("play-back", ("A",), "play(-1)", "play backwards, and pause", "Lesson"),
    Command("slower", ("underscore",), "speed(-1)", "play slower", "Lesson"),
    Command("faster", ("asterisk",), "speed(1)", "play faster", "Lesson"),
    Command("chapter-back", ("left_square_bracket",), "chapter(-1)", "bookmark before", "Lesson"),
    Command("chapter", ("right_square_bracket",), "chapter(1)", "to the next bookmark", "Lesson"),
    Command("record", ("R",), "record", "record into a file; again closes it", "Lesson"),
    Command("outer", ("u",), "level(1)", "compare with an outer level: op, phase, …", "Looking"),
    Command("inner", ("d",), "level(-1)", "compare with an inner level: …, phase, op", "Looking"),
    Command("listing", ("o",), "listing", "the program as ops, or as a PyTorch loop", "Looking"),
    Command("plots", ("p",), "plots", "curves over the run; decision regions", "Looking", "plots"),
    Command("layers", ("L",), "layers", "the flow through the layers, or their costs", "Looking"),
    Command("follow", ("full_stop",), "follow", "show what the last op wrote", "Looking"),
    *TENSOR_COMMANDS,
    *WATCH_COMMANDS,
    Command("numerator", ("y",), "numerator", "the selected tensor on top of ∂/∂", "Jacobians"),
    Command("denominator", ("x",), "denominator", "the selected tensor below ∂/∂", "Jacobians"),
    Command("layout", ("l",), "layout", "numerator or gradient layout", "Jacobians"),
    Command("view", ("v",), "sample_view", "one sample, or the whole batch", "Jacobians"),
    Command("sample-next", ("greater_than_sign",), "sample(1)", "the next sample", "Jacobians"),
    Command("sample-previous", ("less_than_sign",), "sample(-1)", "the sample before", "Jacobians"),
    Command("next-pane", ("tab",), "next_pane(1)", "next pane", "Panes"),
    Command("previous-pane", ("shift+tab",), "next_pane(-1)", "previous pane", "Panes"),
    Command("wider", ("shift+right",), "resize('program', 2)", "program pane wider", "Panes"),
    Command("narrower", ("shift+left",), "resize('program', -2)", "program pane narrower", "Panes"),
    Command("higher", ("shift+up",), "resize('timeline', 1)", "timeline higher", "Panes"),
    Command("lower", ("shift+down",), "resize('timeline', -1)", "timeline lower", "Panes"),
    Command("zoom", ("z",), "zoom", "the focused pane alone, and back", "Panes", "zoom"),
    Command("help", ("question_mark",), "help", "this help", "Session", "help"),
    Command("cancel", ("escape",), "cancel", "stop a long run; forget a count", "Session"),
    Command("quit", ("q",), "quit", "quit", "Session", "quit"),
)

EVERY: tuple[Command, ...] = (*COMMANDS, *PLOT_COMMANDS)

KEY_NAMES = {
    "number_sign": "#",
    "home": "Home",
    "right": "→",
    "left": "←",
    "space": "Space",
    "question_mark": "?",
    "full_stop": ".",
    "equals_sign": "=",
    "dollar_sign": "$",
    "comma": ",",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "shift+right": "Shift+Right",
    "shift+left": "Shift+Left",
    "shift+up": "Shift+Up",
    "shift+down": "Shift+Down",
    "ctrl+right": "Ctrl+Right",
    "ctrl+left": "Ctrl+Left",
    "ctrl+s": "Ctrl+S",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "right_parenthesis": ")",
    "left_parenthesis": "(",
    "colon": ":",
    "slash": "/",
    "at": "@",
    "apostrophe": "'",
    "alt+left": "Alt+Left",
    "alt+right": "Alt+Right",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "escape": "Esc",
    "ctrl+p": "Ctrl+P",
    "shift+f11": "Shift+F11",
    "f5": "F5",
    "f9": "F9",
    "f10": "F10",
    "f11": "F11",
    "asterisk": "*",
    "underscore": "_",
    "backslash": "\\",
    "vertical_line": "|",
    "exclamation_mark": "!",
}


def key_name(key: str) -> str:
    """A key of the toolkit's as it is read on screen: ``shift+f11`` is Shift+F11."""
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    *modifiers, last = key.split("+")
    if len(last) == 1:
        last = last.upper() if modifiers else last
    else:
        last = character(last) or last.capitalize()
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])


def character(name: str) -> str:
    """The character of a key that the toolkit calls by its Unicode name; empty for others."""
    try:
        return unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return ""


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
