"""How much a process grows in a session: ``python -m benchmarks.footprint DTYPE EVENTS``."""

import resource
import sys
from pathlib import Path

from benchmarks.networks import SMALL, Workload
from engine.session.session import Session

STATUS = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of memory that this process uses now; where the system does not say, its peak."""
    if STATUS.exists():
        return int(STATUS.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def main() -> None:
    """Print the bytes: the most at any time of the session above those at its beginning."""
    dtype, events = sys.argv[1], int(sys.argv[2])
    session = Session(Workload(SMALL, dtype, events).program)
    session.step(100)
    before = resident()
    print(max(resident() for _ in session.travel(events)) - before)


if __name__ == "__main__":
    main()
