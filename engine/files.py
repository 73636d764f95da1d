"""Files that others made or that must not be lost: regular ones alone, read whole, written whole.

A FIFO would wait for ever, a device never end, and opening one may do something. What is written
goes to a file beside, which takes the place of the old one once everything is in it.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from engine.errors import GradstepError

KINDS = {
    stat.S_IFDIR: "a directory, not a file",
    stat.S_IFIFO: "a pipe, not a file: write what comes out of it into a file first",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
    stat.S_IFSOCK: "a socket, not a file",
}
SQLITE = b"SQLite format 3\0"  # what a database begins with
NEW = 0o666  # the mode of a new file, before the umask


def no_file(path: Path) -> str:
    """Why a path is no regular file, in words; empty where it is one. Raises OSError."""
    try:
        mode = path.stat().st_mode
    except ValueError:  # a NUL in it
        return "not a path"
    return "" if stat.S_ISREG(mode) else KINDS.get(stat.S_IFMT(mode), "not a file")


def open_regular(path: Path) -> BinaryIO:
    """A regular file to be read as bytes.

    Raises GradstepError for anything else, and OSError where it is not there or cannot be read.
    """
    said = no_file(path)  # first: opening a device may do something already
    if said:
        raise GradstepError(f"{path}: {said}")
    # It may have become a FIFO since, which would wait here for somebody who writes.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise GradstepError(f"{path}: not a file")
    return os.fdopen(descriptor, "rb")


def is_database(path: Path) -> bool:
    """Whether a path is a regular file of SQLite, as every recording is; False for what fails."""
    try:
        if no_file(path):
            return False
        with open_regular(path) as file:
            return file.read(len(SQLITE)) == SQLITE
    except (GradstepError, OSError):
        return False


def read_regular(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit``.

    Raises GradstepError for anything else, and OSError where it is not there or cannot be read.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise GradstepError(f"{path}: more than {limit:,} bytes")
    return content


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream of bytes whose content takes the place of a file when the block ends normally.

    Until then, and for ever where it fails, what was there stays as it was. A device or a pipe is
    written to directly. Raises GradstepError for a place that cannot be written.
    """
    with naming(path):
        there = path.exists()
        if there and (said := no_file(path)):
            if path.is_dir():
                raise GradstepError(f"{path}: {said}")
            with open_stream(path) as stream:
                yield stream
            return
        target = path.resolve() if path.is_symlink() else path
        mode = stat.S_IMODE(target.stat().st_mode) if there else None
        if there and not os.access(target, os.W_OK):
            raise GradstepError(f"{path}: Permission denied")
        with beside(target) as (file, new):
            yield file
            finish(file)
            if mode is not None:
                os.chmod(new, mode)
            os.replace(new, target)


def create(path: Path, content: bytes) -> None:
    """Write a new file, whole or not at all.

    Raises GradstepError where something is there already, or it cannot be written.
    """
    with naming(path), beside(path) as (file, new):
        file.write(content)
        finish(file)
        try:
            os.link(new, path)  # fails where somebody was faster, which a renaming would not
        except FileExistsError:
            raise GradstepError(f"{path}: is there already and is not overwritten") from None
        except OSError:  # a file system without links
            if os.path.lexists(path):
                raise GradstepError(f"{path}: is there already and is not overwritten") from None
            os.replace(new, path)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError in the block becomes a GradstepError that names the path."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise GradstepError(f"{path}: {problem.strerror or problem}") from problem
    except ValueError as problem:
        raise GradstepError(f"{str(path)[:200]!r}: {problem}") from None


@contextlib.contextmanager
def beside(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """A new file in the folder of another, and its path; it is removed if it is still there."""
    # No name made of the other one, which may have all the characters that a name can have.
    new = str(path.parent / f".gradstep-{os.getpid()}-{os.urandom(4).hex()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, NEW)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file, new
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new)


def finish(file: BinaryIO) -> None:
    """Bring everything to the disk: a full one shall say so before anything is replaced."""
    file.flush()
    os.fsync(file.fileno())


def open_stream(path: Path) -> BinaryIO:
    """A device or pipe to be written to; an OSError where nobody reads the pipe."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb")
