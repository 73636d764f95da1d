"""What is on the screen, as far as it says which keys do something there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.program.program import Program
from engine.run.phases import Phase
from tui.render.listing import fold_mark, lines_of
from tui.view.derivative import derives

if TYPE_CHECKING:
    from tui.view.snapshot import View


@dataclass(frozen=True)
class Shown:
    """Facts of what is shown: of the run, of the tensor and the op that are selected.

    ``layers`` says that a program made the run, ``derives`` that its derivatives are known, as a
    captured script's are; ``axes`` and ``elements`` are numbers of the
    tensor, ``unfolds`` says that the op is a line with functions of its own. ``alone`` means that
    there is room for one pane only, ``regions`` that the plots screen shows decision regions.
    """

    layers: bool = True
    derives: bool = True
    axes: int = 2
    elements: int = 1
    pinned: bool = False
    unfolds: bool = False
    watches: int = 0
    bookmarks: int = 0
    changes: int = 0
    start: bool = False
    end: bool = False
    alone: bool = False
    regions: bool = False


def shown_of(view: "View", bookmarks: int, changes: int, alone: bool) -> Shown:
    """The facts of a View, with how many bookmarks there are, and changes to take back."""
    array = view.array
    return Shown(
        layers=isinstance(view.run, Program),
        derives=derives(view.run),
        axes=0 if array is None else array.ndim,
        elements=0 if array is None else array.size,
        pinned=view.pinned,
        unfolds=unfolding(view),
        watches=len(view.watches),
        bookmarks=bookmarks,
        changes=changes,
        start=view.event == 0,
        end=view.op is None,
        alone=alone,
    )


def unfolding(view: "View") -> bool:
    """Whether the selected op is a line that unfolds, or a function of one that is unfolded."""
    lines = lines_of(view.run)
    if not lines or view.selected_op is None:
        return False
    op = view.listing.ops[view.selected_op]
    inside = op.phase in (Phase.FORWARD, Phase.LOSS) and op.name not in lines
    return inside or fold_mark(view.run, op) == "⊞ "


# What commands need to do something.


def always(shown: Shown) -> bool:
    """Whatever is shown."""
    return True


def layers(shown: Shown) -> bool:
    """A run that a program made: with derivatives, a flow and edits."""
    return shown.layers


def derived(shown: Shown) -> bool:
    """A run with derivatives, of a program or of a captured script."""
    return shown.derives


def elements(shown: Shown) -> bool:
    """A tensor that has numbers."""
    return shown.elements > 0


def editable(shown: Shown) -> bool:
    """A number, in a run that can be computed again."""
    return shown.layers and shown.elements > 0


def matrix(shown: Shown) -> bool:
    """A tensor with rows and columns."""
    return shown.axes >= 2


def deep(shown: Shown) -> bool:
    """A tensor of which not all axes can be seen at once."""
    return shown.axes > 2


def pinned(shown: Shown) -> bool:
    """A tensor that was chosen, and stays."""
    return shown.pinned


def unfolds(shown: Shown) -> bool:
    """A line that has functions of its own."""
    return shown.unfolds


def watched(shown: Shown) -> bool:
    """Something is watched."""
    return shown.watches > 0


def marked(shown: Shown) -> bool:
    """There are bookmarks."""
    return shown.bookmarks > 0


def changed(shown: Shown) -> bool:
    """Something was edited, skipped or switched."""
    return shown.changes > 0


def ahead(shown: Shown) -> bool:
    """The run goes on."""
    return not shown.end


def behind(shown: Shown) -> bool:
    """Something lies behind the cursor."""
    return not shown.start


def beside(shown: Shown) -> bool:
    """Panes stand beside each other."""
    return not shown.alone


def curves(shown: Shown) -> bool:
    """The plots screen shows curves, not regions."""
    return not shown.regions
