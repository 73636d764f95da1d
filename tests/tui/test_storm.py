"""Random keys and sizes end nothing: storms in small; ``tests.tui.storm`` makes large ones."""

import asyncio

import pytest

from tests.tui.storm import EXPERIMENTS, elsewhere, steps, storm


@pytest.mark.parametrize(("seed", "name"), list(enumerate(EXPERIMENTS)))
def test_a_storm_ends_nothing(seed: int, name: str) -> None:
    with elsewhere():
        assert asyncio.run(storm(name, 120, seed)) == []


def test_a_storm_is_its_seed() -> None:
    assert list(steps(50, 3)) == list(steps(50, 3))
    assert list(steps(50, 3)) != list(steps(50, 4))
