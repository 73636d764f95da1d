"""The lessons that come with gradstep, by name."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "files"
SUFFIX = ".lesson"
FIRST = "homework"  # begins what stands first in a list


def shipped_names() -> list[str]:
    """Their names."""
    names = sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}"))
    return sorted(names, key=lambda name: not name.startswith(FIRST))


def shipped_path(name: str) -> Path:
    """The file of a lesson by its name; any other name is a path."""
    return SHIPPED / f"{name}{SUFFIX}" if name in shipped_names() else Path(name)


def name_of(file: str) -> str:
    """What a lesson is opened by: the name of one that comes along, else its path."""
    path = Path(file)
    return path.stem if path.parent == SHIPPED else file


def described(name: str) -> str:
    """What a lesson says of itself: its first line, a comment."""
    with (SHIPPED / f"{name}{SUFFIX}").open(encoding="utf-8") as file:
        return file.readline().strip().removeprefix("#").strip()
