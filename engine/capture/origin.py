"""Where a command comes from: what is written down of it beside its arguments."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from engine.capture.writer import Command

PATIENCE: Final = 2.0  # seconds that git may take
SHOWN: Final = 20  # changed files that are named


def started(name: str, arguments: Sequence[str], options: Mapping[str, Any]) -> Command:
    """A command that is about to be started here, with the state of its git repository.

    ``options`` are those of the capture itself, as plain data.
    """
    directory = Path.cwd()
    facts: dict[str, Any] = {"capture": dict(options)}
    found = git_state(directory)
    if found is not None:
        facts["git"] = found
    return Command(name, tuple(arguments), str(directory), facts)


def git_state(directory: Path) -> dict[str, Any] | None:
    """The commit that is checked out, and which files differ from it; None outside of git."""
    commit = git(directory, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = (git(directory, "status", "--porcelain", "--untracked-files=no") or "").splitlines()
    return {
        "commit": commit.strip(),
        "changed": [line[3:] for line in changed[:SHOWN]],
        "changed_files": len(changed),
    }


def git(directory: Path, *words: str) -> str | None:
    """What git says; None where there is none, or it does not answer in time."""
    try:
        found = subprocess.run(
            ("git", "-C", str(directory), *words),
            capture_output=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.decode("utf-8", "replace") if found.returncode == 0 else None
