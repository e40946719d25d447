"""What is sealed is opened by those who have the key, and by nobody else."""

import base64

import pytest

from worker.encryption import Sealer, is_key

OLD, NEW = (base64.b64encode(bytes(range(n, n + 224, 7))).decode() for n in (24, 31))
TEXT = '{"access_token": "secret"}'


def test_sealed_and_opened() -> None:
    """The text does not stand in what is kept, and comes back whole."""
    sealed = Sealer([OLD]).seal(TEXT)

    assert "secret" not in sealed
    assert Sealer([OLD]).open(sealed) == TEXT
    assert Sealer([NEW]).open(sealed) is None
    assert Sealer().open(sealed) is None


def test_keys_rotate() -> None:
    """With the new key first, what the old one sealed is opened, and known as out of date."""
    both = Sealer([NEW, OLD])
    sealed = Sealer([OLD]).seal(TEXT)

    assert both.open(sealed) == TEXT
    assert not both.is_current(sealed)
    assert both.is_current(both.seal(TEXT))
    assert Sealer([NEW]).open(both.seal(TEXT)) == TEXT


def test_what_was_written_before_there_was_a_key() -> None:
    """Plain text is taken as it is, and known as out of date once there is a key."""
    plain = Sealer().seal(TEXT)

    assert plain == TEXT
    assert Sealer([NEW]).open(plain) == TEXT
    assert not Sealer([NEW]).is_current(plain)
    assert Sealer().is_current(plain)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (NEW, True),
        (NEW.replace("+", "-").replace("/", "_"), True),
        ("", False),
        ("secret", False),
        (base64.b64encode(b"x" * 16).decode(), False),
        ("ü" * 44, False),
    ],
)
def test_a_key(text: str, good: bool) -> None:
    """32 bytes in either base64 are a key, anything else is none."""
    assert is_key(text) is good
