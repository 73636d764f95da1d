"""Whether a whole recording is as it was written, without running any of it."""

import math
from collections.abc import Iterator

from engine.recording.closing import changed
from engine.recording.contents import NOWHERE
from engine.recording.reader import Damaged
from engine.recording.recorded import Block, Recording
from engine.recording.runs import RecordedBranch
from engine.run.timeline import begun

MOST = 200_000  # stored tensors that are recognized when they come again


def inspect(recording: Recording) -> None:
    """Note in the account of a recording all that is damaged in it: its digests, its tensors."""
    found = recording.reader.problems(everything=True) + changed(recording.reader, recording.run.id)
    for said in found:
        recording.account.problem(said)
    for problem in damage(recording):
        recording.account.problem(str(problem))


def damage(recording: Recording) -> Iterator[Damaged]:
    """Every iteration, keyframe and stored tensor that is not as its digest says."""
    seen: set[tuple[int, bytes]] = set()
    try:
        branches = list(recording.branches.values())
    except Damaged as problem:
        yield problem
        return
    timeline = recording.program.timeline
    for branch in branches:
        yield from claims(recording, branch)
        for iteration in range(first_of(recording, branch), begun(timeline, branch.events) + 1):
            try:
                block = recording.block(branch, iteration)
            except Damaged as problem:
                yield problem
                continue
            yield from tensors(recording, block, seen)
        yield from keyframes(recording, branch)
        if len(seen) > MOST:
            seen.clear()


def claims(recording: Recording, branch: RecordedBranch) -> Iterator[Damaged]:
    """What the rows of a branch say and cannot be: its losses, its ends, where keyframes stand.

    No digest and no tensor is read, so that this takes no longer than reading the losses.
    """
    for check in (ends, keyframe_rows, packs):
        try:
            yield from check(recording, branch)
        except Damaged as problem:
            yield problem


def ends(recording: Recording, branch: RecordedBranch) -> Iterator[Damaged]:
    """Digests and losses of a branch that do not end where its events do. Raises Damaged."""
    last = begun(recording.program.timeline, branch.events)
    found, losses = recording.last_block(branch), len(recording.losses(branch))
    if last >= first_of(recording, branch) and found != last:
        said = f"has events of {last} iterations, and digests of {found}"
        yield recording.damaged(f"branch {branch.name!r} {said}")
    if losses > last:
        said = f"has {losses:,} losses, but events of {last:,} iterations"
        yield recording.damaged(f"branch {branch.name!r} {said}")


def first_of(recording: Recording, branch: RecordedBranch) -> int:
    """The first iteration, counted from 1, that a branch has rows of itself."""
    return recording.whole(branch.fork) + 1 if branch.parent is not None else 1


def keyframe_rows(recording: Recording, branch: RecordedBranch) -> Iterator[Damaged]:
    """Keyframes of a branch that stand nowhere, or are neither whole nor not. Raises Damaged."""
    query = "SELECT iteration, whole FROM keyframe WHERE branch = ?"
    for iteration, whole in recording.reader.rows(query, (branch.id,), "ii"):
        if iteration < 1 or whole not in (0, 1):
            said = f"has a keyframe of iteration {iteration} with {whole} for whole"
            yield recording.damaged(f"branch {branch.name!r} {said}")


def packs(recording: Recording, branch: RecordedBranch) -> Iterator[Damaged]:
    """Packed losses of a branch that are not those of its rows. Raises Damaged."""
    values = recording.losses(branch)
    query = "SELECT iteration, value FROM loss WHERE branch = ? AND iteration > ? LIMIT 20000"
    at, last = 0, None
    while rows := recording.reader.rows(query, (branch.id, at), "iF"):
        for iteration, value in rows:
            known = values[iteration - 1] if 0 < iteration <= len(values) else None
            same = known == value or (value is None and known is not None and math.isnan(known))
            if not same or (last is not None and iteration != last + 1):
                said = f"its packed losses differ from its losses in iteration {iteration}"
                yield recording.damaged(f"branch {branch.name!r}: {said}")
                return
            last = iteration
        at = rows[-1][0]


def tensors(recording: Recording, block: Block, seen: set[tuple[int, bytes]]) -> Iterator[Damaged]:
    """The stored tensors of an iteration that are not as their digests say; each looked at once."""
    for slot, place in enumerate(zip(block.refs, block.digests, strict=True)):
        if place[0] != NOWHERE and place not in seen:
            seen.add(place)
            try:
                recording.written(block, slot)
            except Damaged as problem:
                yield problem


def keyframes(recording: Recording, branch: RecordedBranch) -> Iterator[Damaged]:
    """The keyframes of a branch that cannot be read."""
    query = "SELECT iteration FROM keyframe WHERE branch = ?"
    try:
        for (iteration,) in recording.reader.rows(query, (branch.id,), "i"):
            try:
                recording.keyframe(branch, iteration)
            except Damaged as problem:
                yield problem
    except Damaged as problem:
        yield problem
