"""Frames to the process that keeps them: whole ones, whatever interrupts, none held back."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from array import array
from types import ModuleType

from gradstep_tracer.plan import Plan

HEADER = struct.Struct("<BI")
VERSION = 1
MOST_TEXT = 10_000
MOST_JSON = 2**20
JOINED = 2**16  # bytes up to which parts of a frame are put together first
BUFFER = 2**22


def machine() -> str:
    """The system, its release and the processor, as ``Linux-6.1.0-x86_64``.

    Not :func:`platform.platform`: it starts a process, in the middle of somebody's training.
    """
    if not hasattr(os, "uname"):
        return sys.platform
    told = os.uname()
    return f"{told.sysname}-{told.release}-{told.machine}"


class Channel:
    """The socket of this process. It is opened with the first frame, which is a Hello.

    A signal's exception may come out of any send: what has been sent is known by then, and the rest
    of that frame goes out before the next one.
    """

    def __init__(self, plan: Plan, torch: ModuleType) -> None:
        self.plan = plan
        self.torch = torch
        self.socket: socket.socket | None = None
        self.closed = False
        self.waiting: list[memoryview] = []
        self.handing: list[int] = []  # descriptors that go with the next bytes
        self.argv = [str(word)[:MOST_TEXT] for word in sys.argv]

    def open(self) -> None:
        """Connect, and say who this is; OSError where nobody listens."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        made.connect(self.plan.socket)
        self.socket = made
        self.send(b"H", as_json(self.hello()))

    def hello(self) -> dict:
        """Who this is."""
        torch = self.torch
        rank, world = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
        return {
            "wire": VERSION,
            "token": self.plan.token,
            "pid": os.getpid(),
            "python": sys.version.split()[0].rstrip("+"),
            "torch": str(torch.__version__),
            "executable": sys.executable or "",
            "argv": self.argv,
            "cwd": os.getcwd()[:MOST_TEXT],
            "depth": self.plan.depth,
            "rank": int(rank) if rank.isdigit() else 0,
            "world": max(1, int(world)) if world.isdigit() else 1,
            "threads": torch.get_num_threads(),
            "facts": {
                "default_dtype": str(torch.get_default_dtype()),
                "cuda": getattr(torch.version, "cuda", None),
                "platform": machine(),
                "eager": self.plan.eager,
            },
        }

    def send(self, kind: bytes, *parts: bytes) -> None:
        """One frame; OSError where nobody is there any more."""
        if self.socket is None:
            self.open()
        self.flush()
        size = sum(map(len, parts))
        header = HEADER.pack(kind[0], size)
        if size <= JOINED:
            self.waiting.append(memoryview(header + b"".join(parts)))
        else:
            self.waiting.extend(map(memoryview, (header, *parts)))
        self.flush()

    def flush(self) -> None:
        """Send what a frame still lacks."""
        waiting = self.waiting
        while waiting:
            sent: list[int] = []
            view = waiting[0]
            # In C from the call of send to the list: no signal can come between them.
            try:
                if self.handing:
                    given = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", self.handing))
                    sent.extend(map(self.socket.sendmsg, ([view],), ([given],)))
                else:
                    sent.extend(map(self.socket.send, (view,)))
            finally:
                if sent:
                    self.handed()
                    if sent[0] == len(view):
                        del waiting[0]
                    else:
                        waiting[0] = view[sent[0] :]

    def hand_over(self, descriptors: list[int]) -> None:
        """Let the other side have these descriptors as well; the list is emptied."""
        self.handing += descriptors
        descriptors.clear()

    def handed(self) -> None:
        """They are the other side's now."""
        while self.handing:
            os.close(self.handing.pop())

    def close(self) -> None:
        """No more comes."""
        self.closed = True
        if self.socket is not None:
            self.socket.close()


def as_json(given: object) -> bytes:
    """JSON in UTF-8; what JSON has no form for as text, lone surrogates as question marks."""
    return json.dumps(given, separators=(",", ":"), default=str, ensure_ascii=True).encode()


def clipped(text: str) -> str:
    """A text as long as one may be."""
    return text if len(text) < MOST_TEXT else text[: MOST_TEXT - 1]
