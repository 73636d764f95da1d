"""The walls of the code: which room may import which, and who may divide by a number of ops."""

import ast
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from enum import Enum, auto
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
TIMELINE = Path("engine/run/timeline.py")  # where an event becomes an iteration and a place
# The cost of an event of the first iteration, on average: no event becomes an iteration by it.
MEAN_COST = (Path("engine/session/history.py"), "written // max(1, len(listing))")


# Runs in the process of somebody's script, with whatever Python and torch are there; is no part of
# the package for anybody here.
INJECTED = Path("engine/capture/inject")
OLDEST = (3, 9)  # Python that it must run on


def modules(package: str) -> list[Path]:
    """The files of a package, from the root."""
    found = sorted(path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))
    return [path for path in found if INJECTED not in path.parents]


def injected() -> list[Path]:
    """The files of the tracer."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / INJECTED).rglob("*.py"))


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


def imported(source: str) -> set[str]:
    """The packages that a file for the oldest Python imports, by their first names."""
    found = set()
    for node in ast.walk(ast.parse(source, feature_version=OLDEST)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str() as module, level=0):
                found.add(module.partition(".")[0])
            case ast.ImportFrom():
                found.add(".")
    return found


def test_the_tracer_imports_nothing_but_the_standard_library() -> None:
    """Nothing of ours, nothing that is not there; torch is handed to it, never imported early."""
    assert len(injected()) > 20
    found = {name for path in injected() for name in imported(text_of(path))}
    assert found - sys.stdlib_module_names == {"gradstep_tracer"}


def test_nothing_here_imports_the_tracer() -> None:
    sources = [text_of(path) for package in ("engine", "tui") for path in modules(package)]
    assert not [source for source in sources if "import gradstep_tracer" in source]
    assert not (ROOT / INJECTED / "__init__.py").exists()  # it is no package of engine


def test_the_files_of_the_tracer_are_short() -> None:
    assert [path for path in injected() if text_of(path).count("\n") > 400] == []


class Kind(Enum):
    """What an expression holds, as far as the mapping of events to iterations goes."""

    NUMBER = auto()  # of the ops of an iteration, or an event made with one
    OPS = auto()  # of one iteration
    LISTINGS = auto()  # of several iterations
    END = auto()  # the event after the last one
    ITERATIONS = auto()  # how many there are


Known = dict[str, Kind]
"""What names, and attributes by their text, hold."""

BY_NAME = {
    "ops": Kind.OPS,
    "listing": Kind.OPS,
    "listings": Kind.LISTINGS,
    "end": Kind.END,
    "length": Kind.END,
    "iterations": Kind.ITERATIONS,
    "period": Kind.NUMBER,
}
MAKES_OPS = ("listing", "every_op")
THE_SAME = ("abs", "float", "int", "int64", "list", "max", "min", "round", "tuple")
SHARES = ("divmod", "divide", "floor_divide", "fmod", "mod", "remainder", "true_divide")
BARE = re.compile(r"\bops\b(?!\[)")  # a parameter that says no more
MOST_NAMES = 9  # that a number is handed on by
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def last_name(node: ast.AST) -> str:
    """The name of a variable, or of an attribute of anything."""
    return getattr(node, "id", None) or getattr(node, "attr", None) or ""


def kind(node: ast.AST, known: Known) -> Kind | None:
    """What an expression holds."""
    match node:
        case ast.Name() | ast.Attribute():
            by_name = BY_NAME.get(last_name(node).strip("_"))
            return known.get(ast.unparse(node), by_name)
        case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
            return Kind.OPS if kind(value, known) is Kind.LISTINGS else None
        case ast.Call():
            return kind_of_call(node, known)
        case ast.BinOp(left=left, op=op, right=right):
            if is_mean(node, known) or is_distance(node):
                return Kind.NUMBER
            # Half of a number is one, and an event that it is added to; a remainder is neither.
            parts = [left, right] if isinstance(op, ast.Add | ast.Sub | ast.Mult) else [left]
            found = None if isinstance(op, ast.Mod) else first_kind(parts, known)
            return found if found is Kind.NUMBER else None
        case ast.UnaryOp(operand=part) | ast.NamedExpr(value=part):
            parts = [part]
        case ast.IfExp():
            parts = [node.body, node.orelse]
        case ast.BoolOp():
            parts = node.values
        case _:
            return None
    return first_kind(parts, known)


def kind_of_call(node: ast.Call, known: Known) -> Kind | None:
    """What a call returns."""
    name = last_name(node.func)
    if name in MAKES_OPS:
        return Kind.OPS
    if name == "__len__" and isinstance(node.func, ast.Attribute):
        return Kind.NUMBER if kind(node.func.value, known) is Kind.OPS else None
    if name == "len":
        return Kind.NUMBER if first_kind(node.args, known) is Kind.OPS else None
    return first_kind(node.args, known) if name in THE_SAME else None


def first_kind(nodes: list[ast.expr], known: Known) -> Kind | None:
    """What any of some expressions holds; a number of ops above all."""
    kinds = [found for node in nodes if (found := kind(node, known))]
    return Kind.NUMBER if Kind.NUMBER in kinds else next(iter(kinds), None)


def mentions(node: ast.AST, wanted: Kind, known: Known) -> bool:
    """Whether anything within an expression holds this."""
    return any(kind(part, known) is wanted for part in ast.walk(node))


def bindings(node: ast.AST, known: Known) -> Iterator[tuple[ast.expr, Kind | None]]:
    """The targets that a statement, a walrus or a loop gives something to, and what that is."""
    match node:
        case ast.Assign(targets=targets, value=value):
            pairs = [(target, value) for target in targets]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            pairs = [(target, value)]
        case ast.NamedExpr(target=target, value=value):
            pairs = [(target, value)]
        case ast.For(target=target, iter=way) | ast.comprehension(target=target, iter=way):
            yield target, Kind.OPS if kind(way, known) is Kind.LISTINGS else None
            return
        case _:
            return
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, part in zip(target.elts, value.elts, strict=False):
                yield one, kind(part, known)
        else:
            yield target, kind(value, known)


def inside(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module or function; a function within it stands for all that it has."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, FUNCTIONS):
            yield from inside(node)


def scopes(
    scope: ast.AST, outer: Known, attributes: Known
) -> Iterator[tuple[list[ast.AST], Known]]:
    """The nodes of a module or function and of each within it, with what is known to them.

    What attributes hold is the same in the whole file, and written down in ``attributes``.
    """
    nodes = list(inside(scope))
    shadowed = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own = {name: held for name, held in outer.items() if name not in shadowed}
    for _ in range(MOST_NAMES):
        known = own | attributes
        for node in nodes:
            for target, held in bindings(node, known):
                text = ast.unparse(target)
                where = attributes if "." in text else own
                if held and where.get(text) is not Kind.NUMBER:
                    where[text] = held
        if own | attributes == known:
            break
    yield nodes, own | attributes
    for node in nodes:
        if isinstance(node, FUNCTIONS):
            yield from scopes(node, own, attributes)


def is_mean(node: ast.AST, known: Known) -> bool:
    """Whether the end of a run is divided by its iterations."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div | ast.FloorDiv)
        and mentions(node.left, Kind.END, known)
        and mentions(node.right, Kind.ITERATIONS, known)
    )


