"""Arguments and options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tui.settings.sizes import DEFAULT_HISTORY, byte_size

MOST_ITERATIONS = 2**40
F = TypeVar("F", bound=Callable[..., Any])


def size_option(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Callback of an option for a size: its bytes, None where it is not given.

    Raises BadParameter where it is no size.
    """
    try:
        return None if value is None else byte_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


experiment_argument = click.argument("experiment")
json_option = click.option("--json", "as_json", is_flag=True, help="Strict JSON on stdout.")
history_option = click.option(
    "--history",
    "budget",
    callback=size_option,
    default=DEFAULT_HISTORY,
    show_default=True,
    metavar="SIZE",
    help="Memory for going back, as 256MiB or 1GB.",
)


own_history_option = click.option(
    "--history",
    "budget",
    callback=size_option,
    metavar="SIZE",
    help=f"Memory for going back.  [default: the settings file's, or {DEFAULT_HISTORY}]",
)


def iterations_option(text: str, default: int | None = None) -> Callable[[F], F]:
    """The option --iterations N, from 1; ``text`` is its help."""
    return click.option(
        "--iterations",
        type=click.IntRange(1, MOST_ITERATIONS),
        default=default,
        show_default=default is not None,
        metavar="N",
        help=text,
    )
