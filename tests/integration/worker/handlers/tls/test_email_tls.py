"""TLS and login of the email handler: what is protected, what is refused, what is said."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.handlers.conformance import Bench
from worker.handlers.conformance_cases import FAX, SMS
from worker.handlers.contract import PermanentError, TransientError
from worker.handlers.email import Email

Start = Callable[..., Any]
Certificate = tuple[Path, ssl.SSLContext]
LOGIN = "phone%40example.com:s3cret%2Fpass%40word%23"


def email(url: str, ca: Path | None) -> Email:
    options = {"smtp": url, "from": "phone@example.com", "to": ["office@example.com"], "ca": ca}
    return Email.model_validate(options)


async def send(handler: Email, folder: Path) -> str:
    try:
        return await Bench(FAX, folder).attempt(handler)
    finally:
        await handler.close()


async def test_tls_from_the_first_byte(
    smtp_peer: Start, login: dict[str, Any], certificate: Certificate, tmp_path: Path
) -> None:
    """smtps:// logs in and sends over TLS, host name and authority checked."""
    ca, context = certificate
    peer = smtp_peer(ssl_context=context, auth_require_tls=False, **login)
    handler = email(f"smtps://{LOGIN}@localhost:{peer.port}", ca)
    assert await handler.check() == f"localhost:{peer.port} answers, with TLS, logged in"
    assert await send(handler, tmp_path) == "mailed to 1 recipient"
    assert len(peer.temper.received) == 1


@pytest.mark.parametrize("form", ["smtp+starttls://{}", "smtp://{}?starttls"])
async def test_starttls(
    form: str, smtp_peer: Start, login: dict[str, Any], certificate: Certificate, tmp_path: Path
) -> None:
    """The login comes after STARTTLS, and the mail and its file go over TLS."""
    ca, context = certificate
    peer = smtp_peer(tls_context=context, require_starttls=True, auth_required=True, **login)
    handler = email(form.format(f"{LOGIN}@localhost:{peer.port}"), ca)
    assert await handler.check() == f"localhost:{peer.port} answers, with TLS, logged in"
    assert await send(handler, tmp_path) == "mailed to 1 recipient"
    assert FAX.contents["501"] in [
        part.get_payload(decode=True) for part in peer.temper.received[0].mail.walk()
    ]


async def test_no_tls_no_password(smtp_peer: Start, tmp_path: Path) -> None:
    """A server without STARTTLS gets neither login nor mail where STARTTLS is required."""
    peer = smtp_peer()
    handler = email(f"smtp+starttls://{LOGIN}@localhost:{peer.port}", None)
    with pytest.raises(PermanentError, match="STARTTLS"):
        await send(handler, tmp_path)
    assert peer.temper.received == []


async def test_an_unknown_authority(
    smtp_peer: Start, certificate: Certificate, tmp_path: Path
) -> None:
    """A certificate nobody vouches for is refused, with the option that helps."""
    peer = smtp_peer(ssl_context=certificate[1])
    with pytest.raises(TransientError, match=r"not trusted \(self-signed certificate\).*option ca"):
        await send(email(f"smtps://localhost:{peer.port}", None), tmp_path)


async def test_another_host(smtp_peer: Start, elsewhere: Certificate, tmp_path: Path) -> None:
    """A certificate for another name is refused even from a known authority."""
    peer = smtp_peer(ssl_context=elsewhere[1])
    with pytest.raises(TransientError, match=r"not trusted \(Hostname mismatch"):
        await send(email(f"smtps://localhost:{peer.port}", elsewhere[0]), tmp_path)


async def test_a_wrong_password(
    smtp_peer: Start, login: dict[str, Any], certificate: Certificate, tmp_path: Path
) -> None:
    """The refusal says where to look and holds neither user nor password."""
    ca, context = certificate
    peer = smtp_peer(ssl_context=context, auth_require_tls=False, **login)
    handler = email(f"smtps://phone%40example.com:wr0ng-one@localhost:{peer.port}", ca)
    for call in (handler.check(), send(handler, tmp_path)):
        with pytest.raises(TransientError, match=r"refused the login \(535 .*option smtp") as error:
            await call
        assert "wr0ng-one" not in str(error.value)
        assert "phone@" not in str(error.value)


async def test_a_file_without_certificates(tmp_path: Path) -> None:
    """A useless authority file is named."""
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(PermanentError, match=r"no certificates in .*ca\.pem, .* option ca"):
        await Bench(SMS, tmp_path).attempt(email("smtps://localhost:1", tmp_path / "ca.pem"))


async def test_a_file_put_right_serves_the_next_mail(
    smtp_peer: Start, certificate: Certificate, tmp_path: Path
) -> None:
    """A failure to set TLS up is not kept for the worker's life."""
    ca, context = certificate
    peer = smtp_peer(ssl_context=context)
    (tmp_path / "ca.pem").write_text("nothing")
    handler = email(f"smtps://localhost:{peer.port}", tmp_path / "ca.pem")
    with pytest.raises(PermanentError, match="no certificates"):
        await Bench(SMS, tmp_path).attempt(handler)
    (tmp_path / "ca.pem").write_text(ca.read_text())
    assert await send(handler, tmp_path) == "mailed to 1 recipient"
