"""One declaration for each command: key line, help and palette all read this table."""

from engine.run.position import Granularity
from tui.keys.bound import named
from tui.keys.command import PANES, Command, Useful, to_pane
from tui.keys.pane_commands import (
    DOCTOR_COMMANDS,
    MOVES,
    PROGRAM_COMMANDS,
    TENSOR_COMMANDS,
    VARIABLE_COMMANDS,
    WATCH_COMMANDS,
)
from tui.keys.screen_commands import (
    EXPLAINED_COMMANDS,
    HELP_COMMANDS,
    JUMP_COMMANDS,
    LESSON_COMMANDS,
    NOTES_COMMANDS,
    OPEN_COMMANDS,
    PALETTE_COMMANDS,
    PLOT_COMMANDS,
    PROMPT_COMMANDS,
    QUIT_COMMANDS,
    STOP_COMMANDS,
    TEACHER_COMMANDS,
    WORKSHEET_COMMANDS,
)
from tui.keys.shown import (
    ahead,
    always,
    behind,
    beside,
    changed,
    derived,
    editable,
    layers,
    marked,
    pinned,
)

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
            Command(f"step-{unit}", keys, words, "Stepping", short, aliases, word=key,
                    useful=ahead),
            Command(f"back-{unit}", (key.upper(),), BACK_HELP[unit], "Stepping", back,
                    word=f"r{key}", useful=behind),
        ]  # fmt: skip
    return commands


def everywhere(
    group: str,
    name: str,
    keys: str,
    words: str,
    footer: str = "",
    word: str = "",
    near: str = "",
    useful: Useful = always,
    aliases: str = "",
) -> Command:
    """A command of the whole screen; ``keys``, ``aliases`` and ``near`` are words in a text."""
    return Command(
        name, tuple(keys.split()), words, group, footer, tuple(aliases.split()), word=word,
        near=tuple(near.split()), useful=useful,
    )  # fmt: skip


DERIVATIVES = "jacobian chain"
NUMBERS = "tensor variables"

STOP_KEYS: tuple[Command, ...] = tuple(everywhere("Stops", *row) for row in (
    ("continue", "c", "continue to the next stop", "continue", "c", "", ahead, "f5"),
    ("reverse", "C", "back to the previous stop", "", "rc", "", behind),
    ("break", "b", "breakpoint on the selected op", "stop", "toggle {op}", "program", always, "f9"),
    ("stops", "B", "the list of stops", "stops", "", "program"),
    ("run-to", "t", "run to the selected op", "run to", "to {op}", "program", ahead),
    ("watch", "w", "watch an expression", "watch", "display {text}", "watches"),
    ("next-change", "right_parenthesis", "next change of the tensor", "change", "nc {value}",
     NUMBERS),
    ("previous-change", "left_parenthesis", "previous change of the tensor", "change",
     "pc {value}", NUMBERS),
))  # fmt: skip

GOING: tuple[Command, ...] = tuple(everywhere("Going", *row) for row in (
    ("command", "colon", "the command line; try help", "command", "{text}", "console"),
    ("search", "slash", "search tensors and ops", "search"),
    ("at", "at ctrl+g", "go to an index of the tensor, or a position", "", "goto {text}"),
    ("mark", "m", "a bookmark here: a name, then a text", "bookmark", "mark {text}", "timeline"),
    ("to-mark", "apostrophe", "go to a bookmark", "go to one", "goto '{text}", "timeline", marked),
    ("visited-back", "alt+left", "back to where the last jump came from", "", "back"),
    ("visited-forward", "alt+right", "forward again after going back", "", "ahead"),
    ("edit", "i", "edit the selected value", "edit", "set {value} = {text}", NUMBERS, editable),
    ("undo", "U", "take back the last edit, skip or change of branch", "undo", "undo", NUMBERS,
     changed),
))  # fmt: skip

LESSON: tuple[Command, ...] = tuple(everywhere("Lesson", *row) for row in (
    ("play", "a", "play, and pause"),
    ("play-back", "A", "play backwards, and pause"),
    ("slower", "underscore", "play slower"),
    ("faster", "asterisk", "play faster"),
    ("chapter-back", "left_square_bracket ctrl+b", "bookmark before", "bookmarks", "rchapter",
     "timeline", marked),
    ("chapter", "right_square_bracket ctrl+n", "to the next bookmark", "bookmarks", "chapter",
     "timeline", marked),
    ("record", "R", "record into a file; again closes it"),
    ("caption", "ctrl+e", "in a replay the caption's next page; without one the last again"),
    ("large", "ctrl+l", "large: one idea alone, for people at the back; and back", "large"),
    ("guide", "V", "what was looked at when it was recorded, or a view of one's own"),
))  # fmt: skip

