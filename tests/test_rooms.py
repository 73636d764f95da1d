"""The walls of the code: which room may import which, and who may divide by a number of ops."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sysconfig.get_path("scripts")) / "lint-imports"
LOADED = """
import importlib, pkgutil, sys
import engine
names = [m.name for m in pkgutil.walk_packages(engine.__path__, "engine.")]
for name in names:
    importlib.import_module(name)
print(len(names), *{"textual", "rich", "click", "tui", "torch"} & set(sys.modules))
"""
OPS = re.compile(r"len\([\w.]*\b(ops|listing)\)|\bops\b(?!\[)|period")
TIMELINE = Path("engine/run/timeline.py")  # where an event becomes an iteration and a place


def modules(package: str) -> list[Path]:
    """The files of a package, from the root."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The contracts, on the packages in a folder."""
    return subprocess.run(
        [LINT, "layers.toml", "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": str(LINT.parent), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_room_uses_only_the_rooms_below_it() -> None:
    done = lint(ROOT)
    contracts = tomllib.loads((ROOT / "layers.toml").read_text())["tool"]["importlinter"]
    assert f"Contracts: {len(contracts['contracts'])} kept, 0 broken." in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("engine/recording/export.py", "import textual"),
        ("engine/arrays.py", "def late() -> None:\n    import rich.text"),
        (
            "engine/run/op.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tui.app",
        ),
        ("engine/session/journal.py", "from engine.stops import stop"),
        ("engine/session/journal.py", "from engine.session import session"),
        ("tui/render/text/line.py", "import textual"),
        ("tui/view/find.py", "import tui.screens.main"),
    ],
)
def test_a_wrong_import_is_found_wherever_it_hides(module: str, line: str, tmp_path: Path) -> None:
    for package in ("engine", "tui"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "layers.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_every_module_of_the_engine_loads_without_the_interface() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    count, *loaded = done.stdout.split()
    packages = [path for path in modules("engine") if path.name == "__init__.py"]
    assert int(count) == len(modules("engine")) - 1  # the package itself is none of its modules
    assert len(packages) > 15
    assert loaded == []


def mentions_ops(node: ast.expr) -> bool:
    """Whether a number is how many ops there are: ``len(program.ops)``, ``len(listing)``."""
    return OPS.search(ast.unparse(node)) is not None


def divisions(path: Path) -> list[str]:
    """What a file divides by, or multiplies with, a number of ops."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.FloorDiv | ast.Div):
            wrong = mentions_ops(node.right)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            wrong = any(
                "len(" in ast.unparse(n) and mentions_ops(n) for n in (node.left, node.right)
            )
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            wrong = node.func.id == "divmod" and mentions_ops(node.args[-1])
        elif isinstance(node, ast.Assign):
            # A name for the number would hide it: only where it is no number of ops of a run.
            wrong = ast.unparse(node.value) in ("len(program.ops)", "len(self.program.ops)")
        else:
            continue
        if wrong:
            found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    return found


def test_nobody_but_the_timeline_divides_by_the_number_of_ops() -> None:
    assert len(divisions(TIMELINE)) > 5  # what the test looks for is there
    allowed = {"engine/session/history.py"}  # the mean cost of an event of the first iteration
    found = [
        line
        for package in ("engine", "tui")
        for path in modules(package)
        if path != TIMELINE
        for line in divisions(path)
        if line.partition(":")[0] not in allowed
    ]
    assert found == []


@pytest.mark.parametrize("package", ["engine", "tui"])
def test_the_floor_plan_shows_every_room_that_there_is(package: str) -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = plan.partition(f"\n### {package}, ")[2].partition("\n#")[0]
    first = (line.split("|")[1] for line in part.splitlines() if line.startswith("| `"))
    shown = re.findall(r"`([\w.]+)/?`", " ".join(first))
    rooms = {path.parts[1].removesuffix(".py") for path in modules(package)}
    assert sorted(name.removesuffix(".py") for name in shown) == sorted(
        rooms - {"__init__", "__main__"}
    )


GENERIC = ("engine/run", "engine/session", "engine/stops", "engine/words")
OF_PROGRAMS = ("network", "optimizer", "batches", "experiment", "program")


def test_rooms_of_any_run_ask_for_no_layers() -> None:
    """What steps, stops and answers works on a run that no experiment made."""
    found = []
    for path in (path for room in GENERIC for path in modules(room)):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in OF_PROGRAMS:
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert found == []
