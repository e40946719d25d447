"""What commands print."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ringpost.output import alarm, aside, console, hint, local_time, say, show_json, zone


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Letters stay letters, times carry their zone."""
    moment = datetime(2026, 11, 23, 14, 32, tzinfo=timezone(timedelta(hours=1)))
    show_json({"name": "Grüße", "at": moment})
    assert json.loads(capsys.readouterr().out) == {
        "name": "Grüße",
        "at": "2026-11-23T14:32:00+01:00",
    }


def test_times_of_one_table_have_one_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on both sides of a change to summer time, because the heading names the zone once."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        winter, summer = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 7))
        hours = {"CET": 13, "CEST": 14}[zone()]
        assert local_time(winter) == f"2026-01-01 {hours}:00"
        assert local_time(summer) == f"2026-07-01 {hours}:00"
    finally:
        monkeypatch.undo()
        time.tzset()
    assert local_time(None) == "-"


def test_json_says_the_same_without_acting_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a text may carry to steer a terminal is escaped; half a surrogate pair is no crash."""
    text = "a\x1b[2J\x9b\u202eb\ud800"
    show_json([text])
    written = capsys.readouterr().out
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written) == [text]


@pytest.mark.parametrize("write", [say, hint, alarm])
def test_lines_are_plain(
    write: Callable[[str], None], capfd: pytest.CaptureFixture[str], fresh: None
) -> None:
    """Whoever writes a line, it cannot steer the terminal."""
    write("a\x1b]0;title\x07[b]c\u2066\ud800")
    out, err = capfd.readouterr()
    assert out + err == "a]0;title[b]c\n"


@pytest.fixture
def fresh() -> Iterator[None]:
    """Consoles on the test's own standard output."""
    console.cache_clear()
    aside.cache_clear()
    yield
    console.cache_clear()
    aside.cache_clear()


def test_no_empty_line_where_progress_is_not_shown() -> None:
    """On a pipe a progress bar writes nothing at all."""
    code = (
        "from ringpost.bars import Bar\n"
        "with Bar('x') as bar:\n"
        "    bar.advance(1)\n"
        "    with bar.away(): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_table_on_a_pipe_is_not_cut() -> None:
    """Ids and numbers stay whole where a program may read them."""
    code = "from ringpost.tables import show_table; show_table(['a'], [['x' * 150 + '[b]']])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "x" * 150 + "[b]" in done.stdout
