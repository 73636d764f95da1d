"""The Sink that writes a recording: what a traced command tells, committed as it comes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine import __version__
from engine.capture.closing import closing_digests
from engine.capture.definitions import NOTE, plain
from engine.capture.lane import Lane
from engine.capture.messages import Ended, Frame, Hello, Note, OpDefinition, Raised
from engine.capture.sink import End, Reason, Stream
from engine.errors import GradstepError
from engine.recording.canonical import canonical
from engine.recording.contents import Contents
from engine.recording.digests import text_digest
from engine.recording.file import RecordingFile, exists
from engine.recording.schema import CAPTURE_VERSION, CAPTURES, LATER, TABLES

INTERVAL: Final = 0.2  # seconds between commits at most
QUEUE_BYTES: Final = 2**24  # a commit is due when this much waits, whatever the time
PATIENCE: Final = 4  # a commit that took long waits so many times as long for the next one
TABLES_SHARE: Final = 16  # of a limit this part is for what is no tensor
MOST_NOTES: Final = 20
MOST_SOURCES: Final = 1000
MOST_SOURCE: Final = 2**21  # characters of one source file
MOST_LOG: Final = 2**26  # characters of what the command printed
RUN = "INSERT INTO capture_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'recording', '{}', '', 0)"


@dataclass(frozen=True)
class Command:
    """What was started: its name, arguments, directory, and whatever else is to be written down."""

    name: str
    arguments: tuple[str, ...]
    directory: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Process:
    """One process of the command; ``run`` is its number once it has had an event."""

    hello: Hello
    lane: Lane
    run: int = 0
    ending: dict[str, Any] = field(default_factory=dict)


class CaptureWriter:
    """The Sink that writes a recording at ``path``; it is made with the first event.

    ``sources`` says whether the files of the script are kept, ``limit`` the bytes after which no
    more tensors are stored. Raises GradstepError where there is a file already, or none can be
    made, and for what no tracer sends. ``failed`` says why nothing more is written; ``notes`` what
    is to be said to whoever started the command.
    """

    def __init__(
        self, path: Path, command: Command, sources: bool = True, limit: int | None = None
    ) -> None:
        if exists(path):
            raise GradstepError(f"{path}: exists already")
        self.path = path
        self.command = command
        self.sources = sources
        self.limit = limit
        self.file: RecordingFile | None = None
        self.processes: list[Process] = []
        self.notes: list[str] = []
        self._files: dict[str, None] = {}
        self._sources: list[tuple[str, str]] = []
        self._log: list[tuple[int, int, str, str]] = []
        self._logged = 0
        self._source_rows = self._log_rows = 0
        self._due = 0.0

    @property
    def failed(self) -> str:
        """Why nothing more is written; empty while it is."""
        return "" if self.file is None else self.file.failed

    @property
    def events(self) -> int:
        """The events of all processes."""
        return sum(process.lane.events for process in self.processes)

    # -- what comes

    def frame(self, process: int, frame: Frame) -> None:
        """A frame of a process; its Hello first."""
        if isinstance(frame, Hello):
            self.begin(frame)
            return
        told = self.processes[process]
        match frame:
            case Note():
                self.write_log(process, NOTE, frame.text)
                if len(told.lane.notes) < MOST_NOTES:
                    told.lane.note(frame.text)
            case Raised():
                trace = list(frame.trace)
                told.ending["raised"] = {"type": frame.type, "text": frame.text, "trace": trace}
            case Ended():
                told.ending["signal"] = frame.signal
            case _:
                if isinstance(frame, OpDefinition) and frame.file is not None:
                    self.source(frame.file, told.hello.cwd)
                told.lane.take(frame)
                if told.lane.contents.nbytes > QUEUE_BYTES:
                    self.commit()
                if not told.run and told.lane.events:
                    self.announce(told)

    def text(self, stream: Stream, text: str) -> None:
        """What the command wrote since the last frame."""
        self.write_log(0, stream.value, text)

    def ended(self, process: int, end: End) -> None:
        """No more frames of a process come."""
        told = self.processes[process]
        told.ending["reason"] = end.reason.value
        if end.signal is not None:
            told.ending["signal"] = end.signal
        if end.text:
            told.ending["text"] = end.text
        told.lane.end_iteration()

    def tick(self, now: float) -> None:
        """Commit where the last commit is INTERVAL seconds ago, or too many bytes wait."""
        waiting = sum(process.lane.contents.nbytes for process in self.processes)
        if now >= self._due or waiting > QUEUE_BYTES:
            started = time.monotonic()
            self.commit()
            # An iteration of tens of thousands of ops is written over each time: not all the time.
            self._due = now + max(INTERVAL, PATIENCE * (time.monotonic() - started))

    def close(self, status: int) -> None:
        """Commit and leave a single file; ``status`` is the command's exit status."""
        if self.file is None:
            return
        for process in self.processes:
            process.lane.end_iteration()
            process.ending["exit"] = status
        self.commit()
        count = sum(process.lane.left_out for process in self.processes)
        if count and self.limit is not None:
            size = sum(process.lane.left_out_bytes for process in self.processes)
            self.notes.append(
                f"for the budget of {self.limit:,} bytes {count:,} tensors and samples of "
                f"{size:,} bytes are left out: of these there are statistics"
            )
        for process in self.processes:
            if process.run:
                self.close_run(process)
        self.file.leave_single_file()

    # -- what is made of it

    def begin(self, hello: Hello) -> None:
        """A process that says who it is."""
        about = self.about(hello)
        # Where the bytes of a tensor come to lie depends on the run, and they come before events.
        contents = Contents(run=len(self.processes) + 1)
        self.processes.append(Process(hello, Lane(text_digest(*about), contents)))
        if self.limit is not None:
            self.processes[-1].lane.room = self.limit - self.limit // TABLES_SHARE

    def about(self, hello: Hello) -> tuple[str, str]:
        """The command and the process as JSON texts."""
        command = {
            "arguments": list(self.command.arguments),
            "directory": self.command.directory,
            "facts": dict(self.command.facts),
        }
        names = ("wire", "pid", "python", "torch", "executable", "cwd", "depth", "threads")
        process = {name: getattr(hello, name) for name in names}
        process |= {"argv": list(hello.argv), "facts": dict(hello.facts or {})}
        return plain(canonical(command)), plain(canonical(process))

    def announce(self, process: Process) -> None:
        """The first event of a process: it gets its row, and the file is made for the first one."""
        if self.file is None:
            self.file = RecordingFile(self.path, CAPTURE_VERSION, TABLES | LATER | CAPTURES)
        process.run = process.lane.contents.run
        hello, about = process.hello, self.about(process.hello)
        rank, world = (max(0, min(one, 2**31)) for one in (hello.rank, hello.world))
        row = (process.run, __version__, plain(self.command.name), rank, world, *about)
        root = text_digest(*about)
        self.file.attempt(lambda: self.execute(RUN, (*row, root)))

    def source(self, path: str, directory: str) -> None:
        """Keep the text of a file of the script, once."""
        if not self.sources or path in self._files or len(self._files) >= MOST_SOURCES:
            return
        self._files[path] = None
        try:
            with (Path(directory) / path).open(encoding="utf-8", errors="replace") as file:
                text = file.read(MOST_SOURCE + 1)
        except (OSError, ValueError):
            return
        if len(text) <= MOST_SOURCE:
            self._sources.append((plain(path), plain(text)))

    def write_log(self, process: int, stream: str, text: str) -> None:
        """Text that scrolls with the run."""
        if self._logged > MOST_LOG or not text:
            return
        self._logged += len(text)
        if self._logged > MOST_LOG:
            self.notes.append(f"what is printed after {MOST_LOG:,} characters is not recorded")
            return
        at = 0 if process >= len(self.processes) else self.processes[process].lane.events
        self._log.append((process, at, stream, plain(text)))

    # -- the file

    def execute(self, statement: str, row: tuple[Any, ...]) -> None:
        """Execute a statement with one row."""
        assert self.file is not None
        self.file.connection.execute(statement, row)

    def commit(self) -> None:
        """Write everything that waits, in one transaction."""
        if self.file is None:
            return
        if self.limit is not None:
            self.keep_limit(self.limit)
        told = [process for process in self.processes if process.run]
        waiting = [(process, process.lane.rows()) for process in told]
        contents = [row for process in told for row in process.lane.contents.take()]
        sources, log = self._sources, self._log
        self._sources, self._log = [], []

        def insert() -> None:
            self.insert("content", "", contents)
            for process, rows in waiting:
                self.insert("capture_tensor", process.run, rows.tensors)
                self.insert("capture_op", process.run, rows.ops)
                # What the iteration under way looked like at the last commit.
                provisional = (process.run, len(process.lane.shapes))
                self.execute("DELETE FROM capture_shape WHERE run = ? AND number >= ?", provisional)
                self.insert("capture_shape", process.run, rows.shapes)
                self.insert("capture_block", process.run, rows.blocks)
                self.insert("capture_later", process.run, rows.laters)
                self.insert("capture_whole", process.run, rows.wholes)
                values = (process.lane.events, process.run)
                self.execute("UPDATE capture_run SET events = ? WHERE id = ?", values)
            numbered = [(self._source_rows + i, *row) for i, row in enumerate(sources)]
            self.insert("capture_source", "", numbered)
            runs = [process.run for process in self.processes] or [0]
            texts = [
                (self._log_rows + i, runs[process] if process < len(runs) else 0, *rest)
                for i, (process, *rest) in enumerate(log)
            ]
            self.insert("capture_log", "", texts)

        self.file.attempt(insert)
        self.measure()
        self._source_rows += len(sources)
        self._log_rows += len(log)

    def insert(self, table: str, run: int | str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows, each with the number of its run before it where it has one."""
        if not rows or self.file is None:
            return
        first = () if run == "" else (run,)
        holes = ", ".join("?" * (len(first) + len(rows[0])))
        statement = f"INSERT OR REPLACE INTO {table} VALUES ({holes})"
        self.file.connection.executemany(statement, [(*first, *row) for row in rows])

    def measure(self) -> None:
        """Let every process know how much may still be stored."""
        assert self.file is not None
        if self.limit is not None:
            left = self.limit - self.limit // TABLES_SHARE - self.file.size
            for process in self.processes:
                process.lane.room = max(0, left) // len(self.processes)

    def keep_limit(self, limit: int) -> None:
        """Store no more tensors once the file has its size; all else goes on."""
        assert self.file is not None
        waiting = sum(process.lane.contents.nbytes for process in self.processes)
        if self.file.size + waiting <= limit - limit // TABLES_SHARE or any(
            not process.lane.contents.open for process in self.processes
        ):
            return
        for process in self.processes:
            process.lane.contents.open = False
        self.notes.append(
            f"the file has reached its limit of {limit:,} bytes: from #{self.events} on "
            "statistics are kept and no more values"
        )

    def close_run(self, process: Process) -> None:
        """Say how a process ended, and bind everything."""
        assert self.file is not None
        status = "closed" if process.ending.get("reason") == Reason.ENDED else "interrupted"
        note = "; ".join((*self.notes, *process.lane.notes))
        ending = plain(canonical(process.ending))

        def update() -> None:
            statement = "UPDATE capture_run SET status = ?, ending = ?, note = ? WHERE id = ?"
            self.execute(statement, (status, ending, plain(note), process.run))
            assert self.file is not None
            found = closing_digests(self.file.connection.execute, process.run)
            self.execute("INSERT INTO capture_closing VALUES (?, ?)", (process.run, found))

        self.file.attempt(update)
