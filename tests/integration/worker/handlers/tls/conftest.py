"""A certificate for localhost, made for each run with nothing but the standard library."""

import base64
import hashlib
import os
import random
import ssl
import time
from pathlib import Path

import pytest

Certificate = tuple[Path, ssl.SSLContext]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """For localhost: the file to trust, and a server's context that presents it."""
    return _presented(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The same for another host."""
    return _presented(tmp_path_factory.mktemp("tls"), "elsewhere.example")


def _presented(folder: Path, host: str) -> Certificate:
    key, certificate = _self_signed(host.encode())
    (folder / "server.pem").write_text(key + certificate)
    (folder / "ca.pem").write_text(certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


def _self_signed(host: bytes) -> tuple[str, str]:
    """A private key and a certificate for a host in PEM, without a library."""
    e, p, q = 65537, _prime(1024), _prime(1024)
    n, d = p * q, pow(e, -1, (p - 1) * (q - 1))
    numbers = (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    key = _der(0x30, *map(_integer, numbers))
    rsa, signed = "2a864886f70d010101", "2a864886f70d01010b"
    public = _der(0x30, _integer(n), _integer(e))
    name = _der(0x30, _der(0x31, _der(0x30, _oid("550403"), _der(0x0C, host))))
    now = time.time()
    days = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(now + at)) for at in (-86400, 864000)]
    names = _der(0x30, _der(0x82, host))
    extensions = [
        _extension("551d13", _der(0x30, _der(0x01, b"\xff")), critical=True),
        _extension("551d0f", _der(0x03, b"\x02\xa4"), critical=True),
        _extension("551d0e", _der(0x04, hashlib.sha256(public).digest()[:20])),
        _extension("551d11", names),
    ]
    algorithm = _der(0x30, _oid(signed), _der(0x05))
    body = _der(
        0x30,
        _der(0xA0, _integer(2)),
        _integer(random.getrandbits(64)),
        algorithm,
        name,
        _der(0x30, *(_der(0x17, day.encode()) for day in days)),
        name,
        _der(0x30, _der(0x30, _oid(rsa), _der(0x05)), _der(0x03, b"\0" + public)),
        _der(0xA3, _der(0x30, *extensions)),
    )
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(body).digest()
    padded = b"\0\1" + b"\xff" * (256 - 3 - len(digest)) + b"\0" + digest
    signature = pow(int.from_bytes(padded), d, n).to_bytes(256)
    certificate = _der(0x30, body, algorithm, _der(0x03, b"\0" + signature))
    return _pem("RSA PRIVATE KEY", key), _pem("CERTIFICATE", certificate)


def _prime(bits: int) -> int:
    while True:
        number = int.from_bytes(os.urandom(bits // 8)) | 1 | 3 << (bits - 2)
        if all(number % small for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)) and all(
            pow(base, number - 1, number) == 1 for base in (2, 3, 5)
        ):
            return number


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    length = len(body)
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return (
        bytes([tag]) + (bytes([length]) if length < 128 else bytes([128 + len(size)]) + size) + body
    )


def _integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _oid(hexadecimal: str) -> bytes:
    return _der(0x06, bytes.fromhex(hexadecimal))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _der(0x30, _oid(oid), *([_der(0x01, b"\xff")] if critical else []), _der(0x04, value))


def _pem(kind: str, der: bytes) -> str:
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n"
