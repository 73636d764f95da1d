import numpy as np

from tui.view.versions import Difference, Version, difference, shown_version


def test_the_difference_is_zero_exactly_where_the_bits_are_the_same():
    after = np.array([np.nan, np.inf, 1.0, np.inf, -0.0], dtype=np.float32)
    before = np.array([np.nan, np.inf, 0.5, -np.inf, 0.0], dtype=np.float32)
    assert difference(after, before).tolist() == [0.0, 0.0, 0.5, np.inf, 0.0]
    assert difference(np.array([True]), np.array([False])).tolist() == [1.0]


def test_only_what_is_looked_at_is_computed():
    # 10¹² elements that share one place in memory: subtracting them all would never end.
    after, before = (np.broadcast_to(np.float64(v), (10**6, 10**6)) for v in (3.0, 1.0))
    change = Difference(after, before)
    assert change.shape == (10**6, 10**6)
    assert change[999_999:, :2].tolist() == [[2.0, 2.0]]


def test_sides_of_what_was_not_there_or_had_another_shape():
    after, before = np.zeros((2, 2)), np.ones((3, 2))
    assert shown_version(Version.AFTER, after, None) is after
    assert shown_version(Version.BEFORE, after, None) is None
    assert shown_version(Version.BEFORE, after, before) is before
    assert shown_version(Version.DIFFERENCE, after, before) is None
