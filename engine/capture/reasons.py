"""Why two captured runs may differ: command, versions, numbers, data, files of the script."""

from collections.abc import Mapping
from typing import Any, Final

from engine.capture.captured import CapturedRun

PROCESS: Final = ("python", "torch", "executable", "depth", "threads")
LOOKED_AT: Final = 3  # iterations that are looked through for the first update


def reasons(a: CapturedRun, b: CapturedRun) -> list[str]:
    """What else is different between two captures, in words."""
    left, right = a.stored.run, b.stored.run
    found = []
    for name, one, two in (
        ("arguments", left.command.get("arguments"), right.command.get("arguments")),
        ("directory", left.command.get("directory"), right.command.get("directory")),
        *((key, left.process.get(key), right.process.get(key)) for key in PROCESS),
    ):
        if one != two:
            found.append(f"{name}: {words(one)} and {words(two)}")
    for name, table, other in (
        ("", left.command.get("facts"), right.command.get("facts")),
        ("", left.process.get("facts"), right.process.get("facts")),
        ("", hyper(a), hyper(b)),
    ):
        found += [f"{name}{said}" for said in table_differences(table, other)]
    found += data_differences(a, b)
    found += source_differences(a.source.scripts, b.source.scripts)
    return found


def words(value: Any) -> str:
    """A value of a table in a few words."""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def table_differences(a: Any, b: Any, prefix: str = "") -> list[str]:
    """What differs between two tables, path by path."""
    if not isinstance(a, dict) or not isinstance(b, dict):
        return [] if a == b or not prefix else [f"{prefix}: {words(a)} and {words(b)}"]
    found = []
    for key in dict.fromkeys((*a, *b)):
        path = f"{prefix}.{key}" if prefix else str(key)
        found += table_differences(a.get(key), b.get(key), path)
    return found


def hyper(run: CapturedRun) -> Mapping[str, Any]:
    """The hyper-parameters of the first update of each parameter."""
    found: dict[str, Any] = {}
    for iteration in range(min(LOOKED_AT, run.timeline.iterations)):
        ops = run.timeline.listing(iteration).ops
        for place, facts in run.stored.facts(iteration).items():
            if 0 <= place < len(ops) and ops[place].phase == "update" and ops[place].writes:
                found.setdefault(ops[place].writes[0], facts)
    same = {str(facts) for facts in found.values()}
    return next(iter(found.values())) if len(same) == 1 else found


def data_differences(a: CapturedRun, b: CapturedRun) -> list[str]:
    """Which tensors of the first batch are other ones."""
    left, right = first_batch(a), first_batch(b)
    differing = [name for name in left if name in right and left[name] != right[name]]
    if not differing:
        return []
    return [f"data: the first batch is another one ({', '.join(differing)})"]


def first_batch(run: CapturedRun) -> dict[str, object]:
    """Shape and digest of each tensor of the first batch, or its statistics."""
    stored = run.stored
    if not stored.index:
        return {}
    found: dict[str, object] = {}
    pairs = zip(stored.index[0].given, run.places.given_slots(0), strict=True)
    for number, slot in pairs:
        tensor = stored.tensors[number]
        if tensor.role in ("input", "target"):
            told = stored.told(0, slot, None)
            found[tensor.name] = tensor.shape, told.digest or told.fingerprint or told.statistics
    return found


def source_differences(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    """Which files of the script differ, and their first line that does."""
    found = []
    for path in a:
        if path in b and a[path] != b[path]:
            left, right = a[path].splitlines(), b[path].splitlines()
            pairs = zip(left, right, strict=False)
            line = next(
                (i for i, (x, y) in enumerate(pairs, 1) if x != y), min(len(left), len(right)) + 1
            )
            found.append(f"source: {path} differs from line {line} on")
    return found
