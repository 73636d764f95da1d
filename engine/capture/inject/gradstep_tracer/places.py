"""Where in whose code something happens: frames outside of torch and of this package."""

from __future__ import annotations

import os
import sys
import sysconfig
from types import CodeType, FrameType, ModuleType

USER, LIBRARY, INTERNAL = 0, 1, 2
HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
OPTIMIZED = 1  # the flag of a function's code: its variables have no dictionary
MOST = 100_000  # places that are remembered
SNAPSHOTS = sys.version_info < (3, 13)  # a function's f_locals is a dictionary that its frame keeps
LOOKING = frozenset(("locals", "vars", "dir", "eval", "exec"))  # whose callers may hold it


class Places:
    """What is known of files and of the instructions that were seen in them."""

    def __init__(self, torch: ModuleType) -> None:
        self.internal = (
            os.path.dirname(os.path.abspath(torch.__file__)) + os.sep,
            HERE,
            "<frozen",
            "<eval_with",
        )
        paths = sysconfig.get_paths()
        self.standard = tuple(
            paths[name] + os.sep for name in ("stdlib", "platstdlib") if paths.get(name)
        )
        self.kinds: dict = {}
        self.lines: dict = {}

    def kind(self, name: str) -> int:
        """Whose a file is."""
        found = self.kinds.get(name)
        if found is None:
            if name.startswith(self.internal):
                found = INTERNAL
            elif "site-packages" in name or "dist-packages" in name:
                found = LIBRARY
            else:
                found = INTERNAL if name.startswith(self.standard) else USER
            self.kinds[name] = found
        return found

    def outside(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame that is not torch's, the standard library's or ours."""
        kinds = self.kinds
        while frame is not None:
            name = frame.f_code.co_filename
            found = kinds.get(name)
            if found is None:
                found = self.kind(name)
            if found != INTERNAL:
                return frame
            frame = frame.f_back
        return None

    def users(self, frame: FrameType | None) -> FrameType | None:
        """The innermost frame of the person's own files, else of a library's."""
        first = frame = self.outside(frame)
        while frame is not None:
            if self.kind(frame.f_code.co_filename) == USER:
                return frame
            frame = frame.f_back
        return first

    def of(self, frame: FrameType | None) -> tuple:
        """File and line of a frame."""
        if frame is None:
            return (None, 0)
        code = frame.f_code
        key = (id(code), frame.f_lasti)
        found = self.lines.get(key)
        if found is None:
            if len(self.lines) > MOST:
                self.lines.clear()
            # The code is kept, so that its id stays its own.
            path = code.co_filename
            shown = path if path.startswith("<") else os.path.abspath(path)
            found = self.lines[key] = ((shown, frame.f_lineno or 0), code)
        return found[0]

    def stack(self, frame: FrameType | None) -> list[tuple[CodeType, int]]:
        """The code and instruction of each frame outside, outermost first."""
        found = []
        kinds = self.kinds
        while frame is not None:
            code = frame.f_code
            kind = kinds.get(code.co_filename)
            if kind is None:
                kind = self.kind(code.co_filename)
            if kind != INTERNAL:
                found.append((code, frame.f_lasti))
            frame = frame.f_back
        found.reverse()
        return found


def variables(frame: FrameType) -> list[tuple[str, object]]:
    """The variables of a frame, its own and global ones, without a trace of having looked."""
    code = frame.f_code
    found: list[tuple[str, object]] = []
    if frame.f_globals is not None and not code.co_flags & OPTIMIZED:  # a module, a class, exec
        found += list(frame.f_locals.items())
    elif not SNAPSHOTS or not LOOKING.intersection(code.co_names):
        local = frame.f_locals
        found += list(local.items())
        if SNAPSHOTS and type(local) is dict:
            local.clear()  # before 3.13 the frame keeps it, and with it every tensor in it
    seen = {name for name, _ in found}
    found += [(name, value) for name, value in list(frame.f_globals.items()) if name not in seen]
    return found
