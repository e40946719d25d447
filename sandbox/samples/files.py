"""Files that open in a viewer, built byte by byte: a picture, a page, a second of tone."""

import io
import math
import struct
import wave
import zlib
from collections.abc import Sequence

SAMPLE_RATE = 8000


def picture(width: int = 96, height: int = 64, hue: int = 0) -> bytes:
    """A PNG with a colour gradient; `hue` (0 to 255) tells pictures apart."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes((x * 255 // width, y * 255 // height, hue))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _png_part(b"IHDR", header),
            _png_part(b"IDAT", zlib.compress(bytes(rows), 9)),
            _png_part(b"IEND", b""),
        )
    )


def page(lines: Sequence[str], pages: int = 1) -> bytes:
    """A PDF of `pages` letter pages, each with the same lines of text in Helvetica."""
    shown = "".join(f"({_pdf_text(line)}) Tj T*\n" for line in lines)
    drawing = f"BT /F1 14 Tf 20 TL 72 720 Td\n{shown}ET".encode("latin-1", "replace")
    kids = " ".join(f"{5 + number} 0 R" for number in range(pages))
    sheet = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792]"
        b" /Resources << /Font << /F1 3 0 R >> >> /Contents 4 0 R >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        *([sheet] * pages),
    ]
    document = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table_at = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    document += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    document += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    return bytes(document + b"startxref\n%d\n%%%%EOF\n" % table_at)


def tone(seconds: float = 1.0, frequency: float = 440.0) -> bytes:
    """A WAV file with a soft tone, telephone quality."""
    count = int(SAMPLE_RATE * seconds)
    period = [
        int(9000 * math.sin(2 * math.pi * frequency * n / SAMPLE_RATE)) for n in range(SAMPLE_RATE)
    ]
    second = struct.pack(f"<{SAMPLE_RATE}h", *period)
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        sound.writeframes((second * (count // SAMPLE_RATE + 1))[: count * 2])
    return file.getvalue()


def _png_part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pdf_text(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
