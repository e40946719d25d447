"""Options of the email handler that are written as text."""

import pytest

from worker.handlers.email import Email
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
