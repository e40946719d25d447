"""Message ids as a person gives them."""

import io
import sys
from pathlib import Path

import pytest

from ringpost.message_ids import gathered
from ringpost.refusal import Refusal


def test_words_and_a_file(tmp_path: Path) -> None:
    """Both count, each id once, in the order given; comments and empty lines say nothing."""
    file = tmp_path / "ids"
    file.write_text("\ufeff# from the list\n\n 3 \n4 # four\r\n1\n")
    assert gathered(["1", "2", "1"], str(file)) == ["1", "2", "3", "4"]
    assert gathered([], None) == []


def test_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line stands for itself; one without an id in it is nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n\n2"))
    assert gathered([], "-") == ["1", "2"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1 2", 'ids, line 2: message id "1 2": not a number'),
        ("-1", 'ids, line 2: message id "-1": not a number'),
        ("*", 'ids, line 2: message id "\\*": not a number'),
        ("9" * 21, "ids, line 2: message id .*: not a number"),
        ("9" * 5_000, "ids, line 2: message id .{42}: not a number"),
    ],
)
def test_a_bad_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: str) -> None:
    """It is named with its number, and nothing of the file is taken."""
    monkeypatch.chdir(tmp_path)
    Path("ids").write_text(f"1\n{line}\n")
    with pytest.raises(Refusal, match=told):
        gathered([], "ids")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    """A wrong file is a line, no traceback."""
    file = tmp_path / "fax.pdf"
    file.write_bytes(b"1\n\xff\xfe\x00")
    with pytest.raises(Refusal, match="is no text"):
        gathered([], str(file))
    with pytest.raises(Refusal, match="cannot be read"):
        gathered([], str(tmp_path))
