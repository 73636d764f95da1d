"""Runs of equal factors: they cover the chain, and name what is repeated."""

import random

import pytest

from engine.chain.repeats import FEWEST, LONGEST, SHORT, Run, repeats


def unfolded(text: str) -> list[str]:
    """The factors of a chain again, from its runs."""
    return [text[i] for run in repeats(text) for i in range(run.start, run.stop)]


def test_a_deep_network_is_one_run() -> None:
    assert repeats("L" + "WD" * 48 + "P") == [Run(0, 1, 1), Run(1, 2, 48), Run(97, 1, 1)]


def test_a_half_repetition_stands_behind_the_run() -> None:
    assert repeats("WD" * 20 + "W") == [Run(0, 2, 20), Run(40, 1, 1)]


def test_one_factor_again_and_again() -> None:
    assert repeats("H" * 100) == [Run(0, 1, 100)]


def test_a_short_chain_is_seen_whole() -> None:
    assert repeats("D" * SHORT) == [Run(i, 1, 1) for i in range(SHORT)]


def test_the_run_that_covers_most_is_taken() -> None:
    assert repeats("AAAB" * 5)[0] == Run(0, 4, 5)


@pytest.mark.parametrize("seed", range(20))
def test_runs_cover_every_chain_with_what_is_equal(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choice("AB") for _ in range(rng.randrange(0, 60)))
    assert "".join(unfolded(text)) == text
    for run in repeats(text):
        once = text[run.start : run.start + run.size]
        assert text[run.start : run.stop] == once * run.times
        assert run.times == 1 or (run.times >= FEWEST and run.size <= LONGEST)
