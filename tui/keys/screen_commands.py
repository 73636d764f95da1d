"""The commands of the screens that open over the debugger, and of the prompt."""

from tui.keys.command import (
    EXPLAINED,
    HELP,
    JUMP,
    NOTES,
    OPEN,
    PALETTE,
    PANES,
    PLOTS,
    PROMPT,
    QUITTING,
    STOPS,
    TAUGHT,
    TEACHER,
    WORKSHEET,
    Command,
    Useful,
)
from tui.keys.shown import always, curves


def elsewhere(
    place: str,
    name: str,
    keys: str,
    action: str,
    words: str,
    footer: str = "",
    word: str = "",
    useful: Useful = always,
) -> Command:
    """A command of another screen, or of the prompt: an action of that widget."""
    groups = {PLOTS: "Plots screen", STOPS: "List of stops", HELP: "Help", PROMPT: "Prompt"}
    groups |= {EXPLAINED: "Explanation", WORKSHEET: "Worksheet", QUITTING: "Before quitting"}
    groups |= {JUMP: "Jump to a pane", NOTES: "What was said"}
    groups |= {PALETTE: "Palette", OPEN: "Open dialog", TAUGHT: "Lesson"}
    groups |= {TEACHER: "Notes of a lesson"}
    group = groups[place]
    return Command(
        name, tuple(keys.split()), words, group, footer, (), place, action, word, useful=useful
    )


def plot_command(
    name: str, keys: str, action: str, words: str, footer: str = "", useful: Useful = curves
) -> Command:
    """A command of the plots screen: an action of that screen, most of them about curves."""
    return elsewhere(PLOTS, f"plot-{name}", keys, action, words, footer, useful=useful)


CURVES = 9  # that have a key
PLOT_COMMANDS: tuple[Command, ...] = (
    plot_command("in", "plus", "zoom(1)", "a shorter part of the run, around the cursor", "zoom"),
    plot_command("out", "minus", "zoom(-1)", "a longer part", "zoom"),
    plot_command("left", "left", "pan(-1)", "the part before", "pan"),
    plot_command("right", "right", "pan(1)", "the part after", "pan"),
    plot_command("whole", "equals_sign home", "whole", "the whole run", "all"),
    plot_command("log", "l", "mode('log')", "logarithmic or linear", "log"),
    plot_command("own", "a", "mode('own')", "one scale for all curves, or each its own", "scales"),
    plot_command("unit", "x", "mode('events')", "iterations or events along the axis", "axis"),
    plot_command("others", "b", "mode('others')", "the losses of other branches", "branches"),
    plot_command("beside", "o", "beside", "the losses of a recording beside these", "recording"),
    plot_command(
        "regions", "r", "regions", "decision regions of two inputs, or curves", "regions", always
    ),
    *(
        plot_command(f"curve-{n}", str(n), f"curve({n})", "show this curve, or no longer", "curve")
        for n in range(1, CURVES + 1)
    ),
    plot_command("close", "escape p q", "close", "back to the debugger", "close", always),
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

HELP_COMMANDS: tuple[Command, ...] = (
    elsewhere(HELP, "help-search", "slash", "search", "look for words", "search"),
    elsewhere(HELP, "help-close", "escape q question_mark", "close", "close the help", "close"),
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

QUIT_COMMANDS: tuple[Command, ...] = (
    elsewhere(QUITTING, "quit-leave", "q y enter", "answer(True)", "quit all the same", "quit"),
    elsewhere(QUITTING, "quit-stay", "escape n", "answer(False)", "stay", "stay"),
)

JUMP_COMMANDS: tuple[Command, ...] = (
    *(
        elsewhere(JUMP, f"jump-{key}", pane.letter, f"go({key!r})", f"to {pane.title}", pane.title)
        for key, pane in PANES.items()
    ),
    elsewhere(JUMP, "jump-close", "escape P", "close", "stay where one is", "stay"),
)

NOTES_COMMANDS: tuple[Command, ...] = (
    elsewhere(NOTES, "notes-close", "escape q M", "close", "close what was said", "close"),
)

PALETTE_COMMANDS: tuple[Command, ...] = (
    elsewhere(PALETTE, "palette-choose", "enter", "choose", "do what is under the cursor", "do it"),
    elsewhere(PALETTE, "palette-up", "up", "move(-1)", "the entry before"),
    elsewhere(PALETTE, "palette-down", "down", "move(1)", "the next entry"),
    elsewhere(PALETTE, "palette-page-up", "pageup", "move(-10)", "ten entries up"),
    elsewhere(PALETTE, "palette-page-down", "pagedown", "move(10)", "ten entries down"),
    elsewhere(PALETTE, "palette-close", "escape ctrl+p", "leave", "close the palette", "close"),
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

LESSON_COMMANDS: tuple[Command, ...] = (
    elsewhere(TAUGHT, "lesson-on", "space", "lesson_on", "go on to the next hold; answer", "on"),
    elsewhere(TAUGHT, "lesson-back", "backspace", "lesson_back", "read the caption before again"),
    elsewhere(TAUGHT, "lesson-reload", "ctrl+r", "lesson_reload", "read the edited file again"),
)

TEACHER_COMMANDS: tuple[Command, ...] = (
    elsewhere(TEACHER, "teacher-down", "down j", "turn(1)", "a line on", "turn"),
    elsewhere(TEACHER, "teacher-up", "up k", "turn(-1)", "a line back", "turn"),
    elsewhere(TEACHER, "teacher-page", "pagedown space", "turn(2)", "a page on", "page"),
    elsewhere(TEACHER, "teacher-before", "pageup", "turn(-2)", "a page back", "page"),
    elsewhere(TEACHER, "teacher-quit", "q", "app.quit", "leave the notes", "quit"),
)
