"""The built-in experiments by name. Reading the list needs neither NumPy nor msgspec."""

from pathlib import Path

BUILTINS = Path(__file__).parent / "builtins"
DEFAULT = "regression"


def builtin_names() -> list[str]:
    """The names of the built-in experiments, the default first."""
    names = sorted(path.stem for path in BUILTINS.glob("*.toml"))
    return sorted(names, key=lambda name: name != DEFAULT)
