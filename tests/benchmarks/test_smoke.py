"""Every benchmark in its tiniest mode: it runs, and what it compares are finite numbers.

Nothing here depends on how long anything takes.
"""

import json
import math
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS = {
    "screen": 5,
    "cold": 18,
    "iterations": 10,
    "lines": 4,
    "built-in": 2,
    "jacobians": 4,
    "deep": 6,
    "live": 1,
    "history": 13,
    "peak": 1,
    "recording": 6,
}


def measured(tmp_path, *names):
    """The JSON of some benchmarks, in a process of their own because of its threads."""
    out = tmp_path / "benchmarks.json"
    command = [sys.executable, "-m", "benchmarks", "--effort", "tiny", "--json", str(out), "--only"]
    done = subprocess.run(
        [*command, *names], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr  # 1: a bound is missed, which is no matter here
    return json.loads(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NEEDS)
def test_a_benchmark_compares_finite_numbers(name, tmp_path):
    found = measured(tmp_path, name)
    assert found["machine"]["threads"] == 1
    assert len(found["rows"]) >= NEEDS[name]
    for row in found["rows"]:
        assert math.isfinite(row["ours"]), row["work"]
        if name == "screen" and "pudb" in row["against"] and find_spec("pudb") is None:
            continue
        if row["limit"] is None and row["against"]:
            assert math.isfinite(row["ratio"]), row["work"]


def test_exponents_are_fitted_with_a_reason_each(tmp_path):
    fits = measured(tmp_path, "scaling")["scaling"]
    assert {fit["against"] for fit in fits} == {
        "width", "depth", "batch", "iterations", "keyframe distance", "cells",
    }  # fmt: skip
    for fit in fits:
        assert math.isfinite(fit["exponent"])
        assert len(fit["points"]) >= 2
        assert fit["why"]
