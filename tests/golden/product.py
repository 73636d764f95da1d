"""What the corpus knows of the product: the only names of modules in it, the new place first."""

import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

# A name, and the modules that may have it: where it is after the move, then where it was.
PLACES = {
    "main": ("tui.cli",),
    "GradstepApp": ("tui.app",),
    "Session": ("engine.session.session", "engine.session"),
    "Debugger": ("engine.debugger",),
    "compile_program": ("engine.program.compiler", "engine.program"),
    "load_experiment": ("engine.experiment.reader", "engine.experiment"),
}


def find(name: str) -> Any:
    """A part of the product, wherever it is."""
    for place in PLACES[name]:
        try:
            return getattr(importlib.import_module(place), name)
        except (ModuleNotFoundError, AttributeError) as problem:
            if isinstance(problem, ModuleNotFoundError) and not missing(problem, place):
                raise
    raise ImportError(f"{name} is in none of {', '.join(PLACES[name])}")


def missing(problem: ModuleNotFoundError, place: str) -> bool:
    """Whether it is the place itself that is not there, not something that it imports."""
    return f"{place}.".startswith(f"{problem.name}.")


def use(tree: Path) -> None:
    """Import the product from a tree, and from no other; an error where that fails."""
    os.environ["PYTHONPATH"] = str(tree)  # for the commands that have a process of their own
    sys.path.insert(0, str(tree))
    for package in ("engine", "tui"):
        file = importlib.import_module(package).__file__ or ""
        if not Path(file).resolve().is_relative_to(tree.resolve()):
            raise ImportError(f"{package} comes from {file}, not from {tree}")


def root() -> Path:
    """The tree that the product comes from."""
    return Path(importlib.import_module("engine").__file__ or "").resolve().parents[1]


def application(experiment: str) -> Any:
    """The debugger on an experiment, to be opened in a test."""
    program = find("compile_program")(find("load_experiment")(experiment))
    session = find("Session")(program)
    with contextlib.suppress(ImportError):  # the screen held the session itself
        session = find("Debugger")(session)
    return find("GradstepApp")(session)


def busy(app: Any) -> bool:
    """Whether the debugger is still opening, or moves in the background."""
    main = app.main
    job = main.job if hasattr(main, "job") else main.long_run  # as it was called first
    return not main.whole or job is not None or bool(app.typed_ahead)
