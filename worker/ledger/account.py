"""What the ledger keeps for one credential: subscriptions, coverage, permissions, mailboxes."""

from .assignments import PermissionLedger
from .connection import Connection
from .coverage import CoverageLedger
from .mailboxes import MailboxLedger
from .subscription import SubscriptionLedger


class AccountLedger:
    """The part of the ledger that belongs to one credential; `mailboxes` are those of all."""

    def __init__(self, connection: Connection, scope: str, mailboxes: MailboxLedger) -> None:
        self.scope = scope
        self.mailboxes = mailboxes
        self.subscription = SubscriptionLedger(connection, scope)
        self.coverage = CoverageLedger(connection, scope)
        self.permissions = PermissionLedger(connection, scope)
