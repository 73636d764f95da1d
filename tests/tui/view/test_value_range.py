import numpy as np
import pytest

from engine.errors import GradstepError
from tui.render.tensor import range_text
from tui.view.value_range import ValueRange, parse_range

VALUES = np.array([-np.inf, -1.0, 0.0, 0.5, 1.0, np.inf, np.nan])


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("-1..1", [-1.0, 0.0, 0.5, 1.0]),
        ("0 , 0.5", [0.0, 0.5]),
        (">0.5", [1.0, np.inf]),
        (">= .5", [0.5, 1.0, np.inf]),
        ("<0", [-np.inf, -1.0]),
        ("≤0", [-np.inf, -1.0, 0.0]),
        ("1e-1 … inf", [0.5, 1.0, np.inf]),
        ("0..0", [0.0]),
    ],
)
def test_which_values_a_range_holds(text, held):
    bounds = parse_range(text)
    assert VALUES[bounds.holds(VALUES)].tolist() == held
    assert VALUES[parse_range(range_text(bounds)).holds(VALUES)].tolist() == held


@pytest.mark.parametrize("text", ["", "1", "a..b", "1..", "==1", "nan..1", "1..2..3", "[x](y)"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(GradstepError, match=r"is no range of values: write -1\.\.1"):
        parse_range(text)


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(GradstepError, match="the range is empty: 2 is greater than 1"):
        parse_range("2..1")


def test_only_finite_ends_are_limits():
    assert parse_range("-2..3").limits == (-2.0, 3.0)
    assert parse_range(">0").limits is None
    assert ValueRange(-np.inf, np.inf).limits is None
