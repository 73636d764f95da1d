"""A click group whose commands are imported only when they are run."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from tui.cli.status import did_you_mean, outlive_reader, status_of, tolerant

COMPLETION = "_GRADSTEP_COMPLETE"
# Objects between two looks for garbage, and how many looks at the young make one at the older: what
# a command imports is none, and looking through it takes as long as a tenth of the imports.
SELDOM = (10_000, 50, 100)


@dataclass(frozen=True)
class Lazy:
    """Where a command is, ``module:name``, and the line about it in the list of commands.

    One that ``answers`` yes or no with its status does so also where nobody reads its output.
    """

    target: str
    summary: str
    answers: bool = False

    def load(self) -> click.Command:
        """The command; its module is imported now."""
        module, _, name = self.target.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


class LazyGroup(click.Group):
    """Commands by name, each a Lazy; every end is a message and an exit status."""

    def __init__(self, lazy: Mapping[str, Lazy], **settings: Any) -> None:
        super().__init__(**settings)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; its module is imported now."""
        found = self.lazy.get(cmd_name)
        return found.load() if found else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a UsageError names the nearest one."""
        name = args[0]
        if name not in self.lazy and not name.startswith("-"):
            if is_thing(name):
                from tui.cli.opening import thing_command

                return name, thing_command, args
            raise click.UsageError(f"no command {name!r}, and no such file{self.hint(name)}", ctx)
        return super().resolve_command(ctx, args)

    def hint(self, name: str) -> str:
        """What was meant by a word that is no command: the nearest command or built-in."""
        from engine.experiment.builtins import builtin_names

        return did_you_mean(name, [*self.lazy, *builtin_names()])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self.lazy.items()])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str = "gradstep", **extra: Any
    ) -> NoReturn:
        """Parse and run a command line, and exit with its status; sys.argv by default."""
        if COMPLETION in os.environ:  # a shell asks for completions: click answers and exits
            super().main(args, prog_name, COMPLETION, **extra)
        gc.set_threshold(*SELDOM)
        tolerant(sys.stdout)
        tolerant(sys.stderr)
        words = list(sys.argv[1:] if args is None else args)
        found = self.lazy.get(words[0]) if words else None
        if found is not None and found.answers:
            outlive_reader()

        def command() -> int:
            with self.make_context(prog_name, words, **extra) as ctx:
                result = self.invoke(ctx)
            return result if isinstance(result, int) else 0

        sys.exit(status_of(command))


def is_thing(word: str) -> bool:
    """Whether a word that is no command is the name of something that there is to open."""
    from engine.experiment.builtins import builtin_names

    known = (".toml", ".csv", ".tsv", ".gradstep", ".py")
    return word in builtin_names() or word.lower().endswith(known) or os.path.exists(word)
