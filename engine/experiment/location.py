"""The file behind the name of an experiment: a built-in one, or a path."""

from pathlib import Path

from engine.errors import GradstepError
from engine.experiment.builtins import BUILTINS, builtin_names
from engine.wording import nearest

TABLE_REMEDY = (
    "a table and no experiment: gradstep new FILE.toml --csv TABLE --target COLUMN makes one"
)
NO_EXPERIMENTS = {
    ".csv": TABLE_REMEDY,
    ".tsv": TABLE_REMEDY,
    ".py": "a script and no experiment: an experiment is a .toml file or a built-in's name",
}


def experiment_path(name: str) -> Path:
    """The file behind a built-in name or a path; a GradstepError when there is none."""
    if name in builtin_names():
        return BUILTINS / f"{name}.toml"
    path = Path(name)
    if is_there(path) and path.suffix.lower() in NO_EXPERIMENTS:
        raise GradstepError(f"{name}: {NO_EXPERIMENTS[path.suffix.lower()]}")
    if path.suffix == ".toml" or is_there(path):
        return path
    raise GradstepError(
        f"{name}: neither a built-in experiment nor a .toml file; {nearest(name, builtin_names())}"
    )


def is_there(path: Path) -> bool:
    """Whether a path exists; one that cannot even be asked for does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
