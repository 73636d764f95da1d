"""The console of rich, which takes every string as it is."""

from rich.console import Console


class PlainConsole(Console):
    """No markup, no emoji codes, no highlighting; colours by NO_COLOR and the terminal.

    A pipe is 80 columns wide unless COLUMNS says otherwise.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, highlight=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Leave a closed pipe to the command line, which has one status for it."""
        raise BrokenPipeError  # Rich itself would exit with status 1
