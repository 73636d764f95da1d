"""Positions, stops, words and look-ups of captured scripts: by module, by line, by statistics."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.capture.messages import Degree, Value
from engine.capture.opened import (
    debugger_of,
    follow,
    opened_capture,
)
from engine.capture.recognized import is_capture, split_rank
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.run.phases import Phase
from engine.run.position_text import parse_position
from engine.stops.run_control import conclude, until
from engine.stops.stop import Stop, StopKind
from engine.words.language import CommandLine
from tests.engine.capture.told import HELLO, Net, Teller, trained, writer_at


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("net") / "net.gradstep"
    trained(made, 6, rows=(5, 5, 2))
    return made


@pytest.fixture
def debugger(path: Path) -> Iterator[Debugger]:
    with opened_capture(str(path)) as run:
        yield debugger_of(run)


def test_positions(debugger: Debugger) -> None:
    timeline = debugger.run.timeline
    third = timeline.begin(2)
    debugger.session.goto(third + 9)
    found = {
        "train.py:9": third,  # zero_grad
        "train.py:13": third + 6,
        "module:fc2": third + 6,
        "module:fc*": third + 4,
        "i2:train.py:11": timeline.begin(1) + 4,
        "i2:module:fc1": timeline.begin(1) + 4,
        "i3:backward:fc1.weight": third + 12,
        "i3:update:fc1.weight": third + 14,
        "i3:loss": third + 7,
    }
    assert {text: parse_position(text, debugger) for text in found} == found
    assert parse_position("i1:update:fc1.weight", debugger) == 10
    for text, words in {
        "train.py:99": "ops come from lines 9, 11, 12, 13, 15, 16, 17",
        "other.py:11": "no op comes from that file; ops come from train.py",
        "module:fc3": r"did you mean fc\d\?\): fc1, fc2",
        "i2:module:fc3": "no module of that name",
        "nonsense": "of a captured script also train.py:41",
    }.items():
        with pytest.raises(GradstepError, match=words):
            parse_position(text, debugger)


def test_where_this_iteration_has_no_such_line_the_nearest_one_is_meant(
    debugger: Debugger,
) -> None:
    # The first iteration zeroes nothing: there is no gradient yet.
    assert parse_position("train.py:9", debugger) == debugger.run.timeline.begin(1)


def test_stops_by_module_and_by_line(debugger: Debugger) -> None:
    line = CommandLine(debugger)
    line.execute("b module:fc2")
    line.execute("b train.py:16")
    met = []
    while "stop" in line.execute("c").lines[0] and len(met) < 4:
        met.append((debugger.event, debugger.session.op and debugger.session.op.name))
    assert met[:2] == [(2, "z"), (4, "z.grad")]
    with pytest.raises(GradstepError, match="nothing to stop at"):
        line.execute("b module:fc9")


def test_watches_of_a_module(debugger: Debugger) -> None:
    debugger.stops.add(StopKind.NONFINITE, "module:fc1")
    with pytest.raises(GradstepError, match="no tensor 'module:fc9'"):
        debugger.stops.add(StopKind.NONFINITE, "module:fc9")


def test_words(debugger: Debugger) -> None:
    line = CommandLine(debugger)
    line.execute("goto end")
    assert line.execute("p loss").lines[0].startswith("loss = ")
    assert line.execute("info output").lines == ("nothing was printed before here",)
    for refused in ("set fc1.weight = 1", "skip update", "branch other"):
        with pytest.raises(GradstepError, match="change the script and capture it again"):
            line.execute(refused)


def test_names_that_are_none_to_expressions(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    one = np.float32([3, 4])
    for name in ("0.weight", "layer1.0.conv.weight", "relu#2"):
        number = teller.tensor(name, "activation", one)
        teller.happen(Phase.FORWARD, name, "made", {}, {name: (number, one)}, 3)
    teller.end_iteration()
    teller.end()
    with opened_capture(str(path)) as run:
        line = CommandLine(debugger_of(run))
        line.execute("goto end")
        for name in ("module[0].weight", "layer1[0].conv.weight", "relu_2"):
            assert line.execute(f"p norm({name})").lines == (f"norm({name}) = 5",)


def test_until_something_is_not_finite_also_where_only_statistics_were_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path), limit=10)
    array = np.ones(50, np.float32)
    number = teller.tensor("h", "activation", array)
    for k in range(40):
        low, high = (-np.inf, 1.0) if k in (31, 32) else (0.0, 1.0)
        told = {"h": Value(Degree.STATISTICS, statistics=(low, high, 0.0, 1.0, 0.0))}
        teller.happen(Phase.FORWARD, "h", "log", {}, {"h": (number, array)}, 3, values=told)
        teller.end_iteration()
    teller.end()
    with opened_capture(str(path)) as run:
        session = debugger_of(run).session
        outcome, _ = conclude(until(session, Stop(0, StopKind.NONFINITE)))
        assert outcome.event == 32
        (hit,) = outcome.hits
        assert "h: by its statistics: — → -inf" in str(hit.evidence)
        # It is asked where it becomes true, and 32 is as the one before.
        outcome, _ = conclude(until(session, Stop(0, StopKind.NONFINITE)))
        assert not outcome.stopped
        session.goto(40)
        outcome, _ = conclude(until(session, Stop(0, StopKind.NAN)))
        assert not outcome.stopped
        session.goto(40)
        outcome, _ = conclude(until(session, Stop(0, StopKind.INF), backwards=True))
        assert outcome.event == 32


def test_following_a_script_that_runs(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    net = Net(teller)
    net.iterate()
    teller.writer.commit()
    with opened_capture(str(path)) as run:
        session = debugger_of(run).session
        session.goto(run.timeline.end)
        assert not follow(session, run)
        net.iterate()
        teller.writer.commit()
        assert follow(session, run)
        assert session.known == run.timeline.end == 32
        assert len(session.losses_known) == 2
        session.goto(session.known)
        assert session.loss == session.losses_known[1]
    teller.end()


def test_what_is_a_capture(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "text.gradstep"
    other.write_text("no recording", encoding="utf-8")
    assert is_capture(str(path))
    assert is_capture(f"{path}#rank0")
    for name in (str(other), str(tmp_path / "nothing"), "regression", "a\0b", str(tmp_path)):
        assert not is_capture(name)
    assert split_rank(f"{path}#rank3") == (path, 3)
    with (
        pytest.raises(GradstepError, match="no rank 3; there are: rank0"),
        opened_capture(f"{path}#rank3"),
    ):
        pass


def test_ranks_are_opened_by_name(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    writer = writer_at(path)
    for rank in (1, 0):
        hello = HELLO.__class__(
            **{name: getattr(HELLO, name) for name in HELLO.__slots__} | {"rank": rank, "world": 2}
        )
        Net(Teller(writer, hello), seed=rank).iterate()
    writer.close(0)
    with opened_capture(f"{path}#rank0") as run:
        assert (run.stored.run.rank, run.stored.run.id) == (0, 2)


def test_the_op_that_ended_the_script(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    net = Net(teller)
    net.iterate()
    x = np.ones((5, 4), np.float32)
    ids = {"x": teller.tensor("x", "input", x), "fc1.weight": net.parameter("fc1.weight")}
    facts = {"raised": "RuntimeError", "text": "shapes"}
    teller.happen(Phase.FORWARD, "h", "linear", ids, {}, 11, facts)
    teller.end(1)
    with opened_capture(str(path)) as run:
        assert run.failed == (14, "RuntimeError")
        assert run.timeline.op(14).formula == "linear(x (5, 4), fc1.weight (4, 3))"
        assert run.source.status(None, 12) == "captured"
        assert run.source.status(None, 13) == "RuntimeError next"
        session = debugger_of(run).session
        session.goto(15)
        session.goto(13)
        assert session.event == 13
