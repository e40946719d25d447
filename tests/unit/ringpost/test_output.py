"""What commands print."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ringpost.output import local_time, show_json


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Letters stay letters, times carry their zone."""
    moment = datetime(2026, 11, 23, 14, 32, tzinfo=timezone(timedelta(hours=1)))
    show_json({"name": "Grüße", "at": moment})
    assert json.loads(capsys.readouterr().out) == {
        "name": "Grüße",
        "at": "2026-11-23T14:32:00+01:00",
    }


def test_a_time_names_its_zone() -> None:
    """People see where the clock stands that they read."""
    shown = local_time(datetime(2026, 11, 23, 14, 32, tzinfo=UTC))
    zone = datetime(2026, 11, 23, 14, 32, tzinfo=UTC).astimezone().strftime("%Z")
    assert shown.endswith(f" {zone}")
    assert local_time(None) == "-"


def test_a_table_on_a_pipe_is_not_cut() -> None:
    """Ids and numbers stay whole where a program may read them."""
    code = "from ringpost.output import show_table; show_table(['a'], [['x' * 150 + '[b]']])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "x" * 150 + "[b]" in done.stdout
