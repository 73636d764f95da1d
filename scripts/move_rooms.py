"""The move of every module into its room: renames and imports, no other line.

Run once from the root of a clean checkout: ``python scripts/move_rooms.py && ruff check --fix . &&
ruff format .``. moves.tsv has the modules, old and new; test_moves.tsv the tests, each by the
path from the folder that it is in.
"""

# ruff: noqa: E501

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
DOTTED = re.compile(r"(?<![\w./-])(?:engine|tui|tests\.engine)(?:\.[a-z_]\w*)+")
FROM = re.compile(
    r"^( *)from (engine|tui|tui\.[a-z]+) import ([a-z_]+(?: as \w+)?(?:, [a-z_]+(?: as \w+)?)*)$",
    re.MULTILINE,
)
DOCSTRINGS = {
    "engine/chain": "The chain rule between two tensors.",
    "engine/experiment": "The experiment: all that determines a run, read from files.",
    "engine/expressions": "The safe language of conditions and watches.",
    "engine/formulas": "Formulas as trees: text, LaTeX, element rules.",
    "engine/jacobian": "Jacobians as lazy operators, of nothing in particular.",
    "engine/measure": "What can be measured of a run: metrics, norms, series, costs, gradients.",
    "engine/nn": "Layers and losses, their parameters and initial values.",
    "engine/optim": "Optimizers, learning-rate schedules and gradient clipping.",
    "engine/program": "An experiment compiled into the ops of one iteration.",
    "engine/pytorch": "An experiment as PyTorch code.",
    "engine/run": "A run as everybody sees it: phases, ops, positions, events.",
    "engine/session": "A cursor in a run that goes both ways: history, journal, branches.",
    "engine/stops": "Stops and watches: where a run is to halt, and what is looked at.",
    "engine/words": "The words of the command line of the debugger.",
    "engine/worksheet": "The tables of a backpropagation homework, made from the network.",
    "tui/control": "What the screen has: long runs, playing, recording, counts.",
    "tui/keys": "Every key, and what the panes tell the screen.",
    "tui/panes": "The panes: thin shells over pure renderers, one module each.",
    "tui/render/charts": "Pure renderers of curves and heat maps.",
    "tui/render/reports": "Pure renderers of whole reports for the command line.",
    "tui/render/text": "Text, numbers and lines: what every renderer is made of.",
    "tui/settings": "A person's settings, and what is kept between runs.",
    "tui/view": "What is shown: one frozen snapshot, and how a tensor is looked at.",
    "tui/widgets": "What panes are made of.",
}

REWRAPPED = {  # two lines that became too long
    """nothing. Whoever runs it decides
what becomes of the result: :func:`engine.run.event.advance` makes a new State, a Session its history.
""": """nothing. Whoever runs it decides
what becomes of the result: :func:`engine.run.event.advance` makes a new State, a Session its
history.
""",
    """    assert {"tui.render.text.line", "tui.render.status", "engine.session.session"} <= set(done.stdout.split())
""": """    loaded = {"tui.render.text.line", "tui.render.status", "engine.session.session"}
    assert loaded <= set(done.stdout.split())
""",
}


def table(name: str) -> dict[str, str]:
    """Two columns of a file beside this one."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


def file_of(module: str) -> Path:
    """The file of a module of today."""
    path = ROOT.joinpath(*module.split("."))
    return (
        path / "__init__.py"
        if path.is_dir() and (path / "__init__.py").exists()
        else path.with_suffix(".py")
    )


def renamed(match: re.Match[str], moves: dict[str, str]) -> str:
    """A dotted name with its longest module part in its new place."""
    parts = match[0].split(".")
    for end in range(len(parts), 1, -1):
        if (module := ".".join(parts[:end])) in moves:
            return ".".join([moves[module], *parts[end:]])
    return match[0]


def imported(match: re.Match[str], moves: dict[str, str]) -> str:
    """``from engine import flow`` and its like, a line for each module that has moved."""
    indent, package, names = match.groups()
    lines, left = [], []
    for clause in names.split(", "):
        name, _, given = clause.partition(" as ")
        new = moves.get(f"{package}.{name}")
        if new is None:
            left.append(clause)
            continue
        above, _, leaf = new.rpartition(".")
        known = given or name
        lines.append(
            f"{indent}from {above} import {leaf}" + (f" as {known}" if leaf != known else "")
        )
    if left:
        lines.insert(0, f"{indent}from {package} import {', '.join(left)}")
    return "\n".join(lines)


def deeper(text: str, old: Path, new: Path) -> str:
    """The text of a test with the way to the root from its new folder."""
    more = len(new.relative_to(ROOT).parts) - len(old.relative_to(ROOT).parts)
    return re.sub(
        r"Path\(__file__\)\.parents\[(\d)\]",
        lambda match: f"Path(__file__).parents[{int(match[1]) + more}]",
        text,
    )


def git(*words: str) -> None:
    """One git command in the checkout."""
    subprocess.run(["git", *words], cwd=ROOT, check=True)


def git_move(old: Path, new: Path) -> None:
    """A file to its new place."""
    if old != new:
        new.parent.mkdir(parents=True, exist_ok=True)
        git("mv", str(old.relative_to(ROOT)), str(new.relative_to(ROOT)))


def main() -> None:
    """Names first, then files."""
    moves = table("moves.tsv")
    tests = {ROOT / old: (ROOT / old).parent / new for old, new in table("test_moves.tsv").items()}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix not in (".py", ".md", ".toml", "", ".tcss") or name.startswith("scripts/"):
            continue
        text = path.read_text(encoding="utf-8")
        new = DOTTED.sub(lambda match: renamed(match, moves), text)
        new = FROM.sub(lambda match: imported(match, moves), new)
        if path in tests:
            new = deeper(new, path, tests[path].resolve())
        for long, wrapped in REWRAPPED.items():
            new = new.replace(long, wrapped)
        if new != text:
            path.write_text(new, encoding="utf-8")
    git("rm", "-q", "-f", "tui/headless/__init__.py")
    git_move(ROOT / "tui/cli.py", ROOT / "tui/cli_.py")
    for old, new in moves.items():
        if old.startswith("tests") or old in ("tui.headless", "tui.cli"):
            continue
        source = file_of(old)
        target = ROOT.joinpath(*new.split(".")).with_suffix(".py")
        git_move(source, target)
    git_move(ROOT / "tui/cli_.py", ROOT / "tui/cli/__init__.py")
    git_move(ROOT / "engine/builtins", ROOT / "engine/experiment/builtins")
    for old_path, new_path in tests.items():
        git_move(old_path, new_path.resolve())
    for folder, docstring in DOCSTRINGS.items():
        (ROOT / folder / "__init__.py").write_text(f'"""{docstring}"""\n', encoding="utf-8")
    git("add", "-A", "engine", "tui", "tests")


if __name__ == "__main__":
    main()
