"""Settings for every test: few threads, no look-ups of updates, nothing left to a global seed."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import pytest
import torch


def pytest_configure() -> None:
    torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the slow and real-data tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        skip = pytest.mark.skip(reason="slow; run scripts/test --slow")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of locks that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(autouse=True)
def beside_others(request: pytest.FixtureRequest, locks: Path) -> Iterator[None]:
    """Run a test marked "alone" while no other one runs, in whatever process; it keeps the gate shut while it waits."""
    with (locks / "gate.lock").open("w") as gate, (locks / "running.lock").open("w") as running:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if request.node.get_closest_marker("alone") is None:
            fcntl.flock(running, fcntl.LOCK_SH)
            fcntl.flock(gate, fcntl.LOCK_UN)
        else:
            fcntl.flock(running, fcntl.LOCK_EX)
        yield
        for lock in (running, gate):  # closing does not free it while a forked process has it too
            fcntl.flock(lock, fcntl.LOCK_UN)
