"""The two themes: every role has a style, and every text can be read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual.theme import Theme

from tests.tui.contrast import READABLE, contrast
from tests.tui.screen import debugger
from tui.render.text.line import ROLES
from tui.theme import DARK, LIGHT, THEMES

TUI = Path(__file__).parents[2] / "tui"
SHEET = (TUI / "gradstep.tcss").read_text(encoding="utf-8")
RULE = re.compile(r"\.line--([\w-]+) \{ ([^}]*) \}")


def rules() -> dict[str, dict[str, str]]:
    """Role -> the properties of its rule."""
    found = {}
    for role, body in RULE.findall(SHEET):
        found[role] = dict(part.strip().split(": ") for part in body.split(";") if part.strip())
    return found


def colour_of(theme: Theme, name: str) -> str:
    """The colour that a name of the style sheet has in a theme."""
    name = name.removeprefix("$")
    colour = getattr(theme, name, None) or theme.variables.get(name)
    assert colour is not None, f"{theme.name} has no ${name}"
    return str(colour)


def test_contrast_is_the_one_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_the_style_sheet_has_every_role_and_no_other():
    assert set(rules()) == set(ROLES)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_be_read(theme, role):
    rule = rules()[role]
    background = colour_of(theme, rule.get("background", "$surface"))
    text = colour_of(theme, rule.get("color", "$foreground"))
    assert contrast(text, background) >= READABLE


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_plain_and_faint_text_can_be_read_everywhere(theme, ground):
    for name in ("foreground", "faint", "accent", "primary", "warning", "error", "success"):
        assert contrast(colour_of(theme, name), colour_of(theme, ground)) >= READABLE, name


def test_colours_stand_in_the_themes_alone():
    for file in TUI.rglob("*.py"):
        if file.name not in ("theme.py", "palette.py"):
            found = re.findall(r"\"#[0-9a-fA-F]{6}\"", file.read_text(encoding="utf-8"))
            assert found == [], file
    assert re.findall(r"#[0-9a-fA-F]{6}\b", SHEET) == []


async def test_both_themes_show_the_same_text_in_other_colours():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("n", "s")
        dark, drawn = shown.text(), shown.app.export_screenshot()
        assert shown.app.current_theme.dark
        shown.app.light_theme()
        await shown.settled()
        assert not shown.app.current_theme.dark
        assert shown.text() == dark
        assert DARK.surface is not None
        assert LIGHT.surface is not None
        assert DARK.surface in drawn
        assert DARK.surface not in shown.app.export_screenshot()
        assert LIGHT.surface in shown.app.export_screenshot()
        shown.app.dark_theme()
        await shown.settled()
        assert DARK.surface in shown.app.export_screenshot()


def test_rendering_and_the_engine_load_no_textual():
    code = (
        "import sys, pkgutil, importlib, engine, tui.render\n"
        "for package in (engine, tui.render):\n"
        "    for m in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(m.name); print(m.name)\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'textual']\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=TUI.parent,
    )
    assert done.returncode == 0, done.stderr
    loaded = {"tui.render.text.line", "tui.render.status", "engine.session.session"}
    assert loaded <= set(done.stdout.split())
