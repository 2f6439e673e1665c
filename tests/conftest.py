"""What all tests share: one thread a process, and a warm `srcli`."""

import os
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch; tests run side by side

from warm import Srcli


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def srcli() -> Iterator[Srcli]:
    """Runs `srcli` in forks of a warm process."""
    with Srcli() as warm:
        yield warm
