"""Nothing false and serious: built-ins with other seeds, and healthy experiments by chance."""

import msgspec
import pytest

from engine.diagnostics.doctor import diagnose
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tests.engine.diagnostics.healthy import trial
from tests.engine.diagnostics.right import HEALTHY

BY_CHANCE = 24  # python -m tests.engine.diagnostics.healthy 1000 tries more


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_serious_in_a_healthy_built_in_with_another_seed(name, seed):
    program = compile_program(msgspec.structs.replace(load_experiment(name), seed=seed))
    assert not [one for one in diagnose(program, program.timeline.iterations) if one.serious]


@pytest.fixture(scope="module")
def tried():
    return [trial(seed) for seed in range(BY_CHANCE)]


def test_most_of_them_are_healthy(tried):
    assert sum(one.healthy for one in tried) >= 0.9 * BY_CHANCE


def test_nothing_serious_in_what_has_learnt(tried):
    assert not [(one.seed, one.serious) for one in tried if one.healthy and one.serious]
