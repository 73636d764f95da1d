"""What may differ from run to run, and what stands for it. As little as possible is masked."""

import re
from pathlib import Path

SIZE = r"[\d.,]+ (?:[KMGT]i)?B\b"
# A recording's file is as large as the moments at which it was written to the disk make it. Each
# pattern has the words before the size as its first group.
SIZES = (
    r"( events, )" + SIZE,  # gradstep record, at its end
    r"(recorded \d+ events into [^,\n]+, )" + SIZE,  # the debugger, at its end
    r"(store +\w+, a keyframe every \d+ iterations, )" + SIZE,  # gradstep info
    r"(\"spacing\": \d+,\s+\"bytes\": )\d+",  # gradstep info --json
)
MASKS = tuple(re.compile(pattern.encode()) for pattern in SIZES)
# The same on the screen, with the blanks around it: the size of a file that grows.
GROWING = re.compile(rf" *(● REC |recorded \d+ events into [^,\n]+, ){SIZE} *")


def masked(said: bytes, tree: Path, folder: Path) -> bytes:
    """A text with the folders of this run as TREE and HERE, the sizes above as SIZE."""
    for path, name in ((folder, b"HERE"), (tree, b"TREE")):
        said = said.replace(str(path).encode(), name)
    for pattern in MASKS:
        said = pattern.sub(rb"\1SIZE", said)
    return said
