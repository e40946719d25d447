"""Media types that are safe to hand on."""

import pytest

from worker.handlers.media_types import UNKNOWN, extensions_of, safe_media_type


@pytest.mark.parametrize(
    ("declared", "name", "media_type"),
    [
        ("application/pdf", None, "application/pdf"),
        ("Audio/X-WAV; codec=1", None, "audio/wav"),
        ("image/png", "x.exe", "image/png"),
        ("image/x-unheard-of", None, "image/x-unheard-of"),
        ("image/x-icon", "x.icon", "image/x-icon"),
        ("image/x-unheard-of", "x.hta", UNKNOWN),
        ("audio/basic", "x.exe", UNKNOWN),
        ("image/svg+xml", None, UNKNOWN),
        ("text/html", "x.pdf", UNKNOWN),
        ("multipart/mixed", None, UNKNOWN),
        ("message/rfc822", None, UNKNOWN),
        ("application/pdf\r\nX: y", None, UNKNOWN),
        ("image/png\r\nX: y", None, UNKNOWN),
        (None, "x.PDF", "application/pdf"),
        ("application/octet-stream", "x.mp4", "video/mp4"),
        (None, "x.html", UNKNOWN),
        (None, None, UNKNOWN),
        ("/", None, UNKNOWN),
    ],
)
def test_safe_media_type(declared: str | None, name: str | None, media_type: str) -> None:
    """Known or harmless types pass without parameters, all else is octets."""
    assert safe_media_type(declared, name) == media_type


def test_extensions() -> None:
    """The usual extension comes first, and unknown types have none."""
    assert extensions_of("image/jpeg")[0] == ".jpg"
    assert extensions_of(UNKNOWN) == ()
