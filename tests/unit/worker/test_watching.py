"""Which mailboxes the configuration means."""

from typing import cast

import pytest

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from message_store.extension import Extension
from message_store.mailbox import Mailbox
from worker.watching import find_mailboxes


class Store:
    """An account of one extension, whose list may be refused."""

    def __init__(self, *, listed: bool) -> None:
        self._listed = listed

    async def signed_in_as(self) -> tuple[Mailbox, Extension]:
        return Mailbox("7", "1001"), Extension(id="1001")

    async def extensions(self) -> list[Extension]:
        if not self._listed:
            raise PermissionMissing("refused")
        return [Extension(id="1002", extension_number="102")]


@pytest.mark.parametrize(("listed", "second"), [(True, "1002"), (False, "102")])
async def test_one_name_that_is_none_costs_no_other_mailbox(listed: bool, second: str) -> None:
    """A phone number is no extension: it is left out, and nothing else is."""
    store = cast(MessageStore, Store(listed=listed))
    found = await find_mailboxes(store, ["~", "+16505550100", "102"])
    assert found == sorted([Mailbox("7", "1001"), Mailbox("7", second)])
