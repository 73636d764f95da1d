"""Captured runs written and read again: every value at every event, whatever was kept of it."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.capture.messages import (
    Degree,
    Event,
    Given,
    IterationEnds,
    Later,
    OpDefinition,
    Phases,
    TensorDefinition,
    Value,
)
from engine.capture.sink import End, Reason, Stream
from engine.capture.wire import Untrustworthy
from engine.errors import GradstepError
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.run.kept import Degree as Kept
from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.session.badges import badge
from engine.session.session import Session
from tests.engine.capture.captures import opened
from tests.engine.capture.told import (
    HELLO,
    Net,
    Teller,
    sampled,
    trained,
    whole,
    writer_at,
)
from tests.engine.plain_run import same_tensors


def walked(path: Path, teller: Teller) -> None:
    """Every cursor position, forwards, back and by leaps, has the tensors that there were."""
    with opened(path) as run:
        end = run.timeline.end
        assert end == len(teller.states) - 1
        for budget in (0, 2**20):
            session = Session(run, budget)
            for event in (*range(end + 1), *range(end, -1, -1), end // 2, end, 0, end // 3, end):
                session.goto(event)
                assert same_tensors(session.tensors, teller.states[event]), event
        assert run.places.trouble == ""


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 3),
        ({"rows": (5, 5, 2)}, 6),  # the last batch of each epoch is a small one
        ({"step_every": 3}, 7),
        ({"forgets": True}, 3),
        ({"scale": np.inf}, 2),
    ],
)
def test_every_value_at_every_event(options, count: int, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    with np.errstate(all="ignore"):
        walked(path, trained(path, count, **options))


def test_what_is_known_of_the_run(tmp_path: Path) -> None:
    trained(tmp_path / "r.gradstep", 6, rows=(5, 5, 2))
    with opened(tmp_path / "r.gradstep") as run:
        assert run.name == "train.py"
        assert run.timeline.iterations == 6
        assert len(run.timeline.listings) == 3  # the first has no gradient, the third fewer rows
        assert run.timeline.length == run.timeline.end
        assert (run.loss, run.loss_op) == ("loss", "loss")
        assert run.entering == ("x", "y")
        assert run.gradients["fc1.weight"] == "fc1.weight.grad"
        op = run.timeline.op(0)
        assert (op.phase, op.kind, op.file, op.line) == (Phase.FORWARD, "linear", "train.py", 11)
        assert op.formula == "h = linear(x, fc1.weight, fc1.bias)"
        session = Session(run)
        session.goto(run.timeline.end)
        assert len(session.losses) == 6
        assert session.losses[-1] == session.loss == float(session.tensors["loss"])


def test_gradients_have_their_badges(tmp_path: Path) -> None:
    for name, options, expected in (
        ("a", {}, ["none", "fresh", "stale", "none"]),
        ("b", {"forgets": True}, ["none", "fresh", "stale", "accumulated ×2"]),
    ):
        trained(tmp_path / name, 2, **options)
        with opened(tmp_path / name) as run:
            session, timeline = Session(run), run.timeline
            found = [str(badge(session, "fc1.weight"))]
            session.goto(timeline.next(0, phase=Phase.UPDATE) or 0)
            found.append(str(badge(session, "fc1.weight")))
            session.goto(timeline.begin(1))
            found.append(str(badge(session, "fc1.weight")))
            steps = 4 if name == "a" else 10
            session.goto(timeline.begin(1) + steps)
            found.append(str(badge(session, "fc1.weight")))
            assert found == expected, name


def test_a_tensor_that_enters_twice_in_an_iteration_is_an_event(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    x, y = np.float32([1, 2]), np.float32([3, 4])
    for _ in range(2):
        for array in (x, y):
            teller.given("x", "input", array)
            if array is x:
                teller.states[-1] = teller.states[-1] | {"x": x}
            else:
                teller.states.append(teller.states[-1] | {"x": y})
            ids = {"x": teller.tensor("x", "input", array)}
            number = teller.tensor("h", "activation", array)
            last = {"h": Value(Degree(0))} if teller.events == 3 else None
            writes = {"h": (number, -array)}
            teller.happen(Phase.FORWARD, "h", "neg", ids, writes, 3, values=last)
        teller.end_iteration()
    # Events as the tracer counts them: the one that entered in between is not one of these.
    teller.later(3, 0, np.float32([9, 9]))
    teller.end()
    teller.states[-1] = teller.states[-1] | {"h": np.float32([9, 9])}
    walked(path, teller)
    with opened(path) as run:
        assert [run.timeline.op(e).name for e in range(3)] == ["h", "x@2", "h"]
        assert len(run.timeline.listings) == 1


def test_what_is_not_whole_says_what_there_is_and_where_the_whole_is(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path), limit=10)
    arrays = [np.arange(3000, dtype=np.float32).reshape(50, 60) * k for k in (1, 2, 3, 4)]
    number = teller.tensor("w", "parameter", arrays[0])
    for k, array in enumerate(arrays):
        value = {"w": whole(array)} if k == 0 else {"w": Value(Degree(0))} if k == 1 else None
        teller.happen(Phase.UPDATE, "w", "step", {}, {"w": (number, array)}, 1, values=value)
        teller.end_iteration()
    teller.end()
    with opened(path) as run:
        session = Session(run)
        session.goto(1)
        assert np.array_equal(session.tensors["w"], arrays[0])
        assert run.source.kept(1, "w") is None
        for event in (2, 4):
            session.goto(event)
            assert "w" not in session.tensors
        nothing, kept = run.source.kept(2, "w"), run.source.kept(4, "w")
        assert nothing is not None
        assert kept is not None
        assert (nothing.degree, nothing.statistics) == (Kept.NOTHING, None)
        assert kept.degree == Kept.SAMPLE
        assert (kept.shape, kept.written) == ((50, 60), 3)
        assert kept.statistics is not None
        assert kept.statistics.maximum == 2999 * 4
        assert kept.sample is not None
        assert kept.corner is not None
        assert kept.sample.tolist() == arrays[3].reshape(-1)[::3].tolist()
        assert kept.corner.tolist() == arrays[3][:8, :8].tolist()
        assert run.source.kept(1, "nothing of that name") is None


def test_the_nearest_whole_value_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path), limit=10)
    array = np.ones((100, 100), np.float32)
    number = teller.tensor("w", "parameter", array)
    for k in range(6):
        value = {"w": whole(array * k)} if k in (0, 5) else None
        teller.happen(Phase.UPDATE, "w", "step", {}, {"w": (number, array * k)}, 1, values=value)
        teller.end_iteration()
    teller.later(2, 0, array * 2)
    teller.end()
    with opened(path) as run:
        nearest = [run.source.kept(event, "w") for event in range(1, 7)]
        assert [None if one is None else one.nearest for one in nearest] == [
            None, 0, None, 2, 5, None,
        ]  # fmt: skip
        session = Session(run)
        session.goto(3)
        assert session.tensors["w"][0, 0] == 2  # it came later, and is there


def test_the_same_bits_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    array = np.float32([1, 2, 3])
    number = teller.tensor("w", "parameter", array)
    for value in (whole(array), Value(Degree.SAME)):
        teller.happen(Phase.UPDATE, "w", "step", {}, {"w": (number, array)}, 1, values={"w": value})
        teller.end_iteration()
    teller.end()
    walked(path, teller)


DTYPES = {
    "bool": np.array([True, False, True]),
    "uint8": np.arange(3, dtype=np.uint8),
    "int64": np.array([-(2**60), 0, 2**60]),
    "float16": np.float16([1.5, -2, 65504]),
    "float64": np.array([0.1, -1e300, 3]),
    "complex64": np.complex64([1 + 2j, -3, 0]),
    "complex128": np.array([1 + 2j, -3, 0]),
}


@pytest.mark.parametrize("name", [*DTYPES, "bfloat16"])
def test_every_dtype_comes_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    array = DTYPES.get(name)
    expected = array
    if array is None:  # NumPy has none: the upper halves of float32
        array, expected = np.array([0x3FC0, 0xC000, 0x7F80], "<u2"), np.float32([1.5, -2, np.inf])
    number = teller.tensor("h", "activation", array, dtype=name)
    teller.happen(Phase.FORWARD, "h", "made", {}, {"h": (number, array)}, 1)
    teller.end_iteration()
    teller.end()
    with opened(path) as run:
        session = Session(run)
        session.goto(1)
        found = session.tensors["h"]
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()
        assert run.tensors["h"].nbytes == found.nbytes


def test_a_dtype_of_which_only_shapes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    number = teller.tensor("h", "activation", np.zeros((2, 3)), dtype="float8_e4m3fn")
    values = {"h": Value(Degree(0))}
    teller.happen(
        Phase.FORWARD, "h", "cast", {}, {"h": (number, np.zeros((2, 3)))}, 1, values=values
    )
    teller.end_iteration()
    teller.end()
    with opened(path) as run:
        kept = run.source.kept(1, "h")
        assert kept is not None
        assert (kept.degree, kept.shape) == (Kept.NOTHING, (2, 3))
        assert run.tensors["h"].nbytes == 0


def test_what_was_committed_is_there_in_the_middle_of_an_iteration(tmp_path: Path) -> None:
    """As after a kill: nobody has closed the file, and it is read beside its writer."""
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    net = Net(teller)
    net.iterate()
    net.iterate()
    teller.writer.tick(0.0)
    number = teller.tensor("h", "activation", np.float32([1, 2]))
    teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, np.float32([1, 2]))}, 3)
    teller.writer.tick(10.0**6)
    with opened(path) as run:
        assert run.timeline.length is None
        assert run.stored.run.status == "recording"
        session = Session(run)
        session.goto(10**9)
        assert same_tensors(session.tensors, teller.states[-1])
        teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, np.float32([5, 6]))}, 4)
        teller.end_iteration()
        net.iterate()
        teller.writer.commit()
        assert run.refresh()
        assert not run.refresh()
        session.refresh()
        for event in (*range(session.event, run.timeline.end + 1), *range(run.timeline.end, 0, -1)):
            session.goto(event)
            assert same_tensors(session.tensors, teller.states[event]), event
        teller.end()
        assert run.refresh()
        assert run.timeline.length == run.timeline.end
    walked(path, teller)


def test_a_script_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    Net(teller).iterate()
    number = teller.tensor("h", "activation", np.float32([1, 2]))
    teller.happen(Phase.FORWARD, "h", "neg", {}, {"h": (number, np.float32([1, 2]))}, 3)
    teller.writer.ended(0, End(Reason.CUT, 9))
    teller.writer.close(137)
    walked(path, teller)
    with opened(path) as run:
        assert run.stored.run.status == "interrupted"
        assert run.stored.run.ending == {"reason": "cut", "signal": 9, "exit": 137}
    assert not path.with_name(path.name + "-wal").exists()


def test_text_scrolls_with_the_events(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    teller.writer.text(Stream.STDOUT, "before\n")
    net = Net(teller)
    net.iterate()
    teller.writer.text(Stream.STDOUT, "after \x1b[31mone\n")
    net.iterate()
    teller.end()
    with opened(path) as run:
        first = run.timeline.begin(1)
        assert run.stored.log(0, 10) == [(0, "stdout", "before\n")]
        assert run.stored.log(first - 1, 10) == [(0, "stdout", "before\n")]
        assert run.stored.log(first, 10)[-1] == (first, "stdout", "after \x1b[31mone\n")


def test_the_files_of_the_script_are_kept(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("loss = 1\n", encoding="utf-8")
    hello = HELLO.__class__(**{name: getattr(HELLO, name) for name in HELLO.__slots__})
    object.__setattr__(hello, "cwd", str(tmp_path))
    for name, kept in (("a", True), ("b", False)):
        teller = Teller(writer_at(tmp_path / name, sources=kept), hello)
        Net(teller).iterate()
        teller.end()
        with opened(tmp_path / name) as run:
            assert run.stored.sources == ({"train.py": "loss = 1\n"} if kept else {})


def test_each_process_has_a_run(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    writer = writer_at(path)
    tellers = [Teller(writer) for _ in range(3)]
    nets = [Net(teller, seed=i) for i, teller in enumerate(tellers)]
    for _ in range(2):
        nets[0].iterate()
        nets[2].iterate()  # the second is a launcher: it has no event
    tellers[0].end()
    walked(path, tellers[0])
    with opened(path, 3) as run:
        assert [one.id for one in run.stored.runs] == [1, 3]
        session = Session(run)
        session.goto(run.timeline.end)
        assert same_tensors(session.tensors, tellers[2].states[-1])
    said = r"no run 2; there are: 1 \(rank 0\), 3"
    with pytest.raises(GradstepError, match=said), opened(path, 2):
        pass


def test_nothing_captured_leaves_no_file(tmp_path: Path) -> None:
    writer = writer_at(tmp_path / "r.gradstep")
    teller = Teller(writer)
    writer.text(Stream.STDOUT, "hello\n")
    writer.tick(1.0)
    teller.end()
    assert list(tmp_path.iterdir()) == []
    assert writer.events == 0


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(GradstepError, match="exists already"):
        writer_at(path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_limit_ends_the_values_and_not_the_run(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path, limit=200_000))
    net = Net(teller)
    for _ in range(60):
        net.iterate()
        teller.writer.commit()
    teller.end()
    with opened(path) as run:
        assert run.timeline.iterations == 60
        assert "200,000 bytes" in run.stored.run.note
        kept = run.source.kept(run.timeline.end, "fc1.weight")
        assert kept is not None
        assert kept.degree == Kept.STATISTICS
    with Reader(path).connection as found:
        (stored,) = found.execute("SELECT sum(length(data)) FROM content").fetchone()
    assert stored < 200_000


def test_what_has_no_room_within_the_limit_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path, limit=100_000))
    for number, size in enumerate((20_000, 100, 30_000)):  # of float32: before any commit
        array = np.full(size, number, np.float32)
        tensor = teller.tensor(f"h{number}", "activation", array)
        values = {f"h{number}": whole(array)}
        teller.happen(
            Phase.FORWARD, f"h{number}", "linear", {}, {f"h{number}": (tensor, array)},
            values=values,
        )  # fmt: skip
    teller.end()
    assert path.stat().st_size < 400_000  # tables and indices of a small file weigh something
    with opened(path) as run:
        kept = [run.source.kept(3, f"h{number}") for number in range(3)]  # None: it is there
        assert [one and one.degree for one in kept] == [None, None, Kept.STATISTICS]
        note = "for the budget of 100,000 bytes 1 tensors and samples of 120,000 bytes are left out"
        assert note in run.stored.run.note


def test_the_first_thing_that_is_not_finite(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path), limit=10)
    number = teller.tensor("h", "activation", np.ones(50, np.float32))
    for k in range(6):
        array = np.ones(50, np.float32)
        array[7] = np.nan if k >= 4 else 1
        value = {"h": sampled(array.reshape(1, 50))}
        if k < 4:
            value = {"h": Value(Degree.STATISTICS, statistics=(1, 1, 1, 1, 0))}
        else:
            value = {"h": Value(Degree.STATISTICS, statistics=(np.nan,) * 4 + (0.0,))}
        teller.happen(Phase.FORWARD, "h", "log", {}, {"h": (number, array)}, 3, values=value)
        if k % 2:
            teller.end_iteration()
    teller.end()
    with opened(path) as run:
        assert run.places.first_odd(0, run.timeline.end) == 4
        assert run.places.first_odd(5, run.timeline.end) == 5
        assert run.places.first_odd(0, 4) is None


def test_the_loss_is_the_tensor_that_backward_began_with(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    for k in range(3):
        one = np.float64(k)
        a, b = (teller.tensor(name, "loss", one) for name in ("penalty", "total"))
        teller.happen(Phase.FORWARD, "penalty", "sum", {}, {"penalty": (a, one)}, 3)
        if k != 1:  # the second iteration only looks
            teller.happen(Phase.FORWARD, "total", "add", {}, {"total": (b, one + 10)}, 4)
            teller.end_iteration(b, (0, 1))
        else:
            teller.end_iteration()
    teller.end()
    with opened(path) as run:
        session = Session(run)
        session.goto(run.timeline.end)
        assert run.loss == "total"
        assert session.losses.tolist() == [10.0, 12.0]
        assert run.timeline.op(0).phase == Phase.LOSS
        session.goto(run.timeline.begin(1))
        session.step(1, Granularity.PHASE)
        assert session.losses.tolist() == [10.0]


def frames(teller: Teller, *more) -> None:
    for frame in more:
        teller.writer.frame(0, frame)


X = TensorDefinition(0, "x", "input", "float32", (2,))
NEG = OpDefinition(0, Phase.FORWARD, "h", "neg", (0,), (0,))


@pytest.mark.parametrize(
    "bad",
    [
        TensorDefinition(1, "y", "input", "float32", (2**50,)),
        OpDefinition(1, Phase.FORWARD, "h", "neg", (0,), (0,), line=2**40),
        Later(0, 1, whole(np.float32([1, 2]))),
        Later(0, 0, whole(np.float32([1, 2, 3]))),
        Phases((5,), 0),
    ],
)
def test_what_no_tracer_sends_is_refused(bad, tmp_path: Path) -> None:
    teller = Teller(writer_at(tmp_path / "r.gradstep"))
    frames(teller, X, NEG, Event(0, (whole(np.float32([1, 2])),), {}))
    with pytest.raises(Untrustworthy):
        frames(teller, bad)


def test_half_characters_in_names(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path))
    value = whole(np.float32([1, 2]))
    odd = TensorDefinition(0, "x\ud800", "input", "float32", (2,))
    frames(teller, odd, NEG, Given(0, value), Event(0, (value,), {"a": "\udfff"}), IterationEnds())
    teller.end()
    with opened(path) as run:
        assert list(run.tensors) == ["x?"]
        assert run.stored.facts(0) == {0: {"a": "?"}}


def test_experiments_stay_in_the_first_version_and_captures_are_of_the_second(tmp_path) -> None:
    path = tmp_path / "r.gradstep"
    trained(path, 1)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (command,) = connection.execute("SELECT command FROM capture_run").fetchone()
    assert json.loads(command)["arguments"] == ["python", "train.py"]
    connection.close()
    reader = Reader(path)
    with pytest.raises(GradstepError):
        Recording(reader)
    reader.close()
