"""The commands of single panes, and the keys with which their cursors move."""

from tui.keys.command import PANES, Command, Useful
from tui.keys.shown import always, deep, elements, matrix, unfolds, watched

BOTH = ("jacobian",)  # panes of numbers besides the tensor pane


def of_pane(
    pane: str,
    name: str,
    keys: str,
    action: str,
    words: str,
    footer: str = "",
    useful: Useful = always,
    word: str = "",
    near: tuple[str, ...] = (),
) -> Command:
    """A command of a pane: an action of its widget, with its keys one after the other."""
    return Command(
        name, tuple(keys.split()), words, f"{PANES[pane].title} pane", footer, (), pane, action,
        word, near, useful,
    )  # fmt: skip


def tensor_command(
    name: str,
    keys: str,
    action: str,
    words: str,
    footer: str = "",
    useful: Useful = always,
    near: tuple[str, ...] = (),
) -> Command:
    """A command of the tensor pane."""
    return of_pane("tensor", name, keys, action, words, footer, useful, "", near)


WATCH_COMMANDS: tuple[Command, ...] = (
    of_pane("watches", "unwatch", "delete D", "remove", "watch the selected expression no longer",
            "remove", watched, "undisplay {watch}"),
)  # fmt: skip

PROGRAM_COMMANDS: tuple[Command, ...] = (
    of_pane("program", "unfold", "enter", "unfold",
            "a line gives way to its functions, ⊞, or is folded again", "unfold", unfolds,
            "refold {op}"),
)  # fmt: skip

VARIABLE_COMMANDS: tuple[Command, ...] = (
    of_pane("variables", "fold", "enter", "fold",
            "fold or unfold a group (← folds, → unfolds); explain a number", "fold, explain"),
)  # fmt: skip

DOCTOR_COMMANDS: tuple[Command, ...] = (
    of_pane("diagnostics", "to-finding", "enter", "go", "go where the finding shows itself first",
            "go there"),
)  # fmt: skip

TENSOR_COMMANDS: tuple[Command, ...] = (
    tensor_command("explain", "enter", "explain", "explain the number: the terms that make it",
                   "explain", elements),
    tensor_command("heat", "h", "face", "numbers, heat map, pictures side by side", "heat map"),
    tensor_command("side", "equals_sign", "side", "the values after, before, or the difference",
                   "before"),
    tensor_command("seek-next", "j", "seek(1)", "next changed cell, NaN, … ({sought} chooses)",
                   "seek"),
    tensor_command("seek-previous", "J", "seek(-1)", "the cell of that kind before", "seek"),
    tensor_command("sought", "k", "sought(1)", "look for changed, NaN, ∞, max, min, zero, in range",
                   "what"),
    tensor_command("sought-previous", "K", "sought(-1)", "the kind of cell before"),
    tensor_command("range", "r", "range", "highlight a range of values; limits of the heat map",
                   "range"),
    tensor_command("range-off", "exclamation_mark", "range_off", "highlight no range"),
    tensor_command("slice", "comma", "slice", "a NumPy slice such as 0, :, 2:8", "slice"),
    tensor_command("axes", "backslash X", "axes(1)", "other axes as rows and columns", "axes",
                   deep),
    tensor_command("axes-previous", "vertical_line ctrl+x", "axes(-1)", "the choice of axes before",
                   "axes", deep),
    tensor_command("transpose", "T", "transpose", "swap rows and columns", "transpose", matrix),
    tensor_command("index-next", "right_curly_bracket I", "index(1)", "next index of other axes",
                   "index", deep),
    tensor_command("index-previous", "left_curly_bracket O", "index(-1)",
                   "previous index of other axes", "index", deep),
    tensor_command("format", "number_sign ctrl+f", "format(1)",
                   "fixed, scientific, significant digits, hex", "format", near=BOTH),
    tensor_command("format-previous", "dollar_sign ctrl+r", "format(-1)",
                   "the number format before", "format", near=BOTH),
    tensor_command("digits-more", "plus", "digits(1)", "more digits", "digits", near=BOTH),
    tensor_command("digits-fewer", "minus", "digits(-1)", "fewer digits", "digits", near=BOTH),
    tensor_command("columns-right", "ctrl+right", "columns(1)", "a page of columns to the right"),
    tensor_command("columns-left", "ctrl+left", "columns(-1)", "a page of columns to the left"),
    tensor_command("copy-cell", "Y", "copy_cell", "copy the cell", "copy", elements),
    tensor_command("copy-window", "W", "copy_window", "copy all cells that are seen"),
    tensor_command("save", "ctrl+s", "save", "save as .npy or .csv", "save", elements),
)  # fmt: skip


def moves(pane: str, *rows: tuple[str, str, str]) -> list[Command]:
    """The keys with which the cursor of a pane moves: keys, what they do, and that in a word."""
    return [
        of_pane(pane, f"{pane}-move-{n}", keys, "", words, short)
        for n, (keys, words, short) in enumerate(rows, 1)
    ]


PAGES = ("pageup pagedown home end", "a page, or to the first and the last", "")

# The widgets have these keys by themselves.
MOVES: tuple[Command, ...] = (
    *moves("program", ("up down", "the op before and after, with its tensor", "op"), PAGES),
    *moves("tensor", ("up down left right", "the cells around the cursor", ""), PAGES),
    *moves("jacobian", ("up down left right", "the cells around the cursor", "cell"), PAGES),
    *moves("chain", ("up down left right", "the factor before and after", "factor"), PAGES),
    *moves("variables", ("up down", "the tensor before and after", "tensor"),
           ("left right", "fold a group, unfold it", "group"), PAGES),
    *moves("watches", ("up down", "the watch before and after", "choose"), PAGES),
    *moves("console", ("up down", "scroll", "scroll"), PAGES),
    *moves("timeline", ("left right", "the iteration before and after", "iteration"),
           ("pageup pagedown", "a tenth of the axis", "tenth")),
    *moves("flow", ("up down", "the layer before and after", "layer"), PAGES),
    *moves("diagnostics", ("up down", "the finding before and after", "finding"), PAGES),
)  # fmt: skip
