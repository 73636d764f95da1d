"""The text of the tour, above the message line; it takes no room while there is none."""

from textual.widgets import Static


class TourLine(Static):
    """A text of one line or two."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)

    def show(self, text: str) -> None:
        """Show a text; an empty one takes the line away."""
        self.update(text)
        self.set_class(bool(text), "shown")