LOOKING: tuple[Command, ...] = tuple(everywhere("Looking", *row) for row in (
    ("outer", "u", "compare with an outer level: op, phase, …", "level", "", "tensor"),
    ("inner", "d", "compare with an inner level: …, phase, op", "level", "", "tensor"),
    ("listing", "o", "the program as ops, or as a PyTorch loop", "PyTorch", "", "program", derived),
    ("plots", "p", "curves over the run; decision regions", "plots", "", "timeline", derived),
    ("worksheet", "H", "the homework's four tables here", "worksheet", "", DERIVATIVES, layers),
    ("layers", "L", "the flow through the layers, or their costs", "costs", "", "flow", layers),
    ("notes", "M", "what was said, all of it", "said", "", "console"),
    ("follow", "full_stop", "show what the last op wrote", "follow", "", NUMBERS, pinned),
))  # fmt: skip

JACOBIANS: tuple[Command, ...] = tuple(everywhere("Jacobians", *row) for row in (
    ("layout", "l", "numerator or gradient layout", "layout", "", DERIVATIVES, derived),
    ("view", "v", "one sample, or the whole batch", "batch", "", DERIVATIVES, derived),
    ("sample-previous", "less_than_sign", "the sample before", "sample", "", DERIVATIVES, derived),
    ("sample-next", "greater_than_sign", "the next sample", "sample", "", DERIVATIVES, derived),
    ("numerator", "y", "the selected tensor on top of ∂/∂", "∂ of it", "", DERIVATIVES, derived),
    ("denominator", "x", "the selected tensor below ∂/∂", "by it", "", DERIVATIVES, derived),
))  # fmt: skip

PANE_KEYS: tuple[Command, ...] = (
    *(
        everywhere("Panes", to_pane(key), str(pane.number), f"{pane.title}: {pane.help}")
        for key, pane in PANES.items()
    ),
    *(everywhere("Panes", *row) for row in (
        ("jump", "P", "to a pane by its letter"),
        ("next-pane", "tab", "next pane"),
        ("previous-pane", "shift+tab", "previous pane"),
        ("wider", "shift+right", "program pane wider", "", "", "program", beside),
        ("narrower", "shift+left", "program pane narrower", "", "", "program", beside),
        ("higher", "shift+up", "timeline higher", "", "", "timeline", beside),
        ("lower", "shift+down", "timeline lower", "", "", "timeline", beside),
        ("zoom", "z", "the focused pane alone, and back", "zoom", "", "", beside),
    )),
)  # fmt: skip

SESSION: tuple[Command, ...] = (
    *(everywhere("Session", *row) for row in (
        ("open", "ctrl+o", "open an experiment, a table or a recording"),
        ("tour", "f2", "a tour of the most useful keys; also {command}tour"),
        ("help", "question_mark", "this help", "help"),
        ("cancel", "escape", "stop a long run; end a zoom, large, the tour; follow again"),
    )),
    Command("suspend", ("ctrl+z",), "to the shell; fg comes back", "Session",
            action="app.suspend_process"),
    everywhere("Session", "quit", "q", "quit", "quit"),
)  # fmt: skip

MAIN: tuple[Command, ...] = (
    *stepping(),
    everywhere("Stepping", "first", "g", "to the first event", word="goto start"),
    everywhere("Stepping", "last", "G", "to the last known event", word="last"),
    *STOP_KEYS, *GOING, *LESSON,
    *TENSOR_COMMANDS, *PROGRAM_COMMANDS, *VARIABLE_COMMANDS, *WATCH_COMMANDS, *DOCTOR_COMMANDS,
    *JACOBIANS, *LOOKING, *PANE_KEYS, *SESSION,
)  # fmt: skip

# As it is written down, with the ids of commands where a text names their keys.
WRITTEN: tuple[Command, ...] = (
    *MAIN, *PLOT_COMMANDS, *STOP_COMMANDS, *HELP_COMMANDS, *PROMPT_COMMANDS,
    *EXPLAINED_COMMANDS, *WORKSHEET_COMMANDS, *QUIT_COMMANDS, *JUMP_COMMANDS,
    *NOTES_COMMANDS, *PALETTE_COMMANDS, *OPEN_COMMANDS, *LESSON_COMMANDS, *TEACHER_COMMANDS,
    *MOVES,
)  # fmt: skip
EVERY = named(WRITTEN)
COMMANDS = EVERY[: len(MAIN)]
BY_ID = {command.id: command for command in EVERY}
