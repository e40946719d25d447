"""The address of an SMTP server."""

import pytest

from worker.handlers.smtp_server import SmtpServer

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example.com", SmtpServer("mail.example.com", 465, "implicit")),
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25, "offered")),
        ("smtp://u:p@mail.example.com", SmtpServer("mail.example.com", 587, "required", "u", "p")),
        ("smtp://u:p@localhost:1025", SmtpServer("localhost", 1025, "none", "u", "p")),
        ("smtp://x.localhost", SmtpServer("x.localhost", 25, "offered")),
        ("smtp://u:p@x.localhost", SmtpServer("x.localhost", 587, "required", "u", "p")),
        ("smtp://[::1]:2525/", SmtpServer("::1", 2525, "none")),
        ("smtp://mail.example.com?starttls=yes", SmtpServer("mail.example.com", 587, "required")),
        ("smtp+starttls://localhost:26", SmtpServer("localhost", 26, "required")),
        (
            "smtps://a%40b.c:p%2F%23%3A@mail.example.com:466",
            SmtpServer("mail.example.com", 466, "implicit", "a@b.c", "p/#:"),
        ),
    ],
)
def test_parse(url: str, server: SmtpServer) -> None:
    """Scheme, login and host decide on port and TLS; a password is protected on every wire."""
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (SECRET, "not an SMTP address; write smtps://"),
        (f"https://u:{SECRET}@mail.example.com", "not an SMTP address"),
        (f"smtps://u:{SECRET}#x@mail.example.com", "%2F %3F %23 %40 for / ? # @"),
        (f"smtps://u:{SECRET}/x@mail.example.com", "not an SMTP address"),
        (f"smtp://u:{SECRET}@mail.example.com:99999", "not an SMTP address"),
        ("smtps://u@mail.example.com", "come together"),
        (f"smtps://u:{SECRET}@mail.example.com?starttls", "leave ?starttls out"),
        (f"smtp://u:{SECRET}@mail.example.com?tls=1", "unknown option"),
        (f"smtp://u:{SECRET}@mail.example.com?starttls=maybe", "yes or no"),
    ],
)
def test_a_wrong_address(url: str, words: str) -> None:
    """The error says what to write, and not the password."""
    with pytest.raises(ValueError, match=r".") as error:
        SmtpServer.parse(url)
    assert words in str(error.value)
    assert SECRET not in str(error.value)


def test_the_password_is_not_shown() -> None:
    """Neither representation holds it."""
    server = SmtpServer.parse(f"smtps://u:{SECRET}@mail.example.com")
    assert SECRET not in repr(server) + str(server)
