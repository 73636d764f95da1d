"""Arguments and options that several commands share."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import click

UNITS = {"": 1, "B": 1} | {
    f"{prefix}{infix}B": base ** (power + 1)
    for power, prefix in enumerate("KMGT")
    for infix, base in (("i", 1024), ("", 1000))
}
SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)\s*([a-z]*)\Z", re.IGNORECASE)
DEFAULT_HISTORY = "256MiB"
MOST_ITERATIONS = 2**40
F = TypeVar("F", bound=Callable[..., Any])


def byte_size(text: str) -> int:
    """The bytes of a size with or without a unit: 256MiB, 1.5GB, 4096. At least 1.

    Raises ValueError with what to write instead.
    """
    units = {unit.lower(): factor for unit, factor in UNITS.items()}
    found = SIZE.match(text.strip())
    unit = found[2].lower() if found else ""
    size = int(Decimal(found[1]) * units[unit]) if found and unit in units else 0
    if size < 1:
        raise ValueError(f"{text!r} is not a size like {DEFAULT_HISTORY}, 1GiB or 500MB")
    return size


def size_option(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The bytes that an option asks for; None where it is not given."""
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
    """--iterations N, from 1."""
    return click.option(
        "--iterations",
        type=click.IntRange(1, MOST_ITERATIONS),
        default=default,
        show_default=default is not None,
        metavar="N",
        help=text,
    )