def is_distance(node: ast.BinOp) -> bool:
    """Whether this is how far one iteration begins after another."""
    ends = (node.left, node.right)
    return isinstance(node.op, ast.Sub) and all(
        isinstance(end, ast.Call) and last_name(end.func) == "begin" for end in ends
    )


def is_scaled(node: ast.AST, known: Known) -> bool:
    """Whether something is divided by, multiplied with or walked by a number of ops."""

    def number(part: ast.AST) -> bool:
        return mentions(part, Kind.NUMBER, known)

    def divisor(part: ast.AST) -> bool:
        return number(part) or BARE.search(ast.unparse(part)) is not None

    match node:
        case (
            ast.BinOp(left=left, op=ast.Mult(), right=right)
            | ast.AugAssign(target=left, op=ast.Mult(), value=right)
        ):
            return number(left) or number(right)
        case (
            ast.BinOp(op=ast.Mod() | ast.FloorDiv() | ast.Div(), right=right)
            | ast.AugAssign(op=ast.Mod() | ast.FloorDiv() | ast.Div(), value=right)
        ):
            return divisor(right) or is_mean(node, known)
        case ast.Call(func=func, args=[first, second, *rest]):
            match last_name(func):
                case "multiply":
                    return number(first) or number(second)
                case "range" | "arange":
                    return any(number(step) for step in rest)
                case name:
                    return name in SHARES and divisor(second)
        case ast.Slice(step=ast.expr() as step):
            return number(step)
    return False


