"""What is different between two cursor positions: the names that changed, and where in a tensor."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from engine.arrays import Array
from engine.run.run import Run
from engine.run.source import Source
from engine.session.history import History

Change = tuple[Array | None, Array | None]


class Travelled(Protocol):
    """A session, or what is known at a place of it, as far as what has changed is asked."""

    @property
    def run(self) -> Run: ...
    @property
    def source(self) -> Source[Any]: ...
    @property
    def history(self) -> History: ...
    @property
    def event(self) -> int: ...
    @property
    def tensors(self) -> Mapping[str, Array]: ...


def changed_names(session: Travelled) -> set[str]:
    """The tensors that may differ between the cursor and the event before it."""
    return set(last_changes(session))


def last_changes(session: Travelled) -> dict[str, Change]:
    """What changed on the way to the cursor; see :func:`changes_at`."""
    return changes_at(session, session.event, session.tensors)


def changes_at(session: Travelled, event: int, tensors: Mapping[str, Array]) -> dict[str, Change]:
    """Each tensor written since the event before ``event``, as it was and as it is.

    That is what the last op wrote, the next batch where an iteration begins, and the edits made
    here. What the op wrote is only known inside the window: it is after a step forward.
    ``tensors`` are those at ``event``.
    """
    history, timeline = session.history, session.run.timeline
    found: dict[str, Change] = {}
    written = history.events.get(event - 1)
    if written is not None:
        for name, old, new in zip(timeline.op(event - 1).writes, *written, strict=False):
            found[name] = old, new
    iteration = timeline.iteration(event)
    if 0 < event < timeline.end and event == timeline.begin(iteration):
        before = history.inputs.get(event) or session.source.leaves(iteration - 1)
        for name in session.run.entering:
            found[name] = before.get(name), tensors.get(name)
    # Last, because edits come last. What is edited where it was just written has changed since
    # before that.
    for name, old, _ in history.edited.get(event, ()):
        found[name] = found[name][0] if name in found else old, tensors[name]
    return found


def same(left: Array | None, right: Array | None) -> bool:
    """Whether two tensors have the same shape and the same bits; both may be missing."""
    if left is right:
        return True
    if left is None or right is None:
        return False
    # Bytes and not ==: a NaN is the same as itself here, and −0 is not 0.
    return left.shape == right.shape and left.tobytes() == right.tobytes()


def first_difference(left: Array, right: Array) -> tuple[int, ...] | None:
    """The first index at which two tensors differ in their bits; None for none.

    For different shapes or dtypes it is the first index of ``left``.
    """
    if same(left, right):
        return None
    if left.shape != right.shape or left.dtype != right.dtype:
        return (0,) * left.ndim
    width = left.dtype.itemsize
    a, b = (np.frombuffer(v.tobytes(), np.uint8).reshape(-1, width) for v in (left, right))
    flat = int(np.argmax((a != b).any(axis=1)))
    return tuple(int(i) for i in np.unravel_index(flat, left.shape))
