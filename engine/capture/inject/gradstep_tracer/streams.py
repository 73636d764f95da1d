"""stdout and stderr of the script when the process that reads them is gone.

With the first frame that process has lent its own streams, and what it reads ours from. They lie in
the socket, unread: so writing fails for nobody meanwhile, and nothing here is another than in a
plain run. Taken out, they are put in the place of ours.
"""

from __future__ import annotations

import json
import os
import socket

MOST = 4096
STAYS = b"\n"  # it has hung up and goes on reading
AT_ONCE = 2**16


def take_back(broken: socket.socket) -> None:
    """Write where the other side wrote to, if it is gone."""
    try:
        said, lent, _, _ = socket.recv_fds(broken, MOST, 4)
    except (OSError, AttributeError):
        return
    try:
        if len(lent) == 4 and STAYS not in said:
            names = json.loads(said).get("terminals", ["", ""])
            put(lent[:2], lent[2:], names)
    except (OSError, ValueError):
        pass
    for descriptor in lent[:2]:
        os.close(descriptor)


def put(theirs: list, reads: list, names: list) -> None:
    """Hand on what has not been read, and put their streams in the place of those of ours that
    went to them. What others still write there can be read as long as this process lives."""
    for number in (1, 2):
        if leads(number, reads[number - 1], names[number - 1]):
            hand_on(reads[number - 1], theirs[number - 1])
            os.dup2(theirs[number - 1], number)
            hand_on(reads[number - 1], theirs[number - 1])


def leads(number: int, reads: int, name: str) -> bool:
    """Whether what is written to a descriptor of ours is read there."""
    if name:
        return os.isatty(number) and os.ttyname(number) == name
    here, there = os.fstat(number), os.fstat(reads)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def hand_on(reads: int, to: int) -> None:
    """Everything that has been written and not read."""
    os.set_blocking(reads, False)
    try:
        data = os.read(reads, AT_ONCE)
        while data:
            while data:
                data = data[os.write(to, data) :]
            data = os.read(reads, AT_ONCE)
    except OSError:  # nothing more, or a terminal without its other side
        pass
