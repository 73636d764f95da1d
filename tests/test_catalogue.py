"""docs/catalogue.md is what the code declares now."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.experiment.data_generated import RECIPES
from engine.nn.table import LAYERS, LOSSES
from engine.optim.schedules import SCHEDULES
from engine.optim.table import OPTIMIZERS

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "docs" / "catalogue.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("catalogue_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh(script):
    assert script.FILE.read_text(encoding="utf-8") == script.page(), "stale: run make docs"


def test_everything_has_a_row(script):
    rows = re.findall(r"^\| `(\w+)` \|", script.page(), re.MULTILINE)
    for names in (LAYERS, LOSSES, OPTIMIZERS, SCHEDULES, RECIPES):
        assert set(names) <= set(rows)
    fields = {
        "name",
        "csv",
        "validation",
        "image",
        "reduction",
        "maximize",
        "norm",
        "mode",
        "order",
    }
    assert fields <= set(rows)


def test_tables_have_as_many_cells_in_every_row(script):
    for block in script.page().split("\n\n"):
        if block.startswith("|"):
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(counts) == 1, block


def test_defaults_and_limits_are_told(script):
    page = script.page()
    assert "| `momentum` |" not in page  # it is a field of sgd and rmsprop, in their rows
    assert "`momentum` number from 0 (0)" in page
    assert "| `seed` | whole number from 0 | 0 |" in page
    assert "`p` number from 0 up to 1 (0.5)" in page
    assert "- softplus(z) = z if z > 20, else log(1 + exp(z))" in page


def test_the_script_runs_alone(tmp_path):
    copy = tmp_path / "catalogue.py"
    copy.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, copy], env={"PYTHONPATH": str(ROOT)}, check=True)
    written = (tmp_path / "catalogue.md").read_text(encoding="utf-8")
    assert written == SCRIPT.with_suffix(".md").read_text(encoding="utf-8")
