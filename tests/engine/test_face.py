"""The face of the engine: what it offers, that it costs nothing, what its things say they are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.experiment.builtins import builtin_names

ROOT = Path(__file__).parents[2]
NAMES = """
    Debugger Diagnosis Event Experiment GradCheck Granularity GradstepError JacobianView Layout Op
    Position Program Session State TensorInfo Worksheet __version__ check_gradients compile diagnose
    jacobian_of load nn open_recording record worksheet_of
"""


def program(name: str = "regression") -> engine.Program:
    return engine.compile(engine.load(name))


def test_what_it_offers() -> None:
    assert sorted(engine.__all__) == sorted(NAMES.split())
    assert dir(engine) == sorted(engine.__all__)
    assert all(getattr(engine, name) is not None for name in engine.__all__)
    with pytest.raises(AttributeError, match="no attribute 'sesion'"):
        engine.sesion  # noqa: B018


def test_what_the_type_checker_reads_is_what_python_loads() -> None:
    stub = ast.parse((ROOT / "engine" / "__init__.pyi").read_text(encoding="utf-8"))
    places = {
        alias.asname: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert places.pop(engine._FOR_AUTHORS) == ("engine", "nn")
    assert places == engine._PLACES
    assert not {"engine.jacobian", "engine.worksheet"} & {f"engine.{name}" for name in places}


def test_importing_it_loads_nothing_else() -> None:
    code = "import sys, engine; print(*{'engine', 'numpy', 'msgspec'} & {*sys.modules}, end=' ');"
    code += "print(*[name for name in sys.modules if name.startswith('engine.')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["engine"]


def test_what_things_say_they_are() -> None:
    made = program()
    session = engine.Session(made)
    debugger = engine.Debugger(session)
    debugger.watches.add("loss")
    assert repr(made.experiment) == (
        "<Experiment 'regression': linear1 → relu1 → linear2 → identity1, mse, sgd>"
    )
    assert repr(made) == (
        "<Program 'regression': (4, 3) → (4, 4) → (4, 4) → (4, 2) → (4, 2), 21 ops, 30 iterations>"
    )
    assert repr(session) == (
        "<Session 'regression' at #0 i1:zero_grad:linear1.weight.grad, no loss yet>"
    )
    session.step(10)
    place = "<Session 'regression' at #10 i1:backward:linear2.out.grad, loss 2.2375>"
    assert repr(session) == place
    assert repr(debugger) == f"<Debugger: {place}, 0 stops, 1 watch, 0 bookmarks>"
    assert repr(engine.jacobian_of(session, "yhat", "W1")) == (
        "<Jacobian ∂ŷ/∂W⁽¹⁾ 2×12 = ∂ŷ/∂z₃ 2×2 · ∂z₃/∂z₂ 2×4 · ∂z₂/∂z₁ 4×4 · ∂z₁/∂W⁽¹⁾ 4×12>"
    )
    assert repr(engine.worksheet_of(made, 2)) == (
        "<Worksheet 'regression', sample 2: 5 rows forward, 4 gradients>"
    )
    checked = engine.check_gradients(made, session.tensors)
    assert repr(checked) == "<GradCheck of 4 parameters, every element: passed>"
    wrong = {info.name: np.ones(info.shape) for info in made.parameters}
    checked = engine.check_gradients(made, session.tensors, analytic=wrong)
    assert repr(checked).endswith(
        "wrong: linear1.weight, linear1.bias, linear2.weight, linear2.bias>"
    )


@pytest.mark.parametrize("name", builtin_names())
def test_one_line_is_enough_for_every_experiment(name: str) -> None:
    made = program(name)
    session = engine.Session(made)
    for thing in (made.experiment, made, session, engine.Debugger(session)):
        assert re.fullmatch(r"<.+>", repr(thing))
    session.goto(made.timeline.end)
    assert repr(session).startswith(f"<Session {made.name!r} at #{made.timeline.end} ")


def test_a_finding_says_what_and_where() -> None:
    found = engine.diagnose(program("bug-exploding"), 20)
    assert "<Diagnosis serious 'loss-rising' of loss: #71  iteration 4, loss, loss>" in map(
        repr, found
    )


def test_recorded_and_opened_again(tmp_path: Path) -> None:
    made = program()
    path = engine.record(made, tmp_path / "run.gradstep", 3)
    debugger = engine.open_recording(path)
    session = engine.Session(made)
    assert debugger.session.known == made.timeline.begin(3)
    for event in (0, 5, 62, 63, 17):
        session.goto(event)
        debugger.session.goto(event)
        ours, its = session.tensors, debugger.session.tensors
        assert ours.keys() == its.keys()
        assert all(ours[key].tobytes() == its[key].tobytes() for key in ours)
    again = engine.open_recording(path, run=1)
    assert again.session.known == debugger.session.known


@pytest.mark.parametrize(
    ("iterations", "store", "expected"), [(None, "auto", 30), (45, "full", 45), (7, "keyframes", 7)]
)
def test_a_recording_is_as_long_as_asked_for(
    tmp_path: Path, iterations: int | None, store: str, expected: int
) -> None:
    path = engine.record(program(), tmp_path / "run.gradstep", iterations, store)
    assert engine.open_recording(path).session.known == expected * 21


def test_what_cannot_be_recorded_or_opened_is_said(tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    with pytest.raises(engine.GradstepError, match="store 'all'; allowed: full, keyframes, auto"):
        engine.record(program(), path, store="all")
    for iterations in (0, -3):
        with pytest.raises(engine.GradstepError, match="at least 1"):
            engine.record(program(), path, iterations)
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(engine.GradstepError, match="exists already"):
        engine.record(program(), str(path))
    assert path.read_text() == "mine"
    with pytest.raises(engine.GradstepError):
        engine.open_recording(path)
    recorded = engine.record(program(), tmp_path / "other.gradstep", 1)
    with pytest.raises(engine.GradstepError, match="no run 7; there are: 1"):
        engine.open_recording(recorded, run=7)


def test_an_interrupt_leaves_what_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.recording import live

    def interrupted(*arguments: object) -> object:
        yield from list(zip(real(*arguments), range(4), strict=False))  # type: ignore[arg-type]
        raise KeyboardInterrupt

    real = live.record_run
    monkeypatch.setattr(live, "record_run", interrupted)
    path = tmp_path / "run.gradstep"
    with pytest.raises(KeyboardInterrupt):
        engine.record(program(), path)
    assert [each.name for each in tmp_path.iterdir()] == ["run.gradstep"]
    assert engine.open_recording(path).session.known >= 4 * 21


def test_the_lines_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert len(block.splitlines()) <= 10
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "at #8 i1:loss:loss, no loss yet> [[" in printed
    assert "<Jacobian ∂ŷ/∂W⁽¹⁾ 2×12" in printed
    assert "every element: passed>" in printed
