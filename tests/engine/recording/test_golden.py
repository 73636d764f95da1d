"""A recording of each version of the format opens for ever.

They were made once and are never made again: v1.gradstep has two runs of the same lesson, one in
each store, with a branch, edits, a skip, bookmarks, a stop and a watch.
"""

import hashlib
from pathlib import Path

import pytest

from engine.recording.replay import DIFFERS, open_debugger
from tests.engine.recording.recordings import opened, verdict

RECORDINGS = Path(__file__).parents[2] / "recordings"
V1 = RECORDINGS / "v1.gradstep"
EVENTS = {"main": 240, "fast": 300}
FINAL_LOSSES = {"main": 0.19765341359600247, "fast": 1.5945021023459574}


def test_nobody_has_touched_it() -> None:
    digest = hashlib.blake2b(V1.read_bytes(), digest_size=8).hexdigest()
    assert digest == "a9546585ac57951f"


@pytest.mark.parametrize("number", [1, 2])
def test_version_1_is_what_it_was(number: int) -> None:
    before = V1.read_bytes()
    found = verdict(V1, number)
    assert found.good
    with opened(V1, number) as recording:
        assert recording.run.store == ("full", "keyframes")[number - 1]
        assert {name: branch.events for name, branch in recording.branches.items()} == EVENTS
        debugger, playback = open_debugger(recording)
        session = debugger.session
        for name, loss in FINAL_LOSSES.items():
            session.branches.switch(name)
            session.goto(session.known)
            assert session.losses[-1] == pytest.approx(loss, rel=1e-12)
            session.goto(0)
        marks = [(mark.name, mark.event, mark.text) for mark in debugger.bookmarks.values()]
        assert marks == [("start", 5, "the first layer"), ("fork", 70, "what if η were 0.3?")]
        assert [str(stop.kind) for stop in debugger.stops] == ["op"]
        assert list(debugger.watches) == ["norm(linear1.weight)"]
        assert playback.trouble == ""
        if found.exact:
            assert DIFFERS not in playback.statuses.values()
    assert V1.read_bytes() == before
