"""Mail addresses as options, checked at start."""

import re
from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


def parse_address(text: str) -> Address:
    """A mail address with or without a name; raises ValueError with an example.

    A domain beyond ASCII is written in its ASCII form.
    """
    name, address = parseaddr(text)
    if not _ADDRESS.fullmatch(address) or "=?" in address or any(c in text for c in "\r\n"):
        raise ValueError('not a mail address; write "office@example.com" or "Name <a@example.com>"')
    user, _, domain = address.rpartition("@")
    try:
        return Address(name, user, domain.encode("idna").decode())
    except (UnicodeError, ValueError) as error:
        raise ValueError("not a mail address that every mail server takes") from error


def addresses(texts: Iterable[str]) -> tuple[Address, ...]:
    """The addresses that were checked at start, parsed."""
    return tuple(parse_address(text) for text in texts)


def _checked(text: str) -> str:
    parse_address(text).addr_spec.encode("ascii")
    return text


MailAddress = Annotated[str, AfterValidator(_checked)]
"""The type of an option that is a mail address, with or without a name."""
