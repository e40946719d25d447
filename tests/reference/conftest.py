"""RingCentral's published reference: its OpenAPI document and its samples, if they are here."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REFERENCE = Path(os.environ.get("RINGPOST_REFERENCE", ROOT / "../shared/reference")).resolve()


def pytest_configure() -> None:
    """Say in one line, with exit code 2, that there is nothing to compare with."""
    if not (REFERENCE / "ringcentral-openapi.yml").is_file():
        reason = f"the reference is not at {REFERENCE}; set RINGPOST_REFERENCE to where it is"
        pytest.exit(reason, returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each published sample."""
    if "sample" in metafunc.fixturenames:
        samples = sorted((REFERENCE / "payloads").glob("*/*.*"))
        metafunc.parametrize("sample", samples, ids=lambda path: f"{path.parent.name}/{path.name}")


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = yaml.safe_load((REFERENCE / "ringcentral-openapi.yml").read_text())
    return document
