"""Options of the email handler that are written as text."""

import pytest
from pydantic import ValidationError

from worker.handlers.email import Email
from worker.handlers.mail_addresses import parse_address
from worker.handlers.mail_options import parse_size, size_in_words


def test_sizes() -> None:
    """They are decimal, as disks and mail servers count, in any case, with or without a space."""
    assert [parse_size(text) for text in ("20MB", "500 kb", "1Gb")] == [20_000_000, 500_000, 10**9]
    assert [size_in_words(size) for size in (9, 1_500, 24_300_000)] == [
        "9 bytes",
        "2 KB",
        "24.3 MB",
    ]


@pytest.mark.parametrize("text", ["20", "MB", "0MB", "-1MB", "1.5MB", "20MiB", 20, None])
def test_what_is_no_size(text: object) -> None:
    """It is refused with an example."""
    with pytest.raises(ValueError, match='write such as "20MB"'):
        parse_size(text)


def test_editors_are_told_what_is_written() -> None:
    """In the JSON schema these options are text, not what becomes of it."""
    told = Email.model_json_schema()["properties"]
    assert told["link_expires"]["examples"] == ["7d"]
    for option, example in (("max_size", "20MB"), ("digest", "daily 18:00")):
        assert {"type": "string", "examples": [example]} in told[option]["anyOf"]


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "Jane Doe <a@example.com>",
        '"Doe, Jane; Büro" <a@example.com>',
        "Łódź (Büro) <a@exämple.com>",
    ],
)
def test_addresses(text: str) -> None:
    """An address stands alone or after a name."""
    assert parse_address(text).username == "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a@example.com, b@example.com", "not one mail address; make an entry of each"),
        ("a@example.com; b@example.com", "not one mail address; make an entry of each"),
        ("Doe, Jane <a@example.com>", "put a name with , ; or : in quotes"),
        ("Jane <a@example.com> b", "not one mail address"),
        ("Jane", "not a mail address; write"),
        ("jörg@example.com", "has letters beyond ASCII before the @"),
    ],
)
def test_what_is_no_address(text: str, words: str) -> None:
    """It is refused at start: of two in one text the second would get nothing."""
    with pytest.raises(ValidationError, match=words):
        Email.model_validate({"smtp": "smtp://h", "from": "a@example.com", "to": [text]})
