"""The socket that traced processes speak to: private, with a token, each its own Decoder."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.capture.messages import Ended, Frame, Raised
from engine.capture.remains import remains
from engine.capture.sink import End, Reason
from engine.capture.wire import MAX_JSON, Decoder, Untrustworthy
from engine.errors import GradstepError

LONGEST_PATH = 100  # bytes of a socket's path; systems allow 104 or more
MOST_PROCESSES = 1024
AT_ONCE = 2**20  # bytes that are read in one go
SHARED = 2  # pieces of memory that a process may share
STAYS = b"\n"  # after what is lent: it is not needed


@dataclass(eq=False)
class Connection:
    """A process that speaks. Its number is known with its first frame."""

    socket: socket.socket
    decoder: Decoder
    number: int | None = None
    end: End | None = None
    received: int = 0
    last: Frame | None = field(default=None, repr=False)
    memory: list[int] = field(default_factory=list)  # descriptors of what it shares

    def close(self) -> None:
        """Nothing more comes of it."""
        self.socket.close()
        while self.memory:
            os.close(self.memory.pop())


class Listener:
    """Lets in who has the token. ``folder`` is nobody else's and is removed by ``close``."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.folder = private_folder()
        self.path = self.folder / "socket"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(self.path))
        self.socket.listen(64)
        self.socket.setblocking(False)
        self.connections: list[Connection] = []
        self.processes = 0
        self.lent: list[int] = []  # descriptors that processes get, should this one be gone
        self.names: list[str] = []  # of the terminals among them

    def accept(self) -> Connection | None:
        """The next one who wants to speak."""
        try:
            made, _ = self.socket.accept()
        except BlockingIOError:
            return None
        if len(self.connections) >= MOST_PROCESSES:
            made.close()
            return None
        made.setblocking(False)
        connection = Connection(made, Decoder(self.token))
        self.connections.append(connection)
        return connection

    def read(self, connection: Connection) -> Iterator[Frame]:
        """The frames that have come; where it ends, ``connection.end`` says how."""
        try:
            data = self.received(connection)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            yield from self.left_behind(connection)
            self.ended(connection)
            return
        connection.received += len(data)
        try:
            for frame in connection.decoder.feed(data):
                if connection.number is None:
                    connection.number = self.processes
                    self.processes += 1
                    self.lend(connection)
                connection.last = frame
                yield frame
            if connection.decoder.hello is None and connection.decoder.pending > MAX_JSON:
                raise Untrustworthy("a beginning that is too long")
        except Untrustworthy as problem:
            connection.end = End(Reason.UNTRUSTWORTHY, text=str(problem))
            connection.close()

    def lend(self, connection: Connection) -> None:
        """Put before a process what it can write to without us.

        It lies in its socket, and is taken out only where that has broken: till then nothing in
        that process has changed, and what it has written meanwhile can still be read.
        """
        if self.lent:
            with contextlib.suppress(OSError):
                said = json.dumps({"terminals": self.names}).encode()
                socket.send_fds(connection.socket, [said], self.lent)

    @staticmethod
    def received(connection: Connection) -> bytes:
        """What has come, and with it memory that a process shares: the two halves of its ring."""
        data, descriptors, _, _ = socket.recv_fds(connection.socket, AT_ONCE, SHARED)
        for descriptor in descriptors:
            if len(connection.memory) < SHARED:
                connection.memory.append(descriptor)
            else:
                os.close(descriptor)
        return data

    @staticmethod
    def left_behind(connection: Connection) -> Iterator[Frame]:
        """What a process that went without a word had not told."""
        if not isinstance(connection.last, Ended | Raised):
            yield from remains(connection.memory, connection.decoder.events)

    def ended(self, connection: Connection) -> None:
        """A process has hung up."""
        match connection.last:
            case Ended(signal=signal):
                connection.end = End(Reason.ENDED, signal)
            case Raised():
                connection.end = End(Reason.ENDED)
            case _:
                connection.end = End(Reason.CUT)
        connection.close()

    def hang_up(self, connection: Connection) -> None:
        """Listen no longer to a process that goes on; its text is still handed on."""
        connection.end = End(Reason.LEFT)
        with contextlib.suppress(OSError):
            connection.socket.send(STAYS)
        connection.close()

    def marks(self) -> set[str]:
        """How far processes got: ``armed`` where one has the tracer, ``torch`` where it came."""
        with os.scandir(self.folder) as entries:
            return {entry.name.partition("-")[0] for entry in entries}

    def close(self) -> None:
        """Nobody is let in any more."""
        self.socket.close()
        for connection in self.connections:
            connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def private_folder() -> Path:
    """A new folder that only this user can enter, with a path that is short enough."""
    for place in (None, "/tmp"):
        try:
            made = Path(tempfile.mkdtemp(prefix="gradstep-", dir=place))
        except OSError:
            continue
        if len(os.fsencode(made)) < LONGEST_PATH - len("/socket"):
            return made
        made.rmdir()
    raise GradstepError("no folder for the socket can be made in the temporary directory")
