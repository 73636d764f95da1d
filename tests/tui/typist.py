"""A person at the prompt of the screen."""

from tests.tui.screen import Opened


def fill(shown: Opened, text: str) -> None:
    """Put a text into the prompt, the cursor behind it."""
    field = shown.main.prompt.field
    field.value = text
    field.cursor_position = len(text)


async def answer(shown: Opened, text: str) -> None:
    """Give a prompt that is open its text, and press Enter."""
    assert shown.main.has_class("asking"), "no prompt is open"
    fill(shown, text)
    await shown.press("enter")


async def run_line(shown: Opened, *lines: str) -> None:
    """Lines at the command line."""
    for line in lines:
        await shown.press("colon")
        await answer(shown, line)


def said(shown: Opened) -> str:
    """What the console holds."""
    return "\n".join(text for text, _ in shown.main.console.said)


def note(shown: Opened) -> str:
    """What the message line says."""
    return shown.main.view.note if shown.main.view is not None else ""
