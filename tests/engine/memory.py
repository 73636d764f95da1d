"""How much memory some work takes: the same in whatever order and process the tests are run."""

import gc
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def peak_of(work: Callable[[], T]) -> tuple[T, int]:
    """The result of some work, and the most bytes that it held at a time.

    It is done twice: the first time pays for what a process makes once, such as imports. Nothing is
    left to the garbage collector that another test has made.
    """
    work()
    gc.collect()
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def kept_by(work: Callable[[], object]) -> int:
    """The bytes that some work takes and does not give back."""
    tracemalloc.start()
    try:
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
