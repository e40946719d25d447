"""What handlers say is kept in a form that everything can hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.wording import in_brief


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("archived with 2 files", "archived with 2 files"),
        (None, "None"),
        ("two\r\nlines\tand more", "two lines and more"),
        ("half a pair \ud800", "half a pair ?"),
        ("\x1b[2Jgone\u202e", "?[2Jgone?"),
        ("x" * 1000, "x" * 497 + "..."),
    ],
)
def test_in_brief(words: object, kept: str) -> None:
    """Line ends, control characters and lone surrogates do not get through; length is bounded."""
    assert in_brief(words) == kept


@given(st.text())
def test_it_is_always_one_short_line(words: str) -> None:
    """Whatever is said fits on a line and into JSON."""
    kept = in_brief(words)

    assert json.loads(json.dumps(kept).encode()) == kept
    assert "\n" not in kept
    assert len(kept) <= 500
