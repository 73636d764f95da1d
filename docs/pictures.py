"""Make the README's pictures from the real app: python docs/pictures.py, or make pictures."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from engine.words.things import open_thing
from tui.app import GradstepApp

FOLDER = Path(__file__).parent / "pictures"


@dataclass(frozen=True)
class Picture:
    """A picture: what is opened, the size of the terminal, and the keys pressed before it."""

    thing: str
    size: tuple[int, int]
    keys: str


PICTURES = {
    "debugger": Picture("regression", (120, 40), "f f n n n s s s"),
    "chain": Picture("regression", (120, 40), "f n n n s s s s s s s 4"),
    "small": Picture("iris", (80, 24), "e n n n s s 5"),
    # A recording of a script that needs PyTorch stands beside the pictures, so that none needs it.
    "captured": Picture(str(FOLDER / "train.gradstep"), (120, 40), "o 0 enter"),
}


async def shot(picture: Picture) -> str:
    """The screen as SVG, in all colours wherever it is made."""
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    app = GradstepApp(open_thing(picture.thing))
    async with app.run_test(size=picture.size) as pilot:
        for key in picture.keys.split():
            await pilot.press(key)
            await pilot.pause(0.5)
        await pilot.pause(1.0)
        return app.export_screenshot(title="gradstep")


def self_contained(svg: str) -> str:
    """The picture without anything from elsewhere: a monospaced font of the reader's own."""
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, picture in PICTURES.items():
        svg = self_contained(asyncio.run(shot(picture)))
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"wrote {FOLDER / name}.svg")


if __name__ == "__main__":
    main()
