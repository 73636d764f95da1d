"""How the screen was left: its theme, the sizes of its panes, what stood in them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tui.keys.command import PANES
from tui.settings.folders import state_folder
from tui.settings.saved import read, write
from tui.settings.settings import THEMES

MOST_CELLS = 1000


@dataclass(frozen=True)
class Remembered:
    """The screen as it was left.

    ``theme`` was chosen over ``over``, that of the settings file: where that names another one by
    now, it is not chosen any more. ``sizes`` are cells by pane, ``inspector`` the pane beside the
    program, ``code`` the program as PyTorch, ``gradient`` the layout of derivatives.
    """

    theme: str = ""
    over: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    inspector: str = "tensor"
    code: bool = False
    gradient: bool = False

    def theme_over(self, named: str) -> str:
        """The theme to begin with, where the settings file names one."""
        return self.theme if self.theme in THEMES and self.over == named else named


def load_screen() -> Remembered:
    """How the screen was left; as it is at first where that is not known or makes no sense."""
    data = read(state_folder() / "screen.json")
    if not isinstance(data, dict):
        return Remembered()
    theme, over, sizes = data.get("theme"), data.get("over"), data.get("sizes")
    inspector = data.get("inspector")
    known = isinstance(inspector, str) and inspector in PANES and PANES[inspector].inspector
    return Remembered(
        theme if isinstance(theme, str) else "",
        over if isinstance(over, str) else "",
        {
            pane: size
            for pane, size in (sizes.items() if isinstance(sizes, dict) else ())
            if pane in PANES and type(size) is int and 0 < size <= MOST_CELLS
        },
        inspector if known and isinstance(inspector, str) else "tensor",
        data.get("code") is True,
        data.get("gradient") is True,
    )


def save_screen(screen: Remembered) -> None:
    """Save how the screen is left."""
    write(state_folder() / "screen.json", asdict(screen))
