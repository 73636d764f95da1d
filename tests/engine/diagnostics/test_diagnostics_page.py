"""docs/diagnostics.md is what the detectors declare."""

import runpy
from pathlib import Path

from engine.diagnostics.doctor import THOROUGH, WATCHING
from engine.diagnostics.refusals import REFUSALS
from engine.diagnostics.verdict import EXPLAINED_BY, HARMLESS_ALONE, OBSTACLES, RAISED, TIMELESS
from engine.experiment.builtins import builtin_names

DOCS = Path(__file__).parents[3] / "docs"
CARDS = [kind.card for kind in (*WATCHING, *THOROUGH)] + [refusal.card for refusal in REFUSALS]
NAMES = [card.name for card in CARDS]


def test_the_page_is_fresh():
    page = runpy.run_path(str(DOCS / "diagnostics.py"))["page"]()
    stale = "make it anew: python docs/diagnostics.py"
    assert (DOCS / "diagnostics.md").read_text(encoding="utf-8") == page, stale


def test_every_kind_of_finding_has_a_section():
    page = (DOCS / "diagnostics.md").read_text(encoding="utf-8")
    sections = [line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")]
    assert sections == NAMES
    assert len(set(NAMES)) == len(NAMES)


def test_every_threshold_has_a_reason():
    limits = [limit for card in CARDS for limit in card.limits]
    assert all(limit.name and len(limit.reason) > 10 for limit in limits)


def test_names_in_the_tables_exist():
    assert set(NAMES) >= RAISED | OBSTACLES | HARMLESS_ALONE | TIMELESS
    assert HARMLESS_ALONE <= RAISED
    causes = {cause for named in EXPLAINED_BY.values() for cause in named}
    assert causes | EXPLAINED_BY.keys() <= set(NAMES)
    examples = {name for card in CARDS for name in card.example.split(", ") if name}
    assert examples <= set(builtin_names())
