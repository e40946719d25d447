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


@pytest.mark.parametrize("ids", [("7", "x/y z"), ("7", ""), ("7/8", "1"), ("7", "1\n"), ("7", "٣")])
def test_is_never_made_of_anything_else(ids: tuple[str, str]) -> None:
    """Whoever names a mailbox, what was made can be read again."""
    with pytest.raises(ValueError, match="expected account/extension"):
        Mailbox(*ids)
