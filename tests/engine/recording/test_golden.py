"""A recording of each version of the format opens for ever.

They were made once and are never made again: v1.gradstep has two runs of the same lesson, one in
each store, with a branch, edits, a skip, bookmarks, a stop and a watch.
"""

import hashlib
from pathlib import Path

import pytest

from engine.program.compiler import compile_program
from engine.recording.recorded import Recording
from engine.recording.replay import DIFFERS, open_debugger
from engine.session.session import Session
from tests.engine.recording.recordings import opened, record_session, verdict
from tests.engine.recording.short_batches import SPACING, documents, make
from tests.engine.small_experiments import experiment

RECORDINGS = Path(__file__).parents[2] / "recordings"
SHORT = RECORDINGS / "v1-short.gradstep"
# What there was when it was made.
LAYERS = (
    *("linear", "identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "elu", "silu"),
    *("gelu", "softmax", "log_softmax", "dropout"),
)
LOSSES = ("mse", "l1", "huber", "bce", "bce_with_logits", "cross_entropy", "nll")
OPTIMIZERS = ("sgd", "adam", "adamw", "adagrad", "rmsprop")
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


def test_nobody_has_touched_the_one_of_short_batches() -> None:
    digest = hashlib.blake2b(SHORT.read_bytes(), digest_size=8).hexdigest()
    assert digest == "b84eab0bcd1154ec"


def kinds(recording: Recording) -> set[str]:
    """The layers, the loss and the optimizer of a run."""
    found = recording.experiment
    return {found.loss.type, found.optimizer.type, *(spec.type for spec in found.layers)}


def check_short(path: Path) -> set[str]:
    """Every run of the file is verified and replayed; all that is in them."""
    found: set[str] = set()
    for number in range(1, len(documents()) + 1):
        outcome = verdict(path, number)
        assert outcome.good, (outcome.damage, outcome.divergence)
        with opened(path, number) as recording:
            found |= kinds(recording)
            debugger, playback = open_debugger(recording)
            session = debugger.session
            assert recording.keyframe(recording.branches["main"], SPACING + 1)
            for event in (session.known, 0, session.timeline.begin(SPACING), session.known):
                session.goto(event)
            assert playback.trouble == ""
            if outcome.exact:
                assert DIFFERS not in playback.statuses.values()
    return found


def test_short_batches_of_version_1() -> None:
    found = check_short(SHORT)
    every = {*LAYERS, *LOSSES, *OPTIMIZERS}
    assert found == every


@pytest.mark.parametrize("store", ["full", "keyframes"])
def test_short_batches_of_today(store: str, tmp_path: Path) -> None:
    make(tmp_path / "short.gradstep", store)
    check_short(tmp_path / "short.gradstep")


def test_the_shape_of_what_stayed_from_a_batch_long_ago(tmp_path: Path) -> None:
    """Forward is skipped for good: what a short batch left is in every later keyframe."""
    session = Session(compile_program(experiment(**documents()[0])))
    timeline = session.timeline
    session.goto(timeline.begin(4))  # behind the short batch of the first epoch
    session.skip("forward", "loss", "backward", always=True)
    session.goto(timeline.begin(8))
    path = tmp_path / "r.gradstep"
    record_session(path, session, "full", SPACING).writer.close()
    outcome = verdict(path)
    assert outcome.good, (outcome.damage, outcome.divergence)
