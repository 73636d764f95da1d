"""A View without what a lesson hides: the one place where it is taken out of all that is shown."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine.lesson.hidden import Concealed, Hidden
from engine.program.program import Program
from engine.run.op import TensorInfo
from engine.run.run import Run
from engine.run.timeline import Listing
from tui.view.concealing import op_without
from tui.view.snapshot import View

VEILED = ("jacobian", "chain", "watches", "console", "flow", "diagnostics")
"""Panes that show nothing while something is hidden: they could be asked for it."""
WHY = "the lesson hides it until it is revealed"


def veiled(view: View, hidden: Hidden) -> View:
    """The View without what is hidden."""
    if not hidden:
        return view
    tensors = {n: a for n, a in view.tensors.items() if not hidden.hides_cells(n)}
    shown = not hidden.hides_cells(view.tensor)
    lossless = view.run.loss is not None and hidden.hides_cells(view.run.loss)
    return replace(
        view,
        run=run_without(view.run, hidden),
        listing=listing_without(view.listing, hidden, view.position.op),
        tensors=tensors,
        past=replace(view.past, tensors=tensors),
        before=view.before if shown else None,
        before_lost=view.before_lost and shown,
        losses=np.zeros(0) if lossless else view.losses,
        history=np.zeros(0) if lossless else view.history,
        hidden=frozenset(n for n in view.run.tensors if hidden.hides_cells(n)),
        lit=view.lit if shown else (),
        hidden_by=hidden,
    )


@lru_cache(maxsize=4)
def run_without(run: Run, hidden: Hidden) -> Run:
    """The run with shapes concealed that are hidden; a captured one keeps them."""
    if not hidden.sizes or not isinstance(run, Program):
        return run
    tensors: Mapping[str, TensorInfo] = {
        name: replace(info, shape=Concealed(info.shape)) if hidden.hides_size(name) else info
        for name, info in run.tensors.items()
    }
    return replace(run, tensors=tensors)


@lru_cache(maxsize=8)
def listing_without(listing: Listing, hidden: Hidden, place: int) -> Listing:
    """The ops without what is hidden of them: right sides, or all of those from ``place`` on."""
    if not hidden.formulas and not hidden.next_op:
        return listing
    return Listing([op_without(op, hidden, place) for op in listing.ops])
