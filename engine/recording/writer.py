"""The writing side of a recording: one run, its branches, and commits that survive a kill.

Everything waits in memory until :meth:`Writer.commit`, which is one transaction: whoever reads the
file, or finds it after a kill, sees whole commits. The caller says when; the engine has no clock.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine import __version__
from engine.program.program import Program
from engine.recording.canonical import (
    canonical,
    experiment_text,
    journal_texts,
    labels_text,
    self_contained,
)
from engine.recording.closing import RUNNING, digests
from engine.recording.contents import Contents
from engine.recording.digests import QUICK, STRONG, journal_digest, root_digest
from engine.recording.estimate import Estimate
from engine.recording.file import RecordingFile, refusing
from engine.recording.lane import Lane
from engine.recording.schema import LATER, TABLES, USER_VERSION
from engine.run.timeline import begun, completed
from engine.session.journal import Journal

Rows = list[tuple[Any, ...]]
INTERVAL = 0.2  # seconds between commits at most
QUEUE_BYTES = 2**24  # a commit is due when this much waits, whatever the time
BRANCH = "INSERT INTO branch (run, name, parent, fork, events, journal) VALUES (?, ?, ?, ?, ?, ?)"
RUN = (
    "INSERT INTO run (id, gradstep, name, experiment, labels, data, root, environment, store, ops,"
    " width, spacing, status, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'recording', '')"
)


class Writer(RecordingFile):
    """Records one run into a file; a GradstepError where the file cannot be made.

    ``failed`` says why nothing more is written after the disk refused; ``note`` says why no more
    tensors are stored. ``limit`` is the size in bytes after which none are. Once made, a Writer
    raises nothing of the disk: a full one must not end the session.
    """

    def __init__(
        self,
        path: Path,
        program: Program,
        plan: Estimate,
        environment: Mapping[str, Any],
        limit: int | None = None,
    ) -> None:
        super().__init__(path, USER_VERSION, TABLES | LATER)
        self.program = program
        self.plan = plan
        self.limit = limit
        self.note = ""
        self.contents = Contents()
        self.lanes: dict[str, Lane] = {}
        self.parents: dict[str, tuple[str | None, int]] = {}
        self.committed = 0.0
        self._texts: dict[str, list[str]] = {}
        with refusing(path), self.transaction():
            self.run = self.insert_run(environment)

    @property
    def width(self) -> int:
        """Bytes of the digest of what an op wrote."""
        return STRONG if self.plan.store == "full" else QUICK

    def insert_run(self, environment: Mapping[str, Any]) -> int:
        """Insert the rows that say what is run, before its first event; the number of the run."""
        program, data, run = self.program, self.program.data, self.next_run()
        self.contents.run = run
        stored = {name: self.contents.store(a) for name, a in (("x", data.x), ("y", data.y))}
        arrays = {
            name: {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "digest": stored[name][0].hex(),
                "reference": stored[name][1],
            }
            for name, array in (("x", data.x), ("y", data.y))
        }
        experiment, labels = experiment_text(self_contained(program)), labels_text(data)
        self.root = root_digest(experiment, labels, stored["x"][0], stored["y"][0])
        about = (run, __version__, program.experiment.name, experiment, labels, canonical(arrays))
        plan = (self.plan.store, len(program.ops), self.width, self.plan.spacing)
        self.connection.execute(RUN, (*about, self.root, canonical(dict(environment)), *plan))
        self.insert_contents()
        self.insert_program(run)
        return run

    def next_run(self) -> int:
        """The number of a new run."""
        (last,) = self.connection.execute("SELECT max(id) FROM run").fetchone()
        return int(last or 0) + 1

    def insert_contents(self) -> None:
        """Insert the bytes of tensors that wait."""
        self.connection.executemany("INSERT INTO content VALUES (?, ?)", self.contents.take())

    def insert_program(self, run: int) -> None:
        """Insert the ops, their slots, and every tensor."""
        program = self.program
        ops = [(run, op.index, op.phase, op.name, op.layer, op.formula) for op in program.ops]
        self.connection.executemany("INSERT INTO op VALUES (?, ?, ?, ?, ?, ?)", ops)
        slots = [(op.index, name) for op in program.ops for name in op.writes]
        rows = [(run, number, *slot) for number, slot in enumerate(slots)]
        self.connection.executemany("INSERT INTO slot VALUES (?, ?, ?, ?)", rows)
        names = [
            (run, number, info.name, info.role, info.dtype, str(list(info.shape)))
            for number, info in enumerate(program.tensors.values())
        ]
        self.connection.executemany("INSERT INTO tensor VALUES (?, ?, ?, ?, ?, ?)", names)

    def branch(self, name: str, parent: str | None = None, fork: int = 0) -> Lane:
        """Begin a branch at event ``fork`` of its parent, with rows from that iteration on."""
        lane = Lane(0, self.program, self.width, self.plan.spacing, self.contents)
        self.lanes[name], self.parents[name], self._texts[name] = lane, (parent, fork), []

        def insert() -> None:
            values = (self.run, name, parent, fork, 0, journal_digest([]))
            lane.number = int(self.connection.execute(BRANCH, values).lastrowid or 0)
            lane.begin(*self.start(parent, fork))

        self.attempt(insert)
        return lane

    def start(self, parent: str | None, fork: int) -> tuple[bytes, int]:
        """The link that a branch's first own iteration follows on, and the event it begins with."""
        timeline = self.program.timeline
        iteration = completed(timeline, fork)
        while parent is not None and iteration:
            above, earlier = self.parents[parent]
            if above is None or iteration > completed(timeline, earlier):
                query = "SELECT link FROM block WHERE branch = ? AND iteration = ?"
                values = (self.lanes[parent].number, iteration)
                (link,) = self.connection.execute(query, values).fetchone()
                return link, timeline.begin(iteration)
            parent = above
        return self.root, 0

    def journal(self, name: str, journal: Journal) -> None:
        """Replace the edits of a branch, and their digest, by those of its journal now."""
        texts = journal_texts(journal)
        if texts == self._texts[name] or self.failed:
            return
        number = self.lanes[name].number
        rows = [
            (number, i, entry.event, text)
            for i, (entry, text) in enumerate(zip(journal, texts, strict=True))
        ]

        def replace() -> None:
            self.connection.execute("DELETE FROM edit WHERE branch = ?", (number,))
            self.connection.executemany("INSERT INTO edit VALUES (?, ?, ?, ?)", rows)
            values = (journal_digest(texts), number)
            self.connection.execute("UPDATE branch SET journal = ? WHERE id = ?", values)

        self.attempt(replace)
        self._texts[name] = texts

    def marks(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Replace the bookmarks, stops or watches of the run by these rows."""
        holes = ", ".join("?" * (2 + len(rows[0]))) if rows else ""
        numbered = [(self.run, number, *row) for number, row in enumerate(rows)]

        def replace() -> None:
            self.connection.execute(f"DELETE FROM {table} WHERE run = ?", (self.run,))
            if rows:
                self.connection.executemany(f"INSERT INTO {table} VALUES ({holes})", numbered)

        self.attempt(replace)

    def metrics(self, name: str, found: Mapping[str, float]) -> None:
        """Write metrics of a branch after its last iteration, by name; NaN becomes NULL."""
        lane = self.lanes[name]
        iteration = begun(self.program.timeline, lane.events)
        rows = [(lane.number, iteration, k, None if math.isnan(v) else v) for k, v in found.items()]
        query = "INSERT OR REPLACE INTO metric VALUES (?, ?, ?, ?)"
        self.attempt(lambda: self.connection.executemany(query, rows))

    def tick(self, now: float) -> None:
        """Commit where the last commit is INTERVAL seconds ago, or too many bytes wait.

        ``now`` is in seconds, of any clock.
        """
        if now - self.committed >= INTERVAL or self.contents.nbytes > QUEUE_BYTES:
            self.committed = now
            self.commit()

    def commit(self) -> None:
        """Write everything that waits, in one transaction."""
        if self.failed:
            self.forget()
            return
        if self.limit is not None and self.size + self.contents.nbytes > self.limit:
            self.stop_tensors(f"the file has reached its limit of {self.limit:,} bytes")
        rows = [(lane, lane.rows()) for lane in self.lanes.values()]

        def insert() -> None:
            self.insert_contents()
            for lane, waiting in rows:
                self.write_lane(lane, *waiting)

        self.attempt(insert)

    def forget(self) -> None:
        """Drop what waits, after a failure: there is nowhere to write it to."""
        self.contents.take()
        for lane in self.lanes.values():
            lane.rows()

    def write_lane(
        self, lane: Lane, blocks: Rows, losses: Rows, keyframes: Rows, packs: Rows
    ) -> None:
        """Insert the rows of a branch that wait, over those of an iteration that was incomplete."""
        run = self.connection.executemany
        run("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?)", blocks)
        run("INSERT OR REPLACE INTO loss VALUES (?, ?, ?, ?, ?, ?)", losses)
        run("INSERT OR REPLACE INTO keyframe VALUES (?, ?, ?, ?, ?)", keyframes)
        run("INSERT OR REPLACE INTO pack VALUES (?, ?, ?)", packs)
        values = (lane.events, lane.number)
        self.connection.execute("UPDATE branch SET events = ? WHERE id = ?", values)

    def stop_tensors(self, why: str) -> None:
        """Store no more tensors; digests, losses and edits go on."""
        if self.contents.open:
            self.contents.open = False
            self.note = f"{why}: no more tensors are stored, the rest is"
            self.update_run("note", self.note)

    def close(self, status: str = "closed") -> None:
        """Commit and leave a single file; ``status`` says how the run ended."""
        self.commit()
        self.update_run("status", status, self.insert_closing)
        self.leave_single_file()

    def insert_closing(self) -> None:
        """Insert the digests of all that this run has in the file."""
        running = {
            part: {lane.number: lane.running[part] for lane in self.lanes.values()}
            for part in RUNNING
        }
        found = digests(self.connection.execute, self.run, running)
        self.connection.execute("INSERT INTO closing VALUES (?, ?)", (self.run, found))

    def update_run(self, column: str, value: str, more: Callable[[], None] = lambda: None) -> None:
        """Change a column of the row of the run, and whatever belongs to the same transaction."""

        def update() -> None:
            query = f"UPDATE run SET {column} = ? WHERE id = ?"
            self.connection.execute(query, (value, self.run))
            more()

        self.attempt(update)
