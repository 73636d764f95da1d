"""The lines that always stand on screen: position, phases, and what has just been said."""

import re
from bisect import bisect_right
from functools import lru_cache

from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.run.timeline import Listing, Which
from tui.render.charts.curve import block_spark
from tui.render.text.clean import clean
from tui.render.text.line import Line, fit_parts, spread, width_of
from tui.render.text.numbers import compact
from tui.view.concealing import UNKNOWN
from tui.view.snapshot import View

END = "end of run"
WHOLE = 100  # columns from which the mode is told in full
SPARK = 12  # losses
MODE = 22  # cells kept for it, so that nothing moves when a recording begins


def position_line(view: View, width: int) -> Line:
    """Experiment, position, loss and mode in one line; what matters least is left out first."""
    right = status(view, width)
    name: Line = [(" " + cleaned(view.run.name) + " ", "name")]
    parts: list[tuple[int, Line]] = [(4, [(" gradstep ", "key")]), (3, name)]
    if not view.busy:  # while it runs the place is where it was
        epoch, inside = place(view)
        spark: Line = [(" " + recent(tuple(view.losses[-SPARK:].tolist())), "curve")]
        parts += [(2, epoch), (0, inside), (1, loss(view, 9)), (5, spark)]
    room = width - max(MODE if width >= WHOLE else 0, width_of(right)) - 1
    return spread(fit_parts(parts, max(0, room)), right, width)


OF_STOP = re.compile(r"\A(stop \d+) \(.*?\): ")
OF_NUMBER = r"\1: "
cleaned = lru_cache(maxsize=64)(clean)  # names and modes stay the same from View to View


@lru_cache(maxsize=8)
def recent(losses: tuple[float, ...]) -> str:
    """The last losses as a spark, which stays as it is while no loss is computed."""
    return block_spark(losses, SPARK)


def status(view: View, width: int) -> Line:
    """The run under way, or the mode; this is in brief below WHOLE columns."""
    if view.busy:
        return [(f" {cleaned(view.busy)} ", "warn")]
    return [(f" {cleaned(view.mode if width >= WHOLE else view.brief)} ", "good")]


def message_line(view: View, width: int, key: str) -> Line:
    """The note; of one that is too long the ``key`` that shows all of it is named.

    What a stop is gives way to what was found there: its number tells which one it is.
    """
    note = cleaned(view.note)
    long = width_of([(note, "")]) >= width
    line: Line = [(f" {OF_STOP.sub(OF_NUMBER, note) if long else note}", "warn")] if note else []
    more: Line = [(" all of it: ", "dim"), (f"{key} ", "key")] if long else []
    return spread(line, more, width)


def place(view: View) -> tuple[Line, Line]:
    """The epoch; and iteration › phase › event, the selected level marked; always as wide."""
    timeline, listing, p = view.run.timeline, view.listing, view.position
    epochs = timeline.position(timeline.end).epoch
    words = {
        Granularity.EPOCH: out_of("epoch", p.epoch, epochs),
        Granularity.ITERATION: out_of("iter", p.iteration, timeline.iterations),
        Granularity.PHASE: phase_words(view),
        Granularity.OP: f"#{p.event}",
    }
    widths = {
        Granularity.PHASE: max([len(END), *map(len, last_places(listing))]),
        Granularity.OP: len(f"#{timeline.end}"),
    }
    epoch: Line = []
    inside: Line = []
    for level, text in words.items():
        role = "current" if level == view.level else ""
        pad = " " * (widths.get(level, 0) - len(text))
        line = epoch if level == Granularity.EPOCH else inside
        line += [(" ", ""), (text, role), (pad + (" ›" if level != Granularity.OP else ""), "dim")]
    return epoch, inside


def phase_words(view: View) -> str:
    """The phase of the op about to run and its place there, unless a lesson hides it."""
    if view.op is None:
        return END
    return UNKNOWN if view.hidden_by.next_op else place_in_phase(view.listing, view.position.op)


def out_of(word: str, number: int, total: int) -> str:
    """``iter   3/200``: as wide for every number."""
    return f"{word} {number:>{len(str(total))}}/{total}"


def place_in_phase(listing: Listing, op: int) -> str:
    """The phase of an op and its place there: ``backward 2/8``."""
    phase, inside, size = phase_place(listing, op)
    return f"{phase} {inside}/{size}"


def last_places(listing: Listing) -> list[str]:
    """The last place in each phase, than which none is written longer."""
    counts = {one: len(listing.places(Which(phase=one))) for one in listing.phases()}
    return [f"{phase} {count}/{count}" for phase, count in counts.items()]


def phase_place(listing: Listing, op: int) -> tuple[Phase, int, int]:
    """The phase of an op, its number in the phase from 1, and how many the phase has."""
    at = min(op, len(listing) - 1)
    phase = listing.ops[at].phase
    ops = listing.places(Which(phase=phase))
    return phase, bisect_right(ops, at), len(ops)  # they need not stand together


def loss(view: View, width: int) -> Line:
    """The loss as last computed; a dash before there is any."""
    text = "—" if view.loss is None else compact(view.loss, 9)
    return [(" loss ", "dim"), (text.ljust(width), "")]


def phase_strip(view: View, width: int) -> Line:
    """The five steps in their order: done, current with its progress, still to come, skipped."""
    line: Line = [(" ", "")]
    for i, phase in enumerate(view.run.order):
        line += [("→", "dim")] if i else []
        size = len(view.listing.places(Which(phase=phase)))
        line += padded(pill(view, phase), len(f" {phase} ● {size}/{size} "))
    return line if width_of(line) <= width else short_strip(view)


def padded(line: Line, width: int) -> Line:
    """A line of at least ``width`` cells."""
    return [*line, (" " * (width - width_of(line)), "")]


def pill(view: View, phase: Phase) -> Line:
    """One phase of the strip, with its progress where the cursor is in it."""
    if view.hidden_by.next_op:  # where the cursor stands in a phase would tell what comes
        begun = view.begun(phase)
        return [(f" {view.phase_text(phase)} ", f"phase-{phase}" if begun else "dim")]
    if not len(view.listing):  # a run that grows has no op yet
        return [(f" {phase} ", "dim")]
    here, inside, size = phase_place(view.listing, view.position.op)
    ops = view.listing.places(Which(phase=phase))
    skipped = view.signs.skipped.issuperset(ops)
    if view.op is not None and phase == here and skipped:
        return [(f" {phase} skipped {inside}/{size} ", f"pill-{phase}")]
    if skipped:
        return [(f" {phase} skipped ", "dim")]
    if view.op is not None and phase == here:
        return [(f" {phase} ● {inside}/{size} ", f"pill-{phase}")]
    done = view.position.op > ops[-1]
    return [(f" {phase} {'✓' if done else ' '} ", f"phase-{phase}" if done else "dim")]


def short_strip(view: View) -> Line:
    """The strip where there is little room: only the current step has a number."""
    line: Line = [(" ", "")]
    for phase in view.run.order:
        line += pill(view, phase)
    return line
