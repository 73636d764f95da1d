"""A text field that shows and holds no character that could steer the terminal."""

from textual.widgets import Input

from tui.render.text.clean import clean


class CleanInput(Input):
    """Whatever is typed, pasted, proposed or recalled: control and bidi characters are escapes."""

    def validate_value(self, value: str) -> str:
        """The text as it is shown everywhere else; Textual calls this before it sets the value."""
        return clean(value)
