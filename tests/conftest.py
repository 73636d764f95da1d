"""Options of the test suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")
TIMES = int(os.environ.get("GRADSTEP_TIMES", "1"))  # how many times as many examples, by hand


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-snapshots",
        action="store_true",
        help="write the text snapshots of the screen anew instead of comparing with them",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give property tests GRADSTEP_TIMES as many examples: what CI tries in small, in large."""
    if TIMES == 1:
        return
    for item in items:
        tried = getattr(item, "obj", None)
        own = getattr(tried, "_hypothesis_internal_use_settings", None)
        if own is not None:
            more = settings(own, max_examples=own.max_examples * TIMES)
            tried._hypothesis_internal_use_settings = more  # type: ignore[union-attr]
