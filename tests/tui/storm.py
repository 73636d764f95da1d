"""Random keys, lines and sizes over every screen: ``python -m tests.tui.storm 100000 --seed 7``.

Nothing that a person types, at any size of the window, may end the debugger. A storm is a seed: the
same seed is the same keys. It works in a folder of its own, for some of the keys write files.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import session_of
from tests.tui.line_experiments import TEXTS, lines_program
from tui.app import GradstepApp
from tui.keys.table import EVERY

EXPERIMENTS = ("regression", "xor", "iris", "bug-exploding", *TEXTS)
ENDING = {"q", "ctrl+q", "ctrl+c", "ctrl+z"}
TYPED = [*"abcdefghijklmnoprstuvwxyz0123456789 []()+-*/@.,:'\"\\", "enter", "backspace", "tab"]
MOVES = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "shift+tab", "escape")
LINES = (
    *("s", "5n", "c", "rc", "goto e2", "goto i3:backward", "b loss", "b loss if loss > 1"),
    *("p W1", "p norm(W1.grad)", "set W1[0,0] = 2", "set optimizer.lr = -1", "until loss < 1"),
    *("mark here", "goto 'here", "branch b", "branches", "skip zero_grad", "until isnan(loss)"),
    *("watch W1", "help", "info", "W1[", "goto", "watch 1/0", "p 1e-310 @ 2", "\x1b[2J"),
    *("s 99999999999999999999", "p h[2][0,1]", "watch h[2][0,1]", "set h[1][0,0] = 3"),
    *("display norm(A)", "b h[1]", "p K[0,0,1,1]", "goto i2:backward:h[1].grad@h[2]"),
)
# palettes and prompts, the list of stops in few columns, screens over screens
TOGETHER = (
    ("ctrl+p", "enter", "enter"),
    ("ctrl+p", "z", "q", "x", "enter"),
    ("B", "d", "enter", "escape"),
    ("colon", "escape"),
    ("p", "r", "l", "escape"),
    ("question_mark", "down", "escape"),
    ("slash", "W", "1", "enter"),
)
Step = tuple[str, tuple[str, ...] | tuple[int, int]]


def steps(count: int, seed: int) -> Iterator[Step]:
    """What is done, ``count`` times: keys to press or a size (columns, rows)."""
    chance = random.Random(seed)
    known = [key for command in EVERY for key in (*command.keys, *command.aliases)]
    keys = [key for key in (*known, *TYPED, *MOVES, "ctrl+p", "enter") if key not in ENDING]
    for _ in range(count):
        match chance.random():
            case draw if draw < 0.04:
                yield "size", (chance.randint(1, 300), chance.randint(1, 70))
            case draw if draw < 0.06:
                yield "size", chance.choice([(1, 1), (4, 24), (300, 5), (80, 24), (2, 60)])
            case draw if draw < 0.10:
                yield "keys", chance.choice(TOGETHER)
            case draw if draw < 0.16:
                yield "keys", ("escape", "colon", *map(named, chance.choice(LINES)), "enter")
            case _:
                yield "keys", (chance.choice(keys),)


def named(character: str) -> str:
    """The name of the key that types a character."""
    return {" ": "space", ":": "colon", "\x1b": "escape"}.get(character, character)


@contextmanager
def elsewhere() -> Iterator[None]:
    """A folder of its own to stand in, and for what is remembered."""
    before, home = os.getcwd(), os.environ.get("GRADSTEP_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["GRADSTEP_HOME"] = folder
        try:
            yield
        finally:
            os.chdir(before)
            if home is None:
                del os.environ["GRADSTEP_HOME"]
            else:
                os.environ["GRADSTEP_HOME"] = home


async def storm(name: str, count: int, seed: int) -> list[Step]:
    """Do all the steps on an experiment; those that were done when it ended, empty if it lives."""
    session = Session(lines_program(name)) if name in TEXTS else session_of(name)
    app = GradstepApp(Debugger(session))
    leave = app.exit
    app.exit = lambda *_, **__: None  # type: ignore[method-assign]  # to quit is no death
    done: list[Step] = []
    async with app.run_test(size=(100, 30)) as pilot:
        for step in steps(count, seed):
            done.append(step)
            kind, what = step
            if kind == "size":
                await pilot.resize_terminal(*what)  # type: ignore[arg-type]
            else:
                await pilot.press(*map(str, what))
            if not app.is_running or app._exception is not None:
                return done
        await pilot.press("escape", "escape", "escape")
        app.exit = leave  # type: ignore[method-assign]
    return []


def main() -> int:
    """Storms over the experiments in turn; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    each = 2000
    with elsewhere():
        for i, start in enumerate(range(0, given.count, each)):
            name = EXPERIMENTS[i % len(EXPERIMENTS)]
            dead = asyncio.run(storm(name, min(each, given.count - start), given.seed + i))
            if dead:
                print(f"{name}, seed {given.seed + i}: ended after {len(dead)} steps: {dead[-8:]}")
                return 1
            print(f"{name}, seed {given.seed + i}: {start + each} steps", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
