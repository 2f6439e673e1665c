"""What all tests share: one thread a process, and a warm `srcli`."""

import os
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; tests run side by side

from warm import Srcli


@pytest.fixture(scope="session")
def srcli() -> Iterator[Srcli]:
    """Runs `srcli` in forks of a warm process."""
    with Srcli() as warm:
        yield warm
