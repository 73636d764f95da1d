"""The two themes, and how they look in 16 colours; style sheet and panes only use the names.

A terminal of 16 colours gets exactly the values that are rounded to one of its own: colours that
differ in a theme would otherwise become the same one, or one that cannot be read on its ground.
"""

from textual.theme import Theme

DARK = Theme(
    name="gradstep-dark",
    primary="#7aa2f7",
    secondary="#9aa5ce",
    accent="#ff9e64",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#c8d0f0",
    background="#16161e",
    surface="#1a1b26",
    panel="#24263a",
    dark=True,
    variables={
        "phase-zero_grad": "#8b95b8",
        "phase-forward": "#7dcfff",
        "phase-loss": "#e0af68",
        "phase-backward": "#c099ff",
        "phase-update": "#9ece6a",
        "pill-text": "#16161e",
        "faint": "#8a93b8",
        "shape": "#73daca",
        "edge": "#3b4261",
    },
)

LIGHT = Theme(
    name="gradstep-light",
    primary="#2e5fc4",
    secondary="#5a6484",
    accent="#a44a06",
    warning="#8a5a00",
    error="#b3173a",
    success="#2f6f1e",
    foreground="#22283a",
    background="#f6f7fb",
    surface="#ffffff",
    panel="#e6e9f3",
    dark=False,
    variables={
        "phase-zero_grad": "#5a6484",
        "phase-forward": "#006c9c",
        "phase-loss": "#8a5a00",
        "phase-backward": "#6a35b8",
        "phase-update": "#2f6f1e",
        "pill-text": "#ffffff",
        "faint": "#5a6487",
        "shape": "#0b6b5f",
        "edge": "#b9c0d8",
    },
)

# The 16 colours as they are rounded to; what a terminal makes of them is its own affair.
BLACK, RED, BLUE, MAGENTA, SILVER = "#000000", "#aa0000", "#0000aa", "#aa00aa", "#aaaaaa"
GREY, CORAL, LIME, YELLOW = "#555555", "#ff5555", "#55ff55", "#ffff55"
PINK, CYAN, WHITE = "#ff55ff", "#55ffff", "#ffffff"

DARK_16 = Theme(
    name="gradstep-dark-16",
    primary=CYAN,
    secondary=SILVER,
    accent=YELLOW,
    warning=YELLOW,
    error=CORAL,
    success=LIME,
    foreground=WHITE,
    background=BLACK,
    surface=BLACK,
    panel=BLACK,
    dark=True,
    variables={
        "phase-zero_grad": SILVER,
        "phase-forward": CYAN,
        "phase-loss": YELLOW,
        "phase-backward": PINK,
        "phase-update": LIME,
        "pill-text": BLACK,
        "faint": SILVER,
        "shape": CYAN,
        "edge": GREY,
    },
)

LIGHT_16 = Theme(
    name="gradstep-light-16",
    primary=BLUE,
    secondary=BLACK,
    accent=RED,
    warning=RED,
    error=RED,
    success=BLUE,
    foreground=BLACK,
    background=WHITE,
    surface=WHITE,
    panel=WHITE,
    dark=False,
    variables={
        "phase-zero_grad": BLACK,
        "phase-forward": BLUE,
        "phase-loss": RED,
        "phase-backward": MAGENTA,
        "phase-update": BLACK,
        "pill-text": WHITE,
        "faint": BLACK,
        "shape": BLUE,
        "edge": SILVER,
    },
)

THEMES = (DARK, LIGHT, DARK_16, LIGHT_16)
FEW_COLOURS = ("standard", "windows")  # what the terminal's colours are called where they are 16


def fitting(theme: str, colours: str | None) -> str:
    """The name of a theme's variant for Rich's colour system ``colours`` (None: no colours)."""
    return f"{theme}-16" if colours in FEW_COLOURS else theme
