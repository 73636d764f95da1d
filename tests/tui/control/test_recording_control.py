"""The recording of a session from the screen: fed beside a long run, and its end told."""

import sqlite3

from engine.debugger import Debugger
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.session.session import Session
from tests.engine.recording.recordings import opened, verdict
from tests.engine.small_experiments import program
from tests.tui.control.host import Host
from tui.control.live import Live
from tui.control.recording import RecordingControl
from tui.control.worker import Worker


def started(tmp_path, epochs=200):
    session = Session(program(training={"epochs": epochs}))
    control = RecordingControl(Debugger(session))
    control.start(tmp_path / "r.gradstep")
    return session, control


def recorded(path):
    reader = Reader(path)
    try:
        branches = Recording(reader).branches
        return branches["main"].events if branches else 0
    finally:
        reader.close()


def test_a_long_run_is_recorded_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", 0.0)
    monkeypatch.setattr("engine.recording.writer.INTERVAL", 0.0)
    session, control = started(tmp_path)
    host = Host()
    host.session = session
    worker = Worker(host, Live(host, host.call_on_screen), control.keep_up)
    seen = []

    def steps():
        for event in session.travel(session.timeline.end):
            yield event
            seen.append((event, recorded(tmp_path / "r.gradstep")))

    assert worker.begin(steps(), lambda run: None)
    for work in host.works:
        work()
    assert len(seen) > 3
    assert all(there == event for event, there in seen[1:])
    assert control.stop().startswith("recorded ")
    found = verdict(tmp_path / "r.gradstep")
    assert (found.good, found.events, found.uncovered) == (True, session.timeline.end, ())


def test_what_the_timer_had_begun_goes_on_beside_a_run(tmp_path):
    """No keyframe is lost where both take turns."""
    session, control = started(tmp_path)
    session.goto(2000)
    control.tick()
    session.goto(2500)
    control.keep_up()
    session.goto(3000)
    control.tick()
    control.stop()
    found = verdict(tmp_path / "r.gradstep")
    assert (found.good, found.events) == (True, 3000)
    with opened(tmp_path / "r.gradstep") as recording:
        rows = recording.reader.rows("SELECT iteration FROM keyframe ORDER BY iteration")
        last = 3000 // len(recording.program.ops) + 1
        assert [i for (i,) in rows] == list(range(1, last + 1, 16))


def test_a_log_that_could_not_be_taken_in_is_told_with_both_names(tmp_path):
    path = tmp_path / "r.gradstep"
    session, control = started(tmp_path)
    session.goto(300)
    control.tick()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN")
    assert holder.execute("SELECT count(*) FROM run").fetchone() == (1,)
    control.recorder.writer.connection.execute("PRAGMA busy_timeout = 0")
    said = control.stop()
    assert f"{path} and {path}-wal belong together" in said
    assert control.failed
    holder.close()
    assert verdict(path).good
