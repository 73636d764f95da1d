"""The command line of the debugger: gdb's and pdb's words over a debugger, with completion.

A line is a word and its argument; a count may stand before the word, ``5n``, or follow it; one
below zero goes the other way, ``-5n``.
Lines that begin with # are comments.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.functions.language import complete as complete_expression
from engine.run.timeline import every_op, every_phase
from engine.session.progress import Progress
from engine.stops.lookup import lookup_names
from engine.wording import suggestion
from engine.words.command import Argument, Command, CommandError, Reply, counted
from engine.words.looking import TOPICS
from engine.words.table import COMMANDS

LINE = re.compile(r"\s*(?P<count>[+-]?\d+)?\s*(?P<word>[A-Za-z][A-Za-z-]*)?(?P<rest>.*)", re.DOTALL)
MAX_CHARACTERS = 10_000
KEPT = 5_000  # lines that were run
PREDICATES = (
    *("any nan", "any inf", "any non-finite", "gradient above ", "gradient below "),
    *("dead", "unmoved"),
)
# Arguments, after their kind, that end in an expression: a condition, or braces in a message.
IN_EXPRESSION = re.compile(r"(target .*\bif\s.*|target \S+\s.*\{[^}]*|stop-if \d+\s.*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of one line: the first name of its command, and the reply."""

    line: str
    word: str = ""
    reply: Reply = field(default_factory=Reply)

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer as lines of text."""
        return self.reply.lines

    @property
    def data(self) -> dict[str, Any]:
        """The answer as plain data."""
        return self.reply.data

    @property
    def ok(self) -> bool:
        """Whether it is no "no": False for an assertion that does not hold."""
        return self.reply.ok


class CommandLine:
    """Runs lines of commands on a debugger; ``ran`` has those that were, the last KEPT."""

    def __init__(self, debugger: Debugger) -> None:
        self.debugger = debugger
        self.ran: deque[str] = deque(maxlen=KEPT)
        self.count = 0  # of all that were run

    def run(self, line: str) -> Iterator[Progress | Result]:
        """Run a line: yields progress while it goes on, and in the end its Result.

        May be left at any yield. Raises CommandError with the column of what is wrong.
        """
        parsed = parse(line)
        if parsed is None:
            yield Result(line)
            return
        command, argument, count = parsed
        try:
            going = command.run(self.debugger, argument, count)
            if isinstance(going, Reply):
                reply = going
            else:
                reply = yield from going
        except CommandError:
            raise
        except GradstepError as problem:
            raise argument.reading(problem) from problem
        if reply.opened is not None:
            self.debugger = reply.opened
        self.ran.append(line)
        self.count += 1
        yield Result(line, command.names[0], reply)

    def leads(self, line: str) -> int | None:
        """The event that a line goes to; None where only running it tells. Changes nothing.

        Raises CommandError with the column of what is wrong.
        """
        parsed = parse(line)
        if parsed is None:
            return None
        command, argument, count = parsed
        if command.leads is None:
            return None
        try:
            return command.leads(self.debugger, argument, count)
        except CommandError:
            raise
        except GradstepError as problem:
            raise argument.reading(problem) from problem

    def execute(self, line: str) -> Result:
        """Run a line to its end; its Result. Raises CommandError."""
        *_, result = self.run(line)
        assert isinstance(result, Result)
        return result

    def complete(self, line: str, cursor: int | None = None) -> list[str]:
        """What the line up to the cursor may become; each answer can replace that part."""
        start = line if cursor is None else line[:cursor]
        match = re.match(r"\s*[+-]?\d*\s*", start)
        head = match.group() if match else ""
        word, blank, rest = start[len(head) :].partition(" ")
        if not blank:
            return [head + name for name in COMMANDS if name.startswith(word)]
        try:
            command = find_command(Argument(word))
        except CommandError:
            return []
        before = head + word + blank
        return [before + completed for completed in self._arguments(command, rest)]

    def _arguments(self, command: Command, text: str) -> list[str]:
        """What the argument of a command may become."""
        kind = command.completes
        names = lookup_names(self.debugger.run)
        if kind == "watch":
            return [watch for watch in self.debugger.watches if watch.startswith(text)]
        if kind == "condition":
            found = [each for each in PREDICATES if each.startswith(text)]
            return list(dict.fromkeys([*found, *complete_expression(text, names)]))
        if kind in ("expression", "assignment") or IN_EXPRESSION.fullmatch(f"{kind} {text}"):
            return complete_expression(text, names)
        head, last = re.match(r"(.*?)(\S*)$", text, re.DOTALL).groups()  # type: ignore[union-attr]
        if kind == "position" and (inside := re.match(r"i\d+:", last)):
            head, last = head + inside.group(), last[inside.end() :]
        return [head + word for word in self._words(kind) if word.startswith(last)]

    def _words(self, kind: str) -> list[str]:
        """The words that an argument of a kind may have."""
        debugger = self.debugger
        ops = every_op(debugger.run.timeline)
        exact = [op.key for op in ops]
        phases = [str(phase) for phase in every_phase(debugger.run.timeline)]
        layers = [op.layer for op in ops if op.layer]
        parts = [f"{op.layer}.{op.phase}" for op in ops if op.layer]
        marks = [f"'{name}" for name in debugger.bookmarks]
        stops = [str(stop.number) for stop in debugger.stops]
        found = {
            "target": [*phases, *layers, *parts, *(op.name for op in ops), *exact],
            "position": ["start", "end", *marks, *phases, *exact],
            "phase": [*phases, *exact, "always"],
            "stop": [*stops, "all"],
            "stop-if": stops,
            "branch": ["delete", *(branch.name for branch in debugger.session.branches)],
            "bookmark": list(debugger.bookmarks),
            "watch": list(debugger.watches),
            "info": list(TOPICS),
            "word": list(COMMANDS),
            "line": ["all", *(op.name for op in ops if "@" not in op.name)],
        }
        return list(dict.fromkeys(found.get(kind, [])))


# A key runs the same few lines again and again; what a line means depends on nothing else.
@lru_cache(maxsize=64)
def parse(line: str) -> tuple[Command, Argument, int] | None:
    """The command, argument and count of a line; None for a blank line or a comment.

    Raises CommandError for a word that is no command, and a count where none belongs.
    """
    if len(line) > MAX_CHARACTERS:
        shown = f"{line[:60]}…"
        raise CommandError(f"a command has at most {MAX_CHARACTERS} characters", 60, shown)
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    match = LINE.fullmatch(line)
    assert match is not None
    whole = Argument(line, 0, line)
    if match["count"] and not match["word"] and not match["rest"].strip():
        often = match["count"]
        raise whole.error(f"{often} of what? a step follows: {often}s, {often}n, {often}f")
    if not match["word"]:
        raise whole.part(match.end("count") if match["count"] else 0).error(
            "a command begins with a word; `help` lists them"
        )
    rest = match["rest"]
    if rest and not rest[0].isspace() and not rest.startswith("'"):
        at = match.end("word")
        raise CommandError(f"a blank is missing after {match['word']!r}", at, line)
    command = find_command(whole.part(match.start("word"), match.end("word")))
    argument = whole.part(match.start("rest"))
    if match["count"] is None:
        return command, argument, 1
    if not command.counted:
        message = f"{command.names[0]} takes no count before it"
        raise CommandError(message, match.start("count"), line)
    if argument:
        raise argument.error(f"there is a count already, {match['count']}")
    return command, argument, counted(match["count"])


def find_command(word: Argument) -> Command:
    """The command of a word or of an unambiguous beginning of one; a CommandError for others."""
    if word.text in COMMANDS:
        return COMMANDS[word.text]
    found = {name: each for name, each in COMMANDS.items() if name.startswith(word.text)}
    different = {command.names: command for command in found.values()}
    if len(different) == 1:
        return next(iter(different.values()))
    if found:
        raise word.error(f"{word.text!r} may be {' or '.join(found)}")
    raise word.error(f"no command {word.text!r}{suggestion(word.text, COMMANDS)}; try `help`")
