"""The screen as a person reads it: a text file for each state, compared character by character.

``pytest --update-snapshots`` writes the files anew; the difference is then read like any other.
"""

import difflib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.tui.screen import Opened, debugger
from tui.keys.command import PANES

ROUNDING = re.compile(r"(?<=μ )-?\d(\.\d+)?e-1[6-9]")
FOLDER = Path(__file__).parent / "snapshots"
RUNS = ["regression", "iris", "xor"]
SIZES = [(80, 24), (120, 40), (200, 60)]
PANES_AT = [("regression", size) for size in SIZES] + [("iris", size) for size in SIZES[:2]]
STATES = [
    ("start", []),
    ("forward", ["n", "s"]),
    ("backward", ["n", "n", "s", "s"]),
    ("iteration", ["f"]),
    ("back", ["S", "S", "N"]),
    ("end", ["colon", *"999e", "enter"]),
]


async def walk(keys: list[tuple[str, list[str]]], shown: Opened) -> AsyncIterator[str]:
    for name, presses in keys:
        await shown.press(*presses)
        yield name


def snapshot(name: str, text: str, update: bool) -> str:
    """What differs from the snapshot; nothing where all is as it should be."""
    file = FOLDER / f"{name}.txt"
    if update:
        file.write_text(text, encoding="utf-8")
    if not file.exists():
        return f"{file} is missing; pytest --update-snapshots writes it\n{text}"
    expected = unrounded(file.read_text(encoding="utf-8")).splitlines()
    now = unrounded(text).splitlines()
    return "\n".join(difflib.unified_diff(expected, now, str(file), "now", n=1))


def unrounded(text: str) -> str:
    """A mean that is nothing but rounding depends on the processor: it is zero."""
    return ROUNDING.sub(lambda found: "0.0".ljust(len(found[0])), text)


def compare(differences: list[str]) -> None:
    """Fail with all differences, whole."""
    found = [difference for difference in differences if difference]
    if found:
        pytest.fail("\n\n".join(found), pytrace=False)


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-snapshots"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", RUNS)
async def test_a_run_on_the_screen(name, size, update):
    differences = []
    async with debugger(name, size) as shown:
        async for state in walk(STATES, shown):
            text = shown.text()
            differences.append(snapshot(f"{name}-{size[0]}x{size[1]}-{state}", text, update))
            assert len(text.splitlines()) == size[1]
    compare(differences)


@pytest.mark.parametrize(("name", "size"), PANES_AT, ids=str)
async def test_every_pane(name, size, update):
    differences = []
    async with debugger(name, size) as shown:
        await shown.press("f", "f", "n", "n", "n", "s", "s")
        for pane in PANES:
            shown.main.parts.panes.go_to(pane)
            await shown.settled()
            text = shown.text()
            differences.append(snapshot(f"{name}-{size[0]}x{size[1]}-pane-{pane}", text, update))
    compare(differences)


async def test_the_help(update):
    differences = []
    for size in SIZES:
        async with debugger("regression", size) as shown:
            await shown.press("question_mark")
            differences.append(snapshot(f"help-{size[0]}x{size[1]}", shown.text(), update))
    compare(differences)


def test_a_missing_snapshot_is_a_failure():
    assert "missing; pytest --update-snapshots writes it" in snapshot("no-such", "text", False)


def test_every_snapshot_is_compared_with():
    sizes = [f"{width}x{height}" for width, height in SIZES]
    runs = {f"{n}-{size}-{s}" for n in RUNS for size in sizes for s, _ in STATES}
    panes = {f"{n}-{size[0]}x{size[1]}-pane-{pane}" for n, size in PANES_AT for pane in PANES}
    helps = {f"help-{size}" for size in sizes}
    assert {file.stem for file in FOLDER.glob("*.txt")} == runs | panes | helps
