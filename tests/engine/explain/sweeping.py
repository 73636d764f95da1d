"""Numbers of a program to explain: of every tensor that an op writes, at places by chance."""

from collections.abc import Iterator

import numpy as np

from engine.explain.explain import explain
from engine.explain.explanation import Explanation
from engine.explain.writing import element_text
from engine.program.program import Program
from engine.session.session import Session

CLOSE = {"float64": 1e-9, "float32": 1e-4}


def explanations(program: Program, iterations: int = 2, tries: int = 2) -> Iterator[Explanation]:
    """Explanations right behind each op of some iterations, with the session's own value."""
    rng = np.random.default_rng(0)
    session = Session(program)
    for event in range(iterations * len(program.ops)):
        session.goto(event + 1)
        for name in session.timeline.op(event).writes:
            value = session.tensors[name]
            for _ in range(tries if value.ndim else 1):
                place = tuple(int(rng.integers(size)) for size in value.shape)
                found = explain(session, element_text(name, place))
                assert session.event == event + 1
                assert found.event == event
                assert found.value == value[place] or np.isnan(value[place])
                yield found


def wrong(program: Program, iterations: int = 2, tries: int = 2) -> list[str]:
    """The numbers whose terms do not add up to them, or that have none; and their number tried."""
    close, out, count = CLOSE[program.experiment.dtype], [], 0
    for found in explanations(program, iterations, tries):
        assert found.value is not None
        if not found.terms:
            known = ("zero_grad sets it to 0", "drawn by chance", "nothing adds to it: it is 0")
            if not found.notes[-1].startswith(known):
                out.append(f"{found.of}: {found.notes}")
            if found.value and not found.notes[-1].startswith("drawn"):
                out.append(f"{found.of} is {found.value}, and has no terms")
            continue
        count += 1
        if not added_up(found, close):
            out.append(f"{found.of} is {found.value}, its terms are {found.total}")
    assert count > len(program.ops) // 2
    return out


def added_up(found: Explanation, close: float) -> bool:
    """Whether the terms that are shown, and the rest, are the number within rounding."""
    total = sum(term.value for term in found.terms) + found.rest
    assert total == found.total or np.isnan(total)
    value = found.value
    assert value is not None
    if not np.isfinite(value):
        return bool(not np.isfinite(total) and found.notes)
    return bool(abs(total - value) <= close * max(1.0, abs(value)))
