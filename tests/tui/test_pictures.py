"""The README's pictures are of the screen as it is: `make pictures` makes them anew."""

import asyncio
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def pictures() -> ModuleType:
    """The script that makes them."""
    spec = spec_from_file_location("pictures", DOCS / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(svg: str) -> list[str]:
    """The texts of a picture."""
    return re.findall(r">([^<>]+)</text>", svg)


@pytest.mark.parametrize("name", ["debugger", "chain", "small"])
def test_a_picture_shows_the_screen_as_it_is(name: str) -> None:
    made = pictures()
    svg = made.self_contained(asyncio.run(made.shot(made.PICTURES[name])))
    kept = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert words(kept) == words(svg), "run make pictures"
    assert "http" not in kept.replace("http://www.w3.org", "")
