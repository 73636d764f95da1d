"""Random keys, lines and sizes over every screen: ``python -m tests.tui.storm 100000 --seed 7``.

Nothing that a person types, at any size of the window, may end the debugger. A storm is a seed: the
same seed is the same keys. It works in a folder of its own, for some of the keys write files.
``--processes 4`` makes four storms at a time, each of a seed and an experiment of its own.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from textual.pilot import Pilot

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
EACH = 500  # steps of a storm: many of them, for one that is long grows slow by what it has opened
RESTED = 20  # steps after which the clock goes on too: timers, animations, runs in the background
ROUNDS = 50  # of messages, after which keys that still wait are left waiting
Step = tuple[str, tuple[str, ...] | tuple[int, int]]


def steps(count: int, seed: int) -> Iterator[Step]:
    """What is done, ``count`` times: keys to press or a size (columns, rows)."""
    chance = random.Random(seed)
    known = [key for command in EVERY for key in (*command.keys, *command.aliases)]
    keys = [key for key in (*known, *TYPED, *MOVES, "ctrl+p", "enter") if key not in ENDING]
    for _ in range(count):
        match chance.random():
            case draw if draw < 0.01:
                yield "size", (chance.randint(1, 300), chance.randint(1, 70))
            case draw if draw < 0.04:  # large windows take the longest, and show nothing else
                yield "size", (chance.randint(1, 130), chance.randint(1, 45))
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


async def settled(app: GradstepApp, pilot: Pilot[None]) -> None:
    """Wait for what the keys have led to, by messages and not by the clock: nothing sleeps."""
    for _ in range(ROUNDS):
        await pilot.pause(0)
        if not app.is_running or not (app.typed_ahead or app.key_since is not None):
            return


async def storm(name: str, count: int, seed: int) -> list[Step]:
    """Do all the steps on an experiment; those that were done when it ended, empty if it lives.

    The keys of a step are typed in one go. What the application raises is raised when it has ended.
    """
    session = Session(lines_program(name)) if name in TEXTS else session_of(name)
    app = GradstepApp(Debugger(session))
    leave = app.exit
    app.exit = lambda *_, **__: None  # type: ignore[method-assign]  # to quit is no death
    done: list[Step] = []
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            for step in steps(count, seed):
                done.append(step)
                await take(step, app, pilot)
                if len(done) % RESTED == 0:
                    await pilot.pause()
                if not app.is_running or app._exception is not None:
                    return done
            await pilot.press("escape", "escape", "escape")
            app.exit = leave  # type: ignore[method-assign]
    except Exception as problem:
        problem.add_note(f"after {len(done)} steps: {done[-8:]}")
        raise
    finally:
        app.main.worker.cancel()
    return []


async def take(step: Step, app: GradstepApp, pilot: Pilot[None]) -> None:
    """Press the keys, or give the window the size."""
    kind, what = step
    if kind == "size":
        width, height = map(int, what)
        await pilot.resize_terminal(width, height)
        return
    for key in what:
        app.simulate_key(str(key))
    await settled(app, pilot)


def lived(name: str, count: int, seed: int) -> str:
    """What ended a storm, in words; empty where nothing did. In a folder of its own."""
    with elsewhere():
        try:
            dead = asyncio.run(storm(name, count, seed))
        except Exception:
            return f"{name}, seed {seed}: {traceback.format_exc()}"
    return f"{name}, seed {seed}: ended after {len(dead)} steps: {dead[-8:]}" if dead else ""


def keys_of(count: int, seed: int) -> int:
    """How many keys a storm types, or sizes it takes."""
    return sum(1 if kind == "size" else len(what) for kind, what in steps(count, seed))


def main() -> int:
    """Storms over the experiments in turn, all of them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=2000, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    each = [min(EACH, given.count - start) for start in range(0, given.count, EACH)]
    seeds = range(given.seed, given.seed + len(each))
    names = [EXPERIMENTS[seed % len(EXPERIMENTS)] for seed in seeds]
    begun, done, keys, dead = time.monotonic(), 0, 0, 0
    # Fresh processes: the toolkit does not survive a fork.
    with ProcessPoolExecutor(given.processes, get_context("spawn")) as pool:
        for count, seed, said in zip(each, seeds, pool.map(lived, names, each, seeds), strict=True):
            done, keys, dead = done + count, keys + keys_of(count, seed), dead + bool(said)
            if said:
                print(said)
            took = time.monotonic() - begun
            print(f"seed {seed}: {done} steps, {keys} keys, {dead} dead, {took:.0f} s", flush=True)
    return int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