def divisions(source: str) -> list[tuple[int, str]]:
    """What a file divides by, or multiplies with, a number of ops: the lines and expressions."""
    tree, attributes = ast.parse(source), Known()
    list(scopes(tree, {}, attributes))  # an attribute may be used above the method that sets it
    found = {
        (node.lineno, ast.unparse(node))
        for nodes, known in scopes(tree, {}, attributes)
        for node in nodes
        if isinstance(node, ast.expr | ast.stmt) and is_scaled(node, known)
    }
    return sorted(found)


def text_of(path: Path) -> str:
    """The source of a module."""
    return (ROOT / path).read_text(encoding="utf-8")


def test_nobody_but_the_timeline_divides_by_the_number_of_ops() -> None:
    assert len(divisions(text_of(TIMELINE))) > 5  # what the test looks for is there
    found = [
        f"{path}:{line}: {text}"
        for package in ("engine", "tui")
        for path in modules(package)
        if path != TIMELINE
        for line, text in divisions(text_of(path))
        if (path, text) != MEAN_COST
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "n = len(session.listing)\nevent % n",
        "count = len(session.listing.ops)\nevent // count",
        "n = len(timeline.listing(0))\nit * n",
        "n: int = max(1, len(listing))\nevent / n",
        "here, n = session.event, len(session.listing)\ndivmod(here, n)",
        "event % (n := len(session.listing))",
        "if (n := len(listing)) > 1:\n    it * n",
        "ops = session.listing.ops\nn = len(ops)\nlast = n - 1\nevent % (last + 1)",
        "def f(event):\n    n = len(listing)\n    return lambda it: event + it * n",
        "class A:\n    def f(self): return 3 * self.n\n"
        "    def __init__(self): self.n = len(self.run.listing(0))",
        "event % len(session.timeline.listing(0))",
        "event % len(timeline.listings[0])",
        "event - it * len(timeline.listings[0].ops)",
        "[event % len(each) for each in timeline.listings]",
        "event % listing.__len__()",
        "event % len(every_op(timeline))",
        "event //= len(listing)",
        "event %= len(program.ops)",
        "event *= len(listing)",
        "event // (t.end // t.iterations)",
        "timeline.end / max(1, timeline.iterations)",
        "end, its = timeline.end, timeline.iterations\n(end - 1) / its",
        "n = t.end // t.iterations\nit * n",
        "event % (timeline.begin(i + 1) - timeline.begin(i))",
        "n = max(1, timeline.begin(1) - timeline.begin(0))\nit * n",
        "np.floor_divide(events, len(listing))",
        "range(0, end, len(listing))",
        "events[:: len(listing)]",
        "event // ops",
        "event // timeline._period",
    ],
)
def test_a_number_of_ops_is_found_under_any_name(source: str) -> None:
    assert divisions(source)


@pytest.mark.parametrize(
    "source",
    [
        "end = begin + len(listing)\nrange(begin, end)",
        "here, size = session.event, len(session.listing)\nmin(here + size, timeline.end)",
        "len(listing) // 2",
        "share = done / timeline.iterations",
        "def f():\n    n = len(listing)\ndef g(n):\n    return event % n",
        "n = len(listing.ops[0].writes)\nbytes // n",
        "size / len(view.listing.places(where))",
    ],
)
def test_what_is_no_iteration_may_be_divided_by(source: str) -> None:
    assert divisions(source) == []


def test_only_the_mean_cost_is_allowed_in_the_history() -> None:
    path, text = MEAN_COST
    assert [found for _, found in divisions(text_of(path))] == [text]
    assert len(divisions(text_of(path) + "\n\nevent = 7 % len(listing)\n")) == 2


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


BY_TEXT = ("getattr", "hasattr", "setattr", "delattr", "attrgetter", "methodcaller")


