"""Texts of others on our terminal."""

import pytest

from ringpost.plain import in_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 你好 👋🏽", "Grüße, 你好 👋🏽"),
        ("two\nlines", "two\nlines"),
        ("a\tb", "a b"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b2Jgone\x7f\x00", "2Jgone"),
        ("\x1b]52;c;cGF5bG9hZA==\x07", "]52;c;cGF5bG9hZA=="),
        ("over\rwritten", "overwritten"),
        ("\u202egnp.exe\u2069\u200f", "gnp.exe"),
        ("half \ud83d", "half "),
    ],
)
def test_only_what_can_be_read_is_left(text: str, shown: str) -> None:
    """Letters of any script stay; escape sequences lose what makes them act."""
    assert plain(text) == shown


def test_a_line_stays_one() -> None:
    """A name with a line end in it cannot pass for a line of ours."""
    assert in_line("x\nok   all\x1b is well") == "x\\nok   all is well"
