"""Digests of the answers that are the same everywhere: ``python -m tests.golden.portable``.

Words without computed numbers do not depend on the processor. Some come from libraries (refusals
of click, of tomllib, of msgspec), so the versions that they were made with stand beside them. The
command writes ``portable.json`` anew; its difference shows which answers have changed.
"""

import json
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.golden import running
from tests.golden.corpus import FOLDER, ROOT
from tests.golden.items import text_items
from tests.golden.product import use

FILE = Path(__file__).parent / "portable.json"
LIBRARIES = ("click", "msgspec", "rich")


def versions() -> dict[str, str]:
    """What the words depend on besides the product: the first two numbers of each version."""
    found = {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}
    return {name: ".".join(number.split(".")[:2]) for name, number in found.items()}


def digests() -> dict[str, str]:
    """The digest of every portable item."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent).resolve() / FOLDER
        return {
            name: running.digest(running.transcript(lines, folder))
            for name, lines in text_items().items()
        }


def main() -> int:
    """Write the file anew; the exit status."""
    use(ROOT)
    made = {"versions": versions(), "digests": digests()}
    FILE.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
