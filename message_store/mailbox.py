"""The address of one mailbox: an extension's message store within an account."""

import re
from typing import NamedTuple, Self

_ID = re.compile(r"[0-9A-Za-z~_-]{1,32}")


class _Ids(NamedTuple):
    account_id: str
    extension_id: str


class Mailbox(_Ids):
    """An account id and an extension id, both as text; `~` is an account not yet known.

    Raises ValueError for anything else: one odd name in the ledger would stop all mailboxes.
    """

    __slots__ = ()

    def __new__(cls, account_id: str, extension_id: str) -> Self:
        if not (_ID.fullmatch(account_id) and _ID.fullmatch(extension_id)):
            text = f"{account_id}/{extension_id}"
            raise ValueError(f"not a mailbox: {text[:80]!r} (expected account/extension)")
        return super().__new__(cls, account_id, extension_id)

    def __str__(self) -> str:
        return f"{self.account_id}/{self.extension_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `account/extension`; raises ValueError for anything else."""
        account_id, _, extension_id = text.partition("/")
        return cls(account_id, extension_id)
