"""Tries the product with other versions: ``python -m tests.versions lowest 3.12 3.13``.

``lowest`` installs the lowest versions that pyproject.toml allows; a number is a Python, skipped
with a line where there is none. Each gets an environment of its own below ``.versions`` and runs
what a version can break: every engine room, the commands, a screen. Status 1 where one fails.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".versions"
SELECTED = (
    *("tests/engine/session", "tests/engine/functions", "tests/engine/recording"),
    *("tests/engine/words", "tests/engine/experiment", "tests/engine/expressions"),
    *("tests/tui/cli/test_group.py", "tests/tui/cli/test_show.py", "tests/tui/cli/test_train.py"),
    *("tests/tui/cli/test_status.py", "tests/tui/screens/test_stepping.py"),
)
PINNED = re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)")


def lowest() -> list[str]:
    """The run-time dependencies, each at the lowest version that is allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [PINNED.match(requirement) for requirement in project["dependencies"]]
    assert all(found), "a dependency has no lowest version"
    return [f"{match[1]}=={match[2]}" for match in found if match]


def interpreter(version: str) -> str | None:
    """A Python of this version, on the path or among pyenv's; None where there is none."""
    found = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    others = sorted(pyenv.glob(f"{version}.*/bin/python"))
    for python in (found, *map(str, others)):
        if (
            python
            and subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0
        ):
            return python
    return None


def tried(name: str) -> bool:
    """Whether the tests pass there; True, with a line, where there is no such Python."""
    python = sys.executable if name == "lowest" else interpreter(name)
    if python is None:
        print(f"{name}: no such Python here", flush=True)
        return True
    print(f"{name}: {python}", flush=True)
    folder = HOME / name
    own = folder / "bin" / "python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--editable", f"{ROOT}[test]"], check=True, cwd=ROOT)
    if name == "lowest":
        subprocess.run([*install, *lowest()], check=True)
    done = subprocess.run(
        [own, "-m", "pytest", "-q", "-n", "auto", *SELECTED], check=False, cwd=ROOT
    )
    return done.returncode == 0


def main() -> int:
    """Try all of them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("versions", nargs="+", metavar="VERSION")
    results = [tried(name) for name in parser.parse_args().versions]  # the others too, if one fails
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
