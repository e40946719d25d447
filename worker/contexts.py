"""What handlers are given for a step: live work and bulk work have shares of their own."""

from pathlib import Path

from message_store.message import Message

from .attempts import StepAddress
from .every_store import EveryStore
from .gathering import Gathering
from .handlers.context import DeliveryContext
from .handlers.egress import Egress
from .ledger import Ledger
from .ledger.leases import Held
from .ledger.records import Claim
from .links.making import LinkMaker
from .own_changes import OwnChanges
from .spool import Spool


class Contexts:
    """Makes the contexts of a process, over one spool and one way out."""

    def __init__(
        self, store: EveryStore, ledger: Ledger, data: Path, links_url: str | None
    ) -> None:
        self._store = store
        self._notes = ledger.notes
        self._egress = Egress()
        self._gathering = Gathering(ledger)
        self.links_folder = data / "links"
        """Where the contents of links are."""
        self._links = LinkMaker(self.links_folder, ledger.links, links_url) if links_url else None
        self.spool = Spool(data / "spool", store)
        bulk = store.in_bulk()
        self._bulk_spool = self.spool.through(bulk)
        self.changes = OwnChanges(store, ledger)
        """Where handlers change mailboxes."""
        self.bulk_changes = OwnChanges(bulk, ledger)
        """The same in what live work leaves of RingCentral's limits."""

    def of(self, step: StepAddress) -> DeliveryContext:
        """The context of one step."""
        return DeliveryContext(
            mailbox=step.mailbox,
            message=step.message,
            route=step.route,
            step=step.step,
            attempt=step.attempt,
            on=step.on,
            at=step.at,
            amends=step.amends,
            store=self.bulk_changes if step.bulk else self.changes,
            spool=self._bulk_spool if step.bulk else self.spool,
            http=self._egress,
            notes=self._notes,
            links=self._links,
            gathering=self._gathering,
        )

    @property
    def leases(self) -> list[Held]:
        """What handlers hold that must not lapse while they are at work."""
        return self._gathering.leases

    async def read_again(self, claim: Claim) -> Message:
        """The message of a claim as RingCentral has it now; raises RingCentralError."""
        store = self._store.in_bulk() if claim.delivery.bulk else self._store
        return await store.get(claim.mailbox, claim.message_id)

    async def close(self) -> None:
        """Close the way out."""
        await self._egress.close()
