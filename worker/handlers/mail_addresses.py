"""Mail addresses as options, checked at start."""

import re
from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import getaddresses, parseaddr
from typing import Annotated

from pydantic import AfterValidator

_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")


def parse_address(text: str) -> Address:
    """A mail address with or without a name; raises ValueError with an example.

    A domain beyond ASCII is written in its ASCII form.
    """
    found = getaddresses([text])
    if len(found) > 1 and any("@" in address for _, address in found):
        # the first alone would be taken, and nobody would miss the others
        raise ValueError(
            "not one mail address; make an entry of each, and put a name with , ; or : in quotes"
        )
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
    if not parse_address(text).addr_spec.isascii():
        raise ValueError("has letters beyond ASCII before the @, which few mail servers take")
    return text


MailAddress = Annotated[str, AfterValidator(_checked)]
"""The type of an option that is a mail address, with or without a name."""
