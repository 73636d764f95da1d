"""A recording in the engine's own types: its run, branches, iterations and tensors."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.arrays import Array
from engine.errors import GradstepError
from engine.experiment.data_inline import MAX_RANK
from engine.experiment.dataset import Dataset, in_lines
from engine.experiment.spec import Experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.recording.account import Account
from engine.recording.canonical import parse, parse_experiment, parse_labels
from engine.recording.contents import NOWHERE
from engine.recording.digests import QUICK, STRONG, link, root_digest
from engine.recording.estimate import STORES
from engine.recording.iteration_digests import DTYPES
from engine.recording.lane import keyframe_names
from engine.recording.loss_rows import LossRows
from engine.recording.marks import Marks, read_marks
from engine.recording.plausible import implausible
from engine.recording.reader import Damaged, Reader
from engine.recording.runs import RecordedBranch, RecordedRun, read_branches, read_runs
from engine.recording.stored import StoredContents
from engine.run.timeline import begun, completed

if TYPE_CHECKING:
    from array import array

# What is larger than it can be is not even read.
BLOCK = (
    "SELECT CASE WHEN length(digests) <= ? THEN digests END, refs, link FROM block"
    " WHERE branch = ? AND iteration = ?"
)
KEYFRAME = (
    "SELECT CASE WHEN length(digests) <= ? THEN digests END, refs FROM keyframe"
    " WHERE branch = ? AND iteration = ?"
)
MOST_LOSSES = 2**25  # of all branches, and beyond: one for 8 bytes of the file


@dataclass(frozen=True)
class Block:
    """What the events of an iteration wrote: a digest and a reference for each slot."""

    iteration: int
    digests: tuple[bytes, ...]
    refs: tuple[int, ...]


class Recording:
    """One run of a recording; the last one, or that of a number.

    Whatever is asked of it raises Damaged where the file is not as it was written. GradstepError:
    there is no such run, or this gradstep makes other ops of its experiment.
    """

    def __init__(self, reader: Reader, number: int | None = None) -> None:
        self.reader = reader
        self.runs = read_runs(reader)
        self.run = self.chosen(number)
        self.contents = StoredContents(reader)
        self.root = b""
        self.account = Account()
        self._losses = LossRows(self.reader)

    def damaged(self, what: str) -> Damaged:
        """The Damaged that names the file and what is damaged in it; it is not raised."""
        return Damaged(f"{self.reader.path}: damaged: {what}")

    def chosen(self, number: int | None) -> RecordedRun:
        """The run of a number, or the last one."""
        if not self.runs:
            raise self.damaged("there is no run in it")
        found = [run for run in self.runs if run.id == number] if number else [self.runs[-1]]
        if not found:
            known = ", ".join(str(run.id) for run in self.runs)
            raise GradstepError(f"{self.reader.path}: no run {number}; there are: {known}")
        run = found[0]
        width = {"full": STRONG, "keyframes": QUICK}
        if run.store not in STORES or run.width != width[run.store]:
            raise self.damaged(f"run {run.id} has a store {run.store!r} of width {run.width}")
        if not (1 <= run.spacing <= 2**30 and 1 <= run.ops <= 2**20):
            raise self.damaged(f"run {run.id} has {run.ops} ops, a keyframe every {run.spacing}")
        return run

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment, checked against the root of the chain."""
        found: Experiment = self.naming(parse_experiment, self.texts[0])
        return found

    @cached_property
    def texts(self) -> tuple[str, str, dict[str, Any]]:
        """The experiment, the labels and the references of the data, checked against the root."""
        query = "SELECT experiment, labels, data, root FROM run WHERE id = ?"
        row = self.reader.one(query, (self.run.id,), "sssb")
        assert row is not None
        experiment, labels, data, root = row
        about = self.naming(parse, data, "its data")
        try:
            digests = [bytes.fromhex(about[name]["digest"]) for name in ("x", "y")]
        except (TypeError, KeyError, ValueError):
            raise self.damaged("where its data is") from None
        if root_digest(experiment, labels, digests[0], digests[1]) != root:
            raise self.damaged("its experiment is not the one that was recorded")
        self.root = bytes(root)
        return experiment, labels, about

    @cached_property
    def program(self) -> Program:
        """The program, compiled from the experiment and the data of the recording alone."""
        # Plausible first: a forged experiment must not make the compiler take all the memory.
        experiment, data = self.experiment, self.dataset
        if said := implausible(experiment, data, self.reader.size):
            raise self.damaged(said)
        program: Program = self.naming(compile_program, experiment, data)
        rows = self.reader.rows(
            "SELECT op, tensor FROM slot WHERE run = ? ORDER BY number", (self.run.id,), "is"
        )
        # Digests are told apart by their slots alone: with other ops they would mean other tensors.
        if [(op.index, name) for op in program.ops for name in op.writes] != rows:
            said = f"gradstep {self.run.gradstep} made other ops of this experiment than this one"
            raise GradstepError(f"{self.reader.path}: {said}")
        self.slots = tuple(rows)
        longest = max(
            (branch.events for branch in read_branches(self.reader, self.run.id)), default=0
        )
        return program.lasting(program.timeline.needed(longest))

    @property
    def dataset(self) -> Dataset:
        """The samples of the recording, checked against digests: (N, …) for lines, else rows."""
        _, labels, about = self.texts
        lines = in_lines(self.experiment)
        classes, inputs, given = self.naming(parse_labels, labels)
        x, y = (self.stored(about[name], f"its data {name}") for name in ("x", "y"))
        ranks = x.ndim == 2 and y.ndim in (1, 2) if not lines else x.ndim and y.ndim
        if not ranks or len(x) != len(y) or 0 in x.shape + y.shape:
            raise self.damaged(f"its data has shapes {x.shape} and {y.shape}")
        # Layers take floats, and integers where a flat y is class indices; lines take either.
        floats = x.dtype.kind == "f" and (y.dtype.kind == "f") == (y.ndim == 2)
        if not (floats or lines):
            raise self.damaged(f"its data has dtypes {x.dtype} and {y.dtype}")
        return Dataset(x, y, classes, inputs, given=given)

    def stored(self, about: Any, what: str) -> Array:
        """A stored array whose dtype, shape and digest are written beside it."""
        try:
            dtype, shape = about["dtype"], tuple(about["shape"])
            digest, reference = bytes.fromhex(about["digest"]), about["reference"]
        except (TypeError, KeyError, ValueError):
            raise self.damaged(what) from None
        sizes = all(isinstance(n, int) and 0 <= n < 2**40 for n in shape)
        sound = sizes and len(shape) <= MAX_RANK
        if dtype not in DTYPES.values() or not sound or not isinstance(reference, int):
            raise self.damaged(f"{what}: dtype {dtype!r}, shape {shape!r}")
        return self.contents.tensor(digest, reference, dtype, shape, what)

    def naming(self, function: Any, *arguments: Any) -> Any:
        """The result of a function; its GradstepErrors become a Damaged that names the file."""
        try:
            return function(*arguments)
        except Damaged:
            raise
        except (GradstepError, RecursionError) as problem:
            raise self.damaged(str(problem)) from None

    # -- branches

    @cached_property
    def branches(self) -> dict[str, RecordedBranch]:
        """The branches by name, parents first, with only events that have their digests."""
        found: dict[str, RecordedBranch] = {}
        timeline, blocks, losses = self.program.timeline, 0, 0
        for branch in read_branches(self.reader, self.run.id):
            parent = found.get(branch.parent) if branch.parent is not None else None
            if branch.name in found or (branch.parent is not None and parent is None):
                raise self.damaged(f"branch {branch.name!r} hangs on {branch.parent!r:.60}")
            if not 0 <= branch.fork <= branch.events <= timeline.end:
                raise self.damaged(f"branch {branch.name!r} has {branch.events} events")
            if branch.fork > (parent.events if parent else 0):
                said = f"left {branch.parent!r} at #{branch.fork}, where that has no event"
                raise self.damaged(f"branch {branch.name!r} {said}")
            before = completed(timeline, branch.fork)
            last = self.last_block(branch)
            last = before if last is None else last
            if last > timeline.iterations or branch.events > timeline.begin(max(0, last)):
                said = f"has {branch.events} events, but digests up to iteration {last}"
                raise self.damaged(f"branch {branch.name!r} {said}")
            blocks += max(0, completed(timeline, branch.events) - before)
            losses += begun(timeline, branch.events)
            self.check_room(branch, blocks, losses)
            found[branch.name] = branch
        return found

    def last_block(self, branch: RecordedBranch) -> int | None:
        """The last iteration that a branch has digests of itself."""
        query = "SELECT max(iteration) FROM block WHERE branch = ?"
        row = self.reader.one(query, (branch.id,), "I")
        return row[0] if row else None

    def check_room(self, branch: RecordedBranch, blocks: int, losses: int) -> None:
        """Raise Damaged where the branches up to this one claim more than the file can hold."""
        needed = blocks * self.run.width * len(self.slots)
        if needed > self.reader.size and needed > self.reader.measure():
            said = f"digests of {blocks:,} iterations, which a file of {self.reader.size:,} bytes"
            raise self.damaged(f"branch {branch.name!r} needs {said} cannot hold")
        if losses > MOST_LOSSES + self.reader.size // 8:
            raise self.damaged(f"its branches have {losses:,} losses, more than there can be")

    def reread(self) -> dict[str, RecordedBranch]:
        """The branches as they are by now, while the recording is being written.

        Raises Damaged, and leaves them as they were, where the file is no longer what it was.
        """
        self.reader.check_still_there()
        before, losses = self.branches, self._losses
        del self.__dict__["branches"]
        try:
            self._losses = LossRows(self.reader)
            with self.reader.snapshot():
                return self.branches
        except BaseException:
            self.__dict__["branches"], self._losses = before, losses
            raise

    def whole(self, event: int) -> int:
        """How many iterations are over at an event."""
        return completed(self.program.timeline, event)

    def lane(self, branch: RecordedBranch, iteration: int) -> RecordedBranch:
        """The branch that has the rows of an iteration, counted from 1."""
        while branch.parent is not None and iteration <= self.whole(branch.fork):
            branch = self.branches[branch.parent]
        return branch

    def losses(self, branch: RecordedBranch) -> "array[float]":
        """The loss of every iteration of a branch, its parents' first; NaN where it was skipped."""
        return self._losses.of(branch, self.branches, self.program.timeline)

    # -- iterations and tensors

    def block(self, branch: RecordedBranch, iteration: int) -> Block:
        """What the events of an iteration, counted from 1, wrote; a Damaged if it was changed."""
        lane = self.lane(branch, iteration)
        what = f"iteration {iteration} of branch {branch.name!r}"
        row = self.reader.one(BLOCK, (self.run.width * len(self.slots), lane.id, iteration), "Bsb")
        if row is None:
            raise self.damaged(f"{what} is missing")
        digests, refs, linked = row
        if digests is None:
            raise self.damaged(f"{what}: it has more digests than there are tensors")
        if link(self.link_before(branch, iteration), iteration, digests) != linked:
            raise self.damaged(f"{what}: its digests are not the ones that were recorded")
        width = self.run.width
        parts = tuple(digests[i : i + width] for i in range(0, len(digests), width))
        references = self.references(refs, what) if width == STRONG else (NOWHERE,) * len(parts)
        if len(references) != len(parts) or len(digests) % width:
            raise self.damaged(f"{what}: {len(parts)} digests, {len(references)} references")
        return Block(iteration, parts, references)

    def link_before(self, branch: RecordedBranch, iteration: int) -> bytes:
        """The link that an iteration, counted from 1, follows on: the root for the first."""
        if iteration == 1:
            _ = self.texts  # reading them checks and sets the root
            return self.root
        lane = self.lane(branch, iteration - 1)
        row = self.reader.one(
            "SELECT link FROM block WHERE branch = ? AND iteration = ?",
            (lane.id, iteration - 1),
            "b",
        )
        if row is None:
            raise self.damaged(f"iteration {iteration - 1} of branch {branch.name!r} is missing")
        return bytes(row[0])

    def references(self, text: str, what: str) -> tuple[int, ...]:
        """The references of a JSON text, each −1 or more."""
        refs = self.naming(parse, text, what)
        if not isinstance(refs, list) or not all(
            isinstance(r, int) and -1 <= r < 2**63 for r in refs
        ):
            raise self.damaged(f"{what}: its references")
        return tuple(refs)

    def keyframe_before(self, branch: RecordedBranch, iteration: int) -> tuple[int, bool] | None:
        """The last keyframe at or before an iteration, counted from 1, and whether it is whole."""
        lane: RecordedBranch | None = branch
        while lane is not None:
            row = self.reader.one(
                "SELECT iteration, whole FROM keyframe WHERE branch = ? AND iteration <= ? "
                "ORDER BY iteration DESC LIMIT 1",
                (lane.id, iteration),
                "ii",
            )
            if row is not None:
                return row[0], bool(row[1])
            iteration = min(iteration, self.whole(lane.fork))
            lane = self.branches[lane.parent] if lane.parent is not None else None
        return None

    def keyframe(self, branch: RecordedBranch, iteration: int) -> dict[str, Array]:
        """The tensors at the beginning of an iteration, counted from 1."""
        lane, what = self.lane(branch, iteration), f"the keyframe of iteration {iteration}"
        names = keyframe_names(self.program)
        row = self.reader.one(KEYFRAME, (STRONG * len(names), lane.id, iteration), "Bs")
        if row is None:
            raise self.damaged(f"{what} is missing")
        if row[0] is None:
            raise self.damaged(f"{what}: it has more digests than there are tensors")
        digests, refs = row[0], self.references(row[1], what)
        if len(refs) != len(names) or len(digests) != STRONG * len(names):
            raise self.damaged(what)
        found = {}
        for number, (name, reference) in enumerate(zip(names, refs, strict=True)):
            digest = digests[STRONG * number : STRONG * (number + 1)]
            if any(digest):
                found[name] = self.named(name, digest, reference, iteration - 1)
        return found

    def written(self, block: Block, slot: int) -> Array | None:
        """The stored tensor of a slot, checked; None where it is not stored, or was not written."""
        _, name = self.slots[slot]
        digest, reference = block.digests[slot], block.refs[slot]
        if reference == NOWHERE or not any(digest):
            return None
        return self.named(name, digest, reference, block.iteration - 1)

    def named(self, name: str, digest: bytes, reference: int, iteration: int) -> Array:
        """A stored tensor that the program knows, of the shape that it has in an iteration.

        One that a keyframe took over from another batch may have more rows or fewer.
        """
        info = self.program.tensors[name]
        shapes = [info.shape]
        # Which shape it had is not written down, but its digest was made with it: try each.
        if name in self.per_sample:
            cut = self.program.batches
            last = cut.rows - (cut.count - 1) * cut.size
            counts = (self.rows_in(iteration), cut.size, last)
            shapes = list(dict.fromkeys((n, *info.shape[1:]) for n in counts if n > 0))
        what = f"{name} of iteration {iteration + 1}"
        problem: Damaged | None = None
        for shape in shapes:
            try:
                return self.contents.tensor(digest, reference, DTYPES[info.dtype], shape, what)
            except Damaged as error:
                problem = problem or error
        assert problem is not None
        raise problem

    def rows_in(self, iteration: int) -> int:
        """How many samples an iteration, counted from 0, has."""
        cut = self.program.batches
        return min(cut.size, cut.rows - iteration % cut.count * cut.size)

    @cached_property
    def per_sample(self) -> set[str]:
        """The tensors that have a row for each sample, and their gradients."""
        tensors = self.program.tensors
        of = {info.name: tensors[info.gradient_of or info.name] for info in tensors.values()}
        return {name for name, info in of.items() if info.per_sample}

    # -- what people said about it

    @cached_property
    def marks(self) -> Marks:
        """The bookmarks, stops and watches, with what is wrong with some of them."""
        return read_marks(self.reader, self.run.id, self.program.timeline.end)

    def reread_marks(self) -> Marks:
        """The marks as they are in the file now."""
        self.__dict__.pop("marks", None)
        return self.marks

    def metrics(self, branch: RecordedBranch) -> list[tuple[int, str, float | None]]:
        """The metrics of a branch, by iteration: iteration, name, value; None for NaN."""
        query = "SELECT iteration, name, value FROM metric WHERE branch = ? ORDER BY iteration"
        return [(a, b, c) for a, b, c in self.reader.rows(query, (branch.id,), "isF")]
