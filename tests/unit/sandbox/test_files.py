"""The sample files are what they say they are."""

import io
import re
import struct
import wave
import zlib

from sandbox.samples.files import page, picture, tone


def test_the_picture_is_a_png() -> None:
    """Every part has its checksum, and the pixels fill the rows."""
    data = picture(8, 4, hue=9)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, parts = 8, {}
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        parts[kind] = content
        at += 12 + length
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack_from(">II", parts[b"IHDR"]) == (8, 4)
    assert len(zlib.decompress(parts[b"IDAT"])) == 4 * (1 + 3 * 8)


def test_the_page_is_a_pdf() -> None:
    """The table of contents points at every object, and each page is listed."""
    data = page(["From: (650) 555-0100", "a \\ b"], pages=2)
    found = re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)
    assert found
    table = data[int(found[1]) :]
    offsets = [int(entry) for entry in re.findall(rb"(\d{10}) 00000 n ", table)]
    for number, offset in enumerate(offsets, 1):
        assert data[offset:].startswith(b"%d 0 obj\n" % number)
    assert b"/Count 2" in data
    assert data.count(b"/Type /Page ") == 2
    stream = re.search(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", data, re.DOTALL)
    assert stream
    assert len(stream[2]) == int(stream[1])
    assert rb"(From: \(650\) 555-0100) Tj" in stream[2]


def test_the_tone_is_a_wav() -> None:
    """It lasts as long as asked for and is not silent."""
    with wave.open(io.BytesIO(tone(1.5))) as sound:
        assert sound.getnframes() / sound.getframerate() == 1.5
        assert any(sound.readframes(100))
