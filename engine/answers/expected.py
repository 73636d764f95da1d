"""What would have been right, as people write it: from the rows of the worksheet."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.answers.names import Names, plain
from engine.answers.scene import Large, Scene
from engine.answers.target import Target
from engine.arrays import Array
from engine.errors import GradstepError
from engine.program.program import Program
from engine.worksheet.rows import Gradient, Layout
from engine.worksheet.worksheet import Worksheet, worksheet

SHOWN = 256  # numbers that are shown


@dataclass(frozen=True, eq=False)
class Expected:
    """Finds the right answer in the worksheet of the first sample."""

    program: Program
    names: Names

    @cached_property
    def sheet(self) -> Worksheet | None:
        """The worksheet, where there is one."""
        try:
            return worksheet(self.program)
        except GradstepError:
            return None

    def of(self, target: Target, layout: Layout) -> str | None:
        """The formula of a target; None where the worksheet has no row for it."""
        sheet = self.sheet
        if sheet is None:
            return None
        if target.wrt is None:
            for row in sheet.forward:
                if self.names.tensors.get(plain(row.symbol.text())) == target.of:
                    return row.output.text()
            return None
        found = self.gradient(target)
        if found is not None:
            return found.formula(layout).text()
        for element in sheet.elements:
            pair = (plain(element.symbol.of), plain(element.symbol.wrt))
            if tuple(self.names.tensors.get(one) for one in pair) == (target.of, target.wrt):
                return element.rule.text()
        return None

    def gradient(self, target: Target) -> Gradient | None:
        """The row of the worksheet about a gradient of the loss."""
        rows = self.sheet.gradients if self.sheet is not None and target.of == "loss" else ()
        return next((row for row in rows if row.parameter == target.wrt), None)

    def numbers(self, target: Target, scene: Scene, layout: Layout) -> Any:
        """The numbers of a target, where they are not many."""
        try:
            truth = target.truths(scene)["gradient" if target.own else layout]
        except (GradstepError, Large):
            return None
        return as_lists(truth) if truth.size <= SHOWN else None


def as_lists(array: Array) -> Any:
    """Numbers with the digits that say something: 12, so that 0.1 + 0.2 is 0.3."""
    flat = [float(f"{value:.12g}") for value in array.reshape(-1).tolist()]
    return np.array(flat).reshape(array.shape).tolist()
