"""Contents of links on disk: only the right key opens them, whole and unchanged."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.links.sealed_file import CHUNK, LinkFacts, NotOpenedError, SealedReader, SealedWriter
from worker.links.token import LinkToken

FACTS = LinkFacts("Łódź.pdf", "application/pdf")


def write(path: Path, key: bytes, pieces: list[bytes]) -> Path:
    writer = SealedWriter(path, key, FACTS)
    for piece in pieces:
        writer.write(piece)
    writer.finish()
    return path


def read(path: Path, key: bytes) -> bytes:
    reader = SealedReader.open(path, key)
    try:
        assert reader.facts == FACTS
        content = b"".join(reader.chunks())
        assert len(content) == reader.size
        return content
    finally:
        reader.close()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_what_goes_in_comes_out(size: int, tmp_path: Path) -> None:
    """Whatever the length and the pieces it came in, and its size is known before."""
    token = LinkToken.new()
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    pieces = [content[at : at + 100_001] for at in range(0, size, 100_001)]
    path = write(tmp_path / "new folder" / token.id, token.key, pieces)
    assert read(path, token.key) == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == [token.id]


def test_nothing_of_it_shows(tmp_path: Path) -> None:
    """Neither name nor type nor text can be read on the disk, nor with another key."""
    token = LinkToken.new()
    path = write(tmp_path / token.id, token.key, [b"a secret"])
    raw = path.read_bytes()
    for secret in (b"a secret", b"pdf", token.key, token.secret, str(token).encode()):
        assert secret not in raw
    with pytest.raises(NotOpenedError):
        SealedReader.open(path, LinkToken.new().key)
    with pytest.raises(NotOpenedError):
        SealedReader.open(tmp_path / "elsewhere", token.key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_changed_file_is_not_opened(data: st.DataObject, tmp_path: Path) -> None:
    """A bit turned, a chunk moved, left out or doubled, an end cut off: it is noticed."""
    token = LinkToken.new()
    path = write(tmp_path / token.id, token.key, [b"x" * CHUNK, b"y" * CHUNK, b"z" * 9])
    raw = path.read_bytes()
    first = len(raw) - (9 + 16) - 2 * (CHUNK + 16)
    one, two, three = (
        raw[first : first + CHUNK + 16],
        raw[first + CHUNK + 16 : -(9 + 16)],
        raw[-(9 + 16) :],
    )
    at = data.draw(st.integers(0, len(raw) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :],
                raw[:at],
                raw + b"x",
                raw[:first] + two + one + three,
                raw[:first] + one + three,
                raw[:first] + one + two,
                raw[:first] + one + one + two + three,
            ]
        )
    )
    path.write_bytes(changed)
    with pytest.raises(NotOpenedError):
        read(path, token.key)
    path.unlink()


def test_an_abandoned_file_is_gone(tmp_path: Path) -> None:
    """What broke off in the middle leaves nothing."""
    writer = SealedWriter(tmp_path / "x", LinkToken.new().key, FACTS)
    writer.write(b"half")
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "a", "a" * 42, "a" * 44, "a" * 42 + "/", "ä" * 43, "." * 43])
def test_what_is_no_token(text: str) -> None:
    """Only 43 letters of URL-safe base64 can be one."""
    assert LinkToken.parse(text) is None


def test_a_token() -> None:
    """It is read as it was written, tells its id but not the way back, and shows nothing."""
    token = LinkToken.new()
    assert LinkToken.parse(str(token)) == token
    assert len(token.secret) == 32
    assert token.id != LinkToken.new().id
    assert token.secret.hex() not in (repr(token), token.id)
    assert token.key not in (token.secret, bytes.fromhex(token.id))
