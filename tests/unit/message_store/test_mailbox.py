"""The address of a mailbox."""

import pytest

from message_store.mailbox import Mailbox


@pytest.mark.parametrize("text", ["7/101", "~/101", "~/~"])
def test_reads_what_it_writes(text: str) -> None:
    """An address is account, slash, extension, both ways."""
    assert str(Mailbox.parse(text)) == text


@pytest.mark.parametrize("text", ["", "7", "7/", "/101", "7/1/2", "7/../8", "7/1 ", "a b/c"])
def test_refuses_anything_else(text: str) -> None:
    """What could lead elsewhere in a path or a key is no address."""
    with pytest.raises(ValueError, match="expected account/extension"):
        Mailbox.parse(text)
