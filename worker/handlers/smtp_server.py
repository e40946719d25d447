"""Where mails are handed over: the address of an SMTP server, read from one URL."""

import ipaddress
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

_REMEDY = (
    "not an SMTP address; write smtps://user:password@host, smtp+starttls://user:password@host or "
    "smtp://host, and in user and password %2F %3F %23 %40 for / ? # @"
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Host, port and login; `tls`: from the first byte, by STARTTLS, by it if offered, or not."""

    host: str
    port: int
    tls: Literal["implicit", "required", "offered", "none"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL; raises ValueError with the remedy, never with the password.

        smtp:// takes STARTTLS where it is offered, and insists on it when there is a password
        to protect; on a loopback host there is no wire and no TLS unless asked for.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(_REMEDY) from None
        if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not host:
            raise ValueError(_REMEDY)
        if parts.path not in {"", "/"} or parts.fragment or "@" in (parts.username or ""):
            raise ValueError(_REMEDY)
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        if bool(user) != bool(password):
            raise ValueError("a user name and a password come together or not at all")
        starttls = _wants_starttls(parts.query)
        if parts.scheme == "smtps":
            if starttls:
                raise ValueError("smtps:// is TLS from the first byte; leave ?starttls out")
            return cls(host, port or 465, "implicit", user, password)
        required = starttls or parts.scheme == "smtp+starttls"
        if required or (password and not _is_loopback(host)):
            return cls(host, port or 587, "required", user, password)
        return cls(host, port or 25, "none" if _is_loopback(host) else "offered", user, password)


def _wants_starttls(query: str) -> bool:
    options = dict(parse_qsl(query, keep_blank_values=True))
    value = options.pop("starttls", "no").lower()
    if options:
        raise ValueError("unknown option after the ?; there is only ?starttls")
    if value not in {"", "1", "true", "yes", "required", "0", "false", "no"}:
        raise ValueError("?starttls is yes or no")
    return value not in {"0", "false", "no"}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # Not *.localhost: a name server may say where that is.
        return host == "localhost"
