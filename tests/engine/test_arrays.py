"""The memory of large arrays that are let go is there for those that come next."""

import platform
import subprocess
import sys

import pytest

# Arrays of 64 MiB, made in a thread as heavy ops are: page faults of the second of two.
FAULTS = """
import resource, threading
import numpy as np
from engine.arrays import keep_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(2**26, np.uint8).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def work():
    faults()
    print(faults())

keep_memory({largest})
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do as they do")
@pytest.mark.parametrize(("largest", "kept"), [(2**26, True), (2**20, False)])
def test_the_second_large_array_finds_the_pages_of_the_first(largest: int, kept: bool) -> None:
    command = [sys.executable, "-c", FAULTS.format(largest=largest)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (int(said) < 16) == kept  # 32 huge pages at the least, where they come anew
