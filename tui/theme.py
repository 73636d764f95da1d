"""The two themes: colours by name; the style sheet and the panes only use the names."""

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
        "footer-key-foreground": "#ff9e64",
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
        "footer-key-foreground": "#a44a06",
    },
)
