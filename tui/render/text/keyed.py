"""Texts in which keys are named: each key stands out, and is the one that is really bound."""

import re
from collections.abc import Mapping

from tui.render.text.line import Line

COMMAND = re.compile(r"\{([a-z0-9-]+)\}")


def keyed(keys: Mapping[str, str], text: str, role: str = "dim") -> Line:
    """A text with the ids of commands in braces: ``{watch} watches an expression``."""
    parts = COMMAND.split(text)
    spans = [
        (keys.get(part, "") if odd % 2 else part, "key" if odd % 2 else role)
        for odd, part in enumerate(parts)
    ]
    return [(said, role) for said, role in spans if said]
