"""Whose Python runs a script: the person's, and not gradstep's own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from engine.errors import GradstepError

OLDEST = (3, 9)
PATIENCE = 60.0  # seconds for an interpreter to say what it has
# What stands in the way of an import is for the script to find; here nothing is imported.
ASKED = """
import sys
from importlib.util import find_spec
print(*sys.version_info[:2], find_spec("torch") is not None)
"""


def own() -> Path:
    """Where gradstep's own interpreter is."""
    return Path(sys.executable).absolute().parent


def choose(script: Path | None, given: str | None, environment: Mapping[str, str]) -> str:
    """The interpreter for a script: the one that is given, else that of the active environment,
    else of a ``.venv`` beside the script, else ``python3`` on the PATH.

    Raises GradstepError where there is none.
    """
    if given is not None:
        found = shutil.which(given, path=environment.get("PATH"))
        if found is None:
            raise GradstepError(f"--python {given}: there is no such interpreter")
        return os.path.abspath(found)
    active = environment.get("VIRTUAL_ENV")
    places = [Path(active) / "bin"] if active else []
    if script is not None:
        places.append(script.absolute().parent / ".venv" / "bin")
    for place in places:
        python = place / "python"
        if place.absolute() != own() and os.access(python, os.X_OK):
            return str(python.absolute())
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in folders if folder and Path(folder).absolute() != own()]
    for name in ("python3", "python"):
        found = shutil.which(name, path=os.pathsep.join(others))
        if found is not None:
            return os.path.abspath(found)
    raise GradstepError("there is no python3 on the PATH; name one with --python")


def check_torch(python: str, environment: Mapping[str, str]) -> None:
    """GradstepError unless an interpreter is recent enough and has torch, which is not imported."""
    try:
        done = subprocess.run(
            [python, "-c", ASKED],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise GradstepError(f"{python}: does not run ({problem})") from None
    words = done.stdout.split()[-3:]
    if done.returncode != 0 or len(words) != 3 or not (words[0] + words[1]).isdigit():
        raise GradstepError(f"{python}: does not run as a Python interpreter")
    version = int(words[0]), int(words[1])
    if version < OLDEST:
        raise GradstepError(
            f"{python} is Python {version[0]}.{version[1]}; capturing needs 3.9 or newer: "
            "name another with --python"
        )
    if words[2] != "True":
        raise GradstepError(
            f"{python} has no torch; name the Python that runs your script with --python"
        )
