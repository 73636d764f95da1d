"""What a command ends with: its exit status, and one message where it could not be served."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, TextIO

import click

from engine.errors import GradstepError
from tui.render.text.ascii import HANDLER
from tui.render.text.clean import clean

DONE, NO, REFUSED = 0, 1, 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
DEBUG = "GRADSTEP_DEBUG"


def status_of(command: Callable[[], int]) -> int:
    """Run a command; whatever it raises becomes one message on stderr and an exit status.

    A reader that closes the pipe early (``| head``) has all it wanted: that is status 0, unless the
    command answers with its status and so outlives it.
    """
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return refuse(usage(error))
    except GradstepError as error:
        return refuse(str(error))
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return DONE
    except OSError as error:
        drop_output()
        return refuse(f"{error.filename or 'output'}: {error.strerror or error}")
    except MemoryError as error:
        return refuse(f"not enough memory: {error}" if str(error) else "not enough memory")
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        said = f"{type(error).__name__}: {error}"
        return refuse(f"a mistake of gradstep itself: {said}\nrun it with {DEBUG}=1 to see where")
    return status


def refuse(message: str) -> int:
    """Say on stderr why a request cannot be served; the exit status of that."""
    complain(message)
    return REFUSED


def complain(message: str) -> None:
    """One message on stderr, whatever characters it holds."""
    with suppress(OSError):
        click.echo(f"gradstep: {clean(message, keep_newlines=True)}", err=True)


def usage(error: click.ClickException) -> str:
    """The message of a wrong command line, and where the right ones are explained."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = error.format_message()
    if context is None:
        return message
    return f"{message}\nsee: {context.command_path} --help"


def drop_output() -> None:
    """Let go of what is still buffered for a stdout that takes no more."""
    with suppress(OSError, ValueError, AttributeError):
        # Else the interpreter flushes at its exit and fails once more.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class Outliving(io.FileIO):
    """A raw output that goes on into nothing once nobody reads it."""

    def write(self, data: Any) -> int:
        """Write some bytes; all of them count as written where the reader is gone."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def outlive_reader() -> None:
    """Let the command go on to its status when the reader of stdout closes the pipe."""
    old = sys.stdout
    if old is None or not isinstance(old, io.TextIOWrapper) or old.isatty():
        return
    with suppress(OSError, ValueError):
        raw = Outliving(old.fileno(), "w", closefd=False)
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=old.encoding, errors=old.errors, line_buffering=False
        )


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """The nearest right word as a question, or nothing."""
    near = get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def tolerant(stream: TextIO | None) -> None:
    """Let a stream show characters that its encoding lacks, not fail on them.

    On a terminal they are the nearest ones in ASCII; elsewhere, where nothing may be lost, escapes.
    """
    reconfigure = getattr(stream, "reconfigure", None)
    if stream is not None and reconfigure is not None:
        reconfigure(errors=HANDLER if stream.isatty() else "backslashreplace")
