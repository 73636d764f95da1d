"""``gradstep explain``."""

import pytest

from tests.engine.line_networks import text
from tests.tui.cli.shell import assert_refused, invoke, strict


def test_the_documented_keys():
    result = invoke("explain", "regression", "z1[0,1]", "--json")
    found = strict(result.stdout)
    documented = {"of", "value", "formula", "index_form", "terms", "rest", "event"}
    assert result.exit_code == 0
    assert documented <= set(found)
    assert (found["of"], found["event"], len(found["terms"])) == ("linear1.out[0,1]", 4, 4)
    assert set(found["terms"][0]) == {"text", "factors", "value"}
    assert found["terms"][1]["factors"][1] == {"of": "linear1.weight[1,1]", "value": 0.4}


def test_for_people():
    result = invoke("explain", "regression", "W2.grad[1,2]")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1].strip() == "= (−0.36)·0 + (−2.31)·0.65 + (−0.69)·0 + (−0.29)·0"
    assert "  ∂ℓ/∂W⁽²⁾[k,j] = Σₙ ∂ℓ/∂z₃[n,k] z₂[n,j]" in lines


def test_by_default_an_update_is_explained_behind_it():
    first = strict(invoke("explain", "regression", "W1[0,1]", "--json").stdout)
    assert (first["event"], len(first["terms"])) == (17, 2)
    later = strict(invoke("explain", "regression", "W1[0,1]", "--at", "i2", "--json").stdout)
    assert later == first
    before = strict(invoke("explain", "regression", "W1[0,1]", "--at", "#3", "--json").stdout)
    assert (before["event"], before["terms"]) == (None, [])


def test_infinities_are_strings():
    found = invoke("explain", "bug-exploding", "loss", "--at", "end", "--json")
    assert strict(found.stdout)["value"] in ("NaN", "Infinity")


def test_lines_and_a_recording(tmp_path):
    file, made = tmp_path / "net.toml", tmp_path / "run.gradstep"
    file.write_text(text("recurrent", batch=7, epochs=3), encoding="utf-8")
    assert invoke("record", file, "-o", made, "--iterations", "4").exit_code == 0
    live = invoke("explain", file, "h[2][0,1]", "--at", "i3:update", "--json")
    recorded = invoke("explain", made, "h[2][0,1]", "--at", "i3:update", "--json")
    assert (live.exit_code, recorded.exit_code) == (0, 0)
    assert strict(live.stdout) == strict(recorded.stdout)


@pytest.mark.parametrize("of", ["z9[0,1]", "z1[0,9]", "z1[0]", "[0]"])
def test_refused(of):
    assert_refused(invoke("explain", "regression", of), "gradstep")
