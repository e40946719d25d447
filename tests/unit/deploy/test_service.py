"""The service for systemd."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from ringpost.programs import worker
from ringpost.supervisor import CONFIGURATION_REFUSED


@pytest.fixture
def service(deploy: Path) -> dict[str, str]:
    """What stands under [Service]."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    unit.read(deploy / "ringpost.service")
    return dict(unit["Service"])


def test_it_stops_as_ringpost_run_wants_it(service: dict[str, str]) -> None:
    """The signal goes to `ringpost run` alone, which stops Redis last; there is time for it."""
    assert service["ExecStart"].endswith("/ringpost run")
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > worker().stop_within + 20


def test_what_is_refused_is_not_tried_again(service: dict[str, str]) -> None:
    """Settings that are wrong do not become right by a restart."""
    assert service["Restart"] == "on-failure"
    assert int(service["RestartPreventExitStatus"]) == CONFIGURATION_REFUSED


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_it(deploy: Path) -> None:
    """There is nothing that it does not know; that it is not installed here is all it misses."""
    run = subprocess.run(
        ["systemd-analyze", "verify", deploy / "ringpost.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in run.stderr.splitlines() if "is not executable" not in line] == []
