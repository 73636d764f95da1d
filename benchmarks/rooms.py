"""How many modules of ours a key press enters, from the key to the painted screen.

``python -m benchmarks.rooms [--key s] [--size 120x40] [--experiment regression] [--tree PATH]``
counts, with a profiler, in which modules of ``engine`` and ``tui`` functions are called, over the
presses of two iterations, once everything is loaded. It prints the median, and every module with
the share of the presses that enter it. Status 1 where the median is above MOST. With --tree it is
the product of another checkout, as of an earlier revision.
"""

import argparse
import asyncio
import statistics
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import FrameType

MOST = 38  # modules that the median press of s enters; 57 before the screen had parts
WARM, PRESSES = 21, 42  # the first iteration, and the two that count


def entered(app: object, keys: int, key: str, size: tuple[int, int]) -> list[set[str]]:
    """The modules that each press enters, by their paths from the root of the tree."""
    root = Path(import_module("engine").__file__ or "").parent.parent
    folders = tuple(f"{root / package}/" for package in ("engine", "tui"))
    found: list[set[str]] = []

    async def press() -> None:
        async with app.run_test(size=size) as pilot:  # type: ignore[attr-defined]
            while not app.main.whole:  # type: ignore[attr-defined]
                await pilot.pause()
            for _ in range(keys):
                modules: set[str] = set()

                def called(frame: FrameType, event: str, _: object) -> None:
                    file = frame.f_code.co_filename
                    if event == "call" and file.startswith(folders):
                        modules.add(str(Path(file).relative_to(root)))  # noqa: B023

                sys.setprofile(called)
                app.simulate_key(key)  # type: ignore[attr-defined]
                await pilot.pause()
                await pilot.pause()
                sys.setprofile(None)
                found.append(modules)

    asyncio.run(press())
    return found


def application(experiment: str) -> object:
    """The debugger on an experiment, to be pressed keys on."""
    session = import_module("engine.session.session").Session
    program = import_module("engine.program.compiler").compile_program(
        import_module("engine.experiment.reader").load_experiment(experiment)
    )
    debugger = import_module("engine.debugger").Debugger(session(program))
    return import_module("tui.app").GradstepApp(debugger)


def main() -> int:
    """Count, and print; the status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", default="s")
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--experiment", default="regression")
    parser.add_argument("--tree", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args()
    sys.path.insert(0, str(options.tree.resolve()))
    width, height = map(int, options.size.split("x"))
    app = application(options.experiment)
    presses = entered(app, WARM + PRESSES, options.key, (width, height))[WARM:]
    middle = statistics.median(map(len, presses))
    for name, count in Counter(name for press in presses for name in press).most_common():
        print(f"{100 * count / len(presses):4.0f} %  {name}")
    print(f"a press of {options.key} enters {middle:g} modules (median; at most {MOST})")
    return int(middle > MOST)


if __name__ == "__main__":
    sys.exit(main())
