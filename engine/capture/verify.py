"""Whether a captured recording is as it was written: its chain of digests, and every value."""

from collections.abc import Generator
from dataclasses import dataclass, field

from engine.capture.captured import CapturedRun
from engine.capture.closing import changed_parts
from engine.capture.definitions import numbers, shape_digest
from engine.capture.messages import Degree
from engine.capture.packed import Told
from engine.capture.rows import Shape
from engine.capture.stored import StoredCapture
from engine.recording.contents import NOWHERE
from engine.recording.digests import text_digest
from engine.recording.reader import Damaged

MOST_DAMAGE = 20  # places that are named


@dataclass
class Verdict:
    """What was found: iterations whose link is right, values whose bytes are, and the damage.

    ``closed`` is whether what stands beside the chain was bound when the script ended.
    """

    events: int = 0
    iterations: int = 0
    values: int = 0
    closed: bool = False
    damage: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything is as it was written."""
        return not self.damage

    def damaged(self, what: str) -> None:
        """Note damage."""
        if what not in self.damage and len(self.damage) < MOST_DAMAGE:
            self.damage.append(what)


def verify(run: CapturedRun) -> Generator[int, None, Verdict]:
    """Look through a run; yields the iterations done, returns the Verdict."""
    stored, verdict = run.stored, Verdict(run.timeline.end)
    check_root(stored, verdict)
    wrong = wrong_shapes(stored, verdict)
    seen: set[tuple[int, bytes]] = set()
    for iteration, row in enumerate(stored.index):
        try:
            block = stored.block(iteration)
            if row.shape in wrong:
                raise stored.damaged(f"iteration {iteration + 1}: its ops")
            begin = run.timeline.begin(iteration)
            for slot, number in enumerate(block.numbers):
                place = stored.place_of(block, slot)
                told = stored.told(iteration, slot, None if place is None else begin + place)
                check_value(stored, number, told, iteration, seen)
        except Damaged as problem:
            verdict.damaged(problem.what)
            yield iteration + 1
            continue
        verdict.iterations += 1
        yield iteration + 1
    verdict.values = len(seen)
    try:
        changed = changed_parts(stored.reader, stored.run.id)
        verdict.closed = changed is not None
        for said in changed or ():
            verdict.damaged(said)
    except Damaged as problem:
        verdict.damaged(problem.what)
    return verdict


def check_root(stored: StoredCapture, verdict: Verdict) -> None:
    """The command and the process, which the chain begins with."""
    query = "SELECT command, process FROM capture_run WHERE id = ?"
    row = stored.reader.one(query, (stored.run.id,), "ss")
    if row is None or text_digest(*row) != stored.run.root:
        verdict.damaged("its command or its process is not the one that was recorded")


def wrong_shapes(stored: StoredCapture, verdict: Verdict) -> set[int]:
    """The shapes of iterations whose ops or tensors are not those that were recorded."""
    wrong = set()
    for number, shape in enumerate(stored.shapes):
        if found_digest(stored, shape) != shape.digest:
            wrong.add(number)
            verdict.damaged(f"the ops of iterations of kind {number + 1}, or their tensors")
    return wrong


def found_digest(stored: StoredCapture, shape: Shape) -> bytes:
    """The digest of a shape, made of what is in the file."""
    places = numbers(sorted(shape.loss_ops))
    about = (numbers(shape.ops), places, shape.loss, int(shape.sure))
    return shape_digest(shape.ops, about, stored.ops, stored.tensors)


def check_value(
    stored: StoredCapture, number: int, told: Told, iteration: int, seen: set[tuple[int, bytes]]
) -> None:
    """Read the bytes of a value, and of its sample, once. Raises Damaged."""
    name = f"{stored.tensors[number].name} of iteration {iteration + 1}"
    whole, sample = (told.reference, told.digest), (told.sample_reference, told.sample)
    if told.degree & Degree.WHOLE and whole not in seen and told.reference != NOWHERE:
        stored.whole(number, told, name)
        seen.add(whole)
    if told.degree & Degree.SAMPLE and sample not in seen and told.sample_reference != NOWHERE:
        stored.sample(number, told, name)
        seen.add(sample)
