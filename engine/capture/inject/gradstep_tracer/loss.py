"""Which ops of the forward pass make the loss."""

from __future__ import annotations

from gradstep_tracer.graph import Graph
from gradstep_tracer.recorder import Recorder

OPERANDS = ("target", "input")


def loss_places(recorder: Recorder, graph: Graph, left: int) -> tuple[list[int], bool]:
    """The places of the loss's ops in the iteration under way, and whether that is sure.

    They are the tail of the path to the root: after the last op that reads a parameter and after
    the model returned (``left`` events had come by then). Without a model it begins at the first op
    that reads what has no gradient, the target; else at the first scalar.
    """
    story, defined = recorder.story, recorder.defined
    on_path = {
        owner.produced.place
        for owner in graph.order
        if owner.produced is not None
        and owner.produced.op is not None
        and owner.produced.iteration == recorder.iteration
        and owner.produced.place < len(story)
    }
    tail: list[int] = []
    for place in sorted(on_path, reverse=True):
        roles = {defined[number][2] for number in story[place].reads}
        if "parameter" in roles:
            break
        tail.append(place)
    tail.reverse()
    after = [place for place in tail if left and place >= left]
    if after:
        return after, True
    if not tail:
        return ([max(on_path)], False) if on_path else ([], False)
    for index, place in enumerate(tail):
        if any(defined[number][2] in OPERANDS for number in story[place].reads):
            return tail[index:], True
    for index, place in enumerate(tail):
        if any(defined[number][4] == () for number in story[place].writes):
            return tail[index:], False
    return tail[-1:], False
