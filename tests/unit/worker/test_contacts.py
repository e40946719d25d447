"""Lists of contacts, as spreadsheets write them."""

from pathlib import Path

import pytest

from worker.contacts import read
from worker.problems import Wrong


@pytest.mark.parametrize(
    "content",
    [
        b"number,name,email\n(650) 555-0100,Anna,a@example.com\n,M\xc3\xbcller,\n101,,\n",
        b"\xef\xbb\xbfNumber;Name\r\n650-555-0100;Anna\r\n;M\xc3\xbcller\r\n\r\n101;\r\n",
        b"name\tnumber\tnotes\nAnna\t+1 650 555 0100\tx\nM\xfcller\n\t101\t\n",
        '"name","number"\n"Anna","6505550100"\n"müller",""\n"","101"\n'.encode("utf-16"),
    ],
)
def test_what_spreadsheets_write(tmp_path: Path, content: bytes) -> None:
    """Columns in any order and divided in any way, in any encoding, numbers in any spelling."""
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    assert read(file) == {"+16505550100", "müller", "101"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"name,number\nAnna,12x\n",
            'line 2: "12x" is no phone number; write + and the country code, then all its digits',
        ),
        (b"name,number\nAnna,101\n\n,,,\nBert,101,x\n", "line 5: has 3 columns, the first line 2"),
        (
            b'number,address\n101,"a\nb"\n12x,\n',
            'line 4: "12x" is no phone number; write + and the country code, then all its digits',
        ),
        (
            b"number\n+1650555010\n",
            'line 2: "***5010" is no phone number; '
            "write + and the country code, then all its digits",
        ),
        (
            b"number\n0301234567\n",
            'line 2: "***4567" has no country code; write + and the country code before it',
        ),
        (
            b"Name,Phone\nAnna,(650) 555-0142\n",
            'line 2: has a phone number under "phone", which would be left alone; '
            'call that column "number"',
        ),
        (
            b"number,name,Number\n101,Anna,102\n",
            'line 1: has two columns "number"; give one of them another name',
        ),
        (b"\xef\xbb\xbf\r\n", "is empty; its first line names the columns number, name, email"),
        (b"name,email\n,a@example.com\n", "line 2: has neither number nor name"),
        (b'name\n"Anna\n', "line 2: is not CSV: unexpected end of data"),
        (b"\x81\x8d\n", "is no text; save it as CSV in UTF-8"),
        (
            b"a,b\n",
            "line 1: names none of the columns number, name, email; "
            "the first line is to say what the columns are",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    """What cannot be understood is refused with its line, and not passed over.

    The log may hold the line, so that no whole number is in it.
    """
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(Wrong) as wrong:
        read(file)
    assert str(wrong.value) == words
