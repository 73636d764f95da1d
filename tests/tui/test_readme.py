"""Every command in the README and docs/ is run, in the order in which it stands there."""

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.tui.cli.shell import PATIENCE, read_until

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tours.md", "docs/commands.md")
INTERACTIVE = ("run", "replay")
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The words of every gradstep command in a console block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in CONSOLE.findall(text) for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("gradstep")]


def interactive(words: list[str]) -> bool:
    """Whether a command opens the screen."""
    return not words or words[0] in INTERACTIVE


def environment(home: Path) -> dict[str, str]:
    """The variables of a terminal, with settings of its own."""
    more = {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "GRADSTEP_HOME": str(home)}
    return {**os.environ, **more}


def headless(words: list[str], folder: Path) -> None:
    """Run a command that needs no terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    assert done.stdout or done.stderr, f"{words} said nothing"


def screens() -> list[list[str]]:
    """The commands that open the screen, each once."""
    every = [tuple(words) for page in PAGES for words in commands(page) if interactive(words)]
    return [list(words) for words in dict.fromkeys(every)]


def test_every_page_has_commands() -> None:
    assert [len(commands(page)) > 0 for page in PAGES] == [True] * len(PAGES)
    assert len(commands("docs/commands.md")) > 20
    assert len(screens()) > 3


def test_every_page_with_a_command_is_read() -> None:
    pages = [Path("README.md"), *(path.relative_to(ROOT) for path in ROOT.glob("docs/*.md"))]
    found = [str(page) for page in pages if CONSOLE.search((ROOT / page).read_text("utf-8"))]
    assert sorted(found) == sorted(PAGES)


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert link.startswith("https://") or (page.parent / link).exists(), (page.name, link)
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < 1200


@pytest.mark.parametrize("page", PAGES)
def test_every_headless_command_succeeds(page: str, tmp_path: Path) -> None:
    for words in commands(page):
        if interactive(words):
            continue
        headless(words, tmp_path)


@pytest.mark.skipif(not hasattr(pty, "fork"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize("words", screens(), ids=" ".join)
def test_every_interactive_command_opens_the_screen_and_quits(
    words: list[str], tmp_path: Path
) -> None:
    if words[:1] == ["replay"]:
        for before in (["new", "mine.toml"], ["record", "mine.toml", "-o", words[1]]):
            headless(before, tmp_path)
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    try:
        seen = read_until(main, b"zero_grad")
        assert b"zero_grad" in seen
        os.write(main, b"q")
        drain(main, process)
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)
        os.close(terminal)


def drain(descriptor: int, process: subprocess.Popen[bytes]) -> None:
    """Read on until the program has ended, so that it never waits to write."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.1)[0]:
            os.read(descriptor, 65536)