def asked_of_programs(source: str) -> list[str]:
    """Where a file asks a run for what only a program has, in whatever spelling."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name):
                names = [name]
            case ast.Call(func=func, args=args) if last_name(func) in BY_TEXT:
                texts = [arg.value for arg in args if isinstance(arg, ast.Constant)]
                names = [part for text in texts for part in str(text).split(".")]
            case ast.Subscript(
                value=ast.Attribute(attr="__dict__"), slice=ast.Constant(value=name)
            ):
                names = [name]
            case ast.Subscript(
                value=ast.Call(func=ast.Name(id="vars")), slice=ast.Constant(value=name)
            ):
                names = [name]
            case ast.MatchClass(kwd_attrs=names):
                pass
            case _:
                continue
        if set(names) & set(OF_PROGRAMS):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def test_rooms_of_any_run_ask_for_no_layers() -> None:
    """What steps, stops and answers works on a run that no experiment made."""
    found = [
        f"{path}:{line}"
        for room in GENERIC
        for path in modules(room)
        for line in asked_of_programs(text_of(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "run.network",
        'getattr(run, "network")',
        'getattr(run, "optimizer", None)',
        'hasattr(session.run, "experiment")',
        'operator.attrgetter("source.program")(run)',
        'vars(run)["batches"]',
        'run.__dict__["network"]',
        "match run:\n    case Program(network=layers):\n        pass",
    ],
)
def test_a_question_for_layers_is_found_in_any_spelling(source: str) -> None:
    assert asked_of_programs(source)


LOADERS = ("importlib", "pkgutil", "runpy", "imp")
DATA = ("importlib.metadata", "importlib.resources")  # read files, and load no module


def hidden_imports(source: str) -> list[str]:
    """Where a file loads a module by its name as a text, which the contracts do not see."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                loaded = [alias.name for alias in names]
            case ast.ImportFrom(module=str() as module, names=names, level=0):
                loaded = [f"{module}.{alias.name}" for alias in names]
            case ast.Name() | ast.Attribute():
                loaded = []
            case _:
                continue
        if (
            any(name.partition(".")[0] in LOADERS and not name.startswith(DATA) for name in loaded)
            or last_name(node) in ("__import__", "import_module")
            or ast.unparse(node) == "sys.modules"
            or "sys.modules" in loaded
        ):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def bare_imports(source: str) -> list[str]:
    """Where a file gets a whole package, through whose attributes it would reach every room."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
        # `import engine.arrays` too: it names the package, and not only the room.
        if alias.name in ("engine", "tui")
        or (alias.name.startswith(("engine.", "tui.")) and alias.asname is None)
    ]


def test_nobody_imports_around_the_contracts() -> None:
    # The commands of the command line are loaded when they are called; tui.cli is the topmost room.
    # The face of the engine loads a name with its first use; it belongs to no room.
    late = {Path("tui/cli/lazy_group.py"), Path("engine/__init__.py")}
    found = [
        f"{path}:{line}"
        for package in ("engine", "tui")
        for path in modules(package)
        for line in bare_imports(text_of(path))
        + (hidden_imports(text_of(path)) if path not in late else [])
    ]
    assert found == []
    assert all(hidden_imports(text_of(path)) for path in late)


@pytest.mark.parametrize(
    "source",
    [
        'import importlib\nimportlib.import_module("engine.words")',
        'from importlib import import_module\nimport_module("engine.words")',
        'def late():\n    return __import__("engine.words")',
        'builtins.__import__("engine.words")',
        'import sys\nsys.modules["engine.words"]',
        'from sys import modules\nmodules["engine.words"]',
        'import pkgutil\npkgutil.resolve_name("engine.words")',
    ],
)
def test_an_import_by_text_is_found(source: str) -> None:
    assert hidden_imports(source)


@pytest.mark.parametrize(
    "source",
    [
        "import engine\nengine.words.language.CommandLine",
        "import engine as e\ne.words",
        "def late():\n    import tui\n    return tui.app",
        "import engine.errors\nengine.words.language",
    ],
)
def test_an_import_of_a_whole_package_is_found(source: str) -> None:
    assert bare_imports(source)


def test_other_imports_are_no_way_around() -> None:
    source = """
from engine import __version__
import engine.arrays as arrays
from importlib.resources import files
import importlib.metadata
"""
    assert bare_imports(source) == hidden_imports(source) == []


def test_no_module_of_tests_uses_another() -> None:
    """What two of them need is a helper's, so that running one never runs the other's set-up."""
    wrong = [
        f"{path}: {node.module}"
        for path in modules("tests")
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[-1][:5] == "test_"
    ]
    assert wrong == []
