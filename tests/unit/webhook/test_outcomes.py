"""Counting outcomes without flooding the log."""

from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from webhook.outcomes import Outcomes


async def test_a_flood_of_refusals_is_one_line() -> None:
    """A thousand wrong tokens are all counted and logged once."""
    outcomes = Outcomes()
    with capture_logs() as lines:
        for _ in range(1000):
            outcomes.count("wrong token")
    assert outcomes.counts == {"wrong token": 1000}
    assert [(line["outcome"], line["total"]) for line in lines] == [("wrong token", 1)]
    outcomes.close()


async def test_what_came_since_is_told_later(eventually: Callable[..., Any]) -> None:
    """After the quiet time one line tells how many there were, and none if there were none."""
    outcomes = Outcomes(tell_every=0.05)
    with capture_logs() as lines:
        outcomes.count("wrong token")
        outcomes.count("wrong token")
        outcomes.count("wrong token")
        await eventually(lambda: len(lines) == 2)
        assert (lines[1]["new"], lines[1]["total"]) == (2, 3)
        await eventually(lambda: not outcomes.telling)
        outcomes.count("wrong token")
        assert len(lines) == 3
    outcomes.close()


async def test_ordinary_outcomes_are_silent_until_the_end() -> None:
    """What goes well is counted, and told in one line at the end."""
    outcomes = Outcomes()
    with capture_logs() as lines:
        outcomes.count("accepted")
        outcomes.count("hint kept")
        assert lines == []
        outcomes.close()
    assert (lines[0]["accepted"], lines[0]["hint_kept"]) == (1, 1)
