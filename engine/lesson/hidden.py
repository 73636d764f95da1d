"""What a lesson hides at present: cells, sizes and formulas of tensors, and the op to come."""

import json
from dataclasses import dataclass, replace
from typing import Any

from engine.lesson.steps import PARTS, Hide, Reveal
from engine.lesson.tensors import known
from engine.run.op import Op
from engine.run.run import Run

ALL = "*"  # every tensor


class Concealed(tuple[int, ...]):
    """A shape that is not shown; to everything else it is what it was, also a part of it."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return Concealed(found) if isinstance(place, slice) else found


@dataclass(frozen=True)
class Hidden:
    """The tensors of which something is hidden, by what; ALL among them is every one.

    Where sizes are hidden, cells are too: these are as many.
    """

    cells: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    formulas: frozenset[str] = frozenset()
    next_op: bool = False

    def __bool__(self) -> bool:
        return bool(self.cells or self.sizes or self.formulas or self.next_op)

    def after(self, step: Hide | Reveal, run: Run) -> "Hidden":
        """What is hidden behind a step; raises GradstepError for a tensor that the run has not."""
        names = frozenset(known(run, step.names))
        if isinstance(step, Hide):
            if step.part == "next":
                return replace(self, next_op=True)
            more = names or frozenset({ALL})
            match step.part:
                case "cells":
                    return replace(self, cells=self.cells | more)
                case "sizes":
                    return replace(self, sizes=self.sizes | more)
                case _:
                    return replace(self, formulas=self.formulas | more)
        if not names:
            return Hidden()
        return Hidden(self.cells - names, self.sizes - names, self.formulas - names, self.next_op)

    def hides_cells(self, name: str) -> bool:
        """Whether the values of a tensor are hidden."""
        return not {name, ALL}.isdisjoint(self.cells | self.sizes)

    def hides_size(self, name: str) -> bool:
        """Whether the shape of a tensor is hidden."""
        return not {name, ALL}.isdisjoint(self.sizes)

    def hides_formula(self, op: Op) -> bool:
        """Whether it is hidden what an op computes."""
        return ALL in self.formulas or not self.formulas.isdisjoint(op.writes)

    @property
    def text(self) -> str:
        """As it stands in a recording, for who follows; empty where nothing is hidden."""
        parts = {name: sorted(getattr(self, name)) for name in PARTS}
        return json.dumps({**parts, "next": self.next_op}) if self else ""


NOTHING = Hidden()


def hidden_of(text: str) -> Hidden:
    """What a text in a recording hides; nothing where it is none."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return NOTHING
    names = {part: found.get(part) for part in PARTS}
    if not all(isinstance(one, list) and {*map(type, one)} <= {str} for one in names.values()):
        return NOTHING
    cells, sizes, formulas = (frozenset(names[part] or ()) for part in PARTS)
    return Hidden(cells, sizes, formulas, bool(found.get("next")))
