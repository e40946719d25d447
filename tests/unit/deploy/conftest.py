"""Where the files are that these tests look at."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the repository."""
    return Path(__file__).parents[3]


@pytest.fixture(scope="session")
def deploy(repository: Path) -> Path:
    """The folder `deploy/`."""
    return repository / "deploy"
