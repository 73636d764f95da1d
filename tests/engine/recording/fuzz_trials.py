"""A process of its own: mutated recordings through every command that reads one.

``python -m tests.engine.recording.fuzz_trials SOURCE DIRECTORY FIRST COUNT`` prints a JSON line for
each mutation with what went wrong: an exit status that is none, a traceback, a raw control byte on
the terminal, a changed file. The last line has the memory that it took. A hang is ended by whoever
started this.
"""

import contextlib
import io
import json
import re
import resource
import sys
from pathlib import Path

from tests.engine.recording.mutations import mutate
from tests.tui.cli.shell import invoke

FORMS = ("jsonl", "npz", "markdown", "script")


def commands(path: Path, seed: int) -> list[list[str]]:
    form = FORMS[seed % len(FORMS)]
    return [
        ["info", str(path), *(["--json"] if seed % 2 else [])],
        ["verify", str(path), *([] if seed % 2 else ["--json"])],
        ["export", str(path), "--to", form, "-o", str(path.with_suffix(".out"))],
        ["diff", str(path), str(path)],
    ]


def raw(text: str) -> list[str]:
    """Characters that have no place on a terminal."""
    return [
        c
        for c in text
        if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"
    ]


def trial(path: Path, seed: int) -> list[str]:
    """What went wrong with one mutation."""
    wrong = []
    before = path.read_bytes()
    statuses = {}
    for command in commands(path, seed):
        result = invoke(*command)
        statuses[command[0]] = result.exit_code
        if result.exit_code not in (0, 1, 2) or "a mistake of gradstep" in result.stderr:
            wrong.append(f"{command[0]}: {result.exit_code} {result.exception!r}")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            wrong.append(f"{command[0]}: {result.exception!r}")
        if raw(result.stdout + result.stderr):
            wrong.append(f"{command[0]}: raw {raw(result.stdout + result.stderr)!r}"[:200])
    if statuses["verify"] == 1 and 0 in (statuses["export"], statuses["diff"]):
        told = invoke("verify", path, "--json").stdout
        if json.loads(told)["damage"]:
            wrong.append(f"damaged, and only verify says so: {statuses} {told[-300:]}")
    wrong += replay(path)
    if path.read_bytes() != before:
        wrong.append("the file was written to")
    return wrong


def replay(path: Path) -> list[str]:
    """Open it as the screen does, and go both ways."""
    from engine.errors import GradstepError
    from tests.engine.recording.recordings import opened, replayed

    try:
        with opened(path) as recording:
            session, _ = replayed(recording)
            for event in (session.known, 0, session.known // 2, min(5, session.known)):
                session.goto(event)
    except GradstepError:
        return []
    except Exception as problem:
        return [f"replay: {problem!r}"]
    return []


def peak_kibibytes() -> int:
    """The most memory that this process has used."""
    # Not ru_maxrss where Linux says better: that begins with what the process used that started
    # this one, and a worker of the tests that has PyTorch loaded uses more than the bound.
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        assert found is not None
        return int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    source, directory = Path(sys.argv[1]), Path(sys.argv[2])
    first, count = int(sys.argv[3]), int(sys.argv[4])
    for seed in range(first, first + count):
        path = directory / f"{seed}.gradstep"
        mutate(source, path, seed)
        with contextlib.redirect_stderr(io.StringIO()):
            wrong = trial(path, seed)
        print(json.dumps({"seed": seed, "wrong": wrong}), flush=True)
        for file in directory.glob(f"{seed}.*"):
            file.unlink()
    print(json.dumps({"mebibytes": peak_kibibytes() / 1024}))


if __name__ == "__main__":
    main()
