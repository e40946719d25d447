"""Keeps webhook subscriptions alive for all mailboxes; those that have none are polled.

The verification token is never returned by RingCentral, so a subscription is relied on only if
the ledger knows that it was made with our address and token; else a new one is made and the old
one deleted. Source: https://developers.ringcentral.com/guide/notifications/webhooks/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from message_store.client import MessageStore
from message_store.errors import RateLimited, RingCentralError
from message_store.mailbox import Mailbox
from message_store.subscription import Subscription

from .configuration import Configuration
from .event_filters import MESSAGE_STORE, extension_filter, mailbox_filter
from .ledger import Ledger
from .ledger.account import AccountLedger
from .ledger.coverage import Darkness
from .ledger.subscription import digest
from .logins import Login
from .subscription_cover import FilterCover, hint_all
from .subscription_plan import FILTERS_PER_SUBSCRIPTION, Desired, Plan, plan
from .subscription_repair import Done, Repair
from .wording import in_brief

log = structlog.get_logger()

# RingCentral's own default; renewed when half of what was granted is over.
LIFETIME = 7 * 24 * 3600
NO_ADDRESS = "WEBHOOK_URL is not set: RingCentral cannot tell what is new"
TOKENLESS = "WEBHOOK_VERIFICATION_TOKEN is not set: no webhook would believe RingCentral"


@dataclass(frozen=True)
class Comparison:
    """What should be, what RingCentral has, and what to do about it.

    `mailboxes` says for every filter which mailbox it is for, also for the `refused` ones.
    """

    desired: Desired
    mailboxes: Mapping[str, Mailbox | None]
    refused: Mapping[str, str]
    listed: Mapping[str, Subscription]
    plan: Plan


class Subscriptions:
    """The subscriptions made with one credential.

    `address` is the public webhook address and `token` what RingCentral must present there; None:
    there is none, only polling. `filters` are those that each mailbox has (see `checked_filter`);
    `lifetime` is in seconds.
    """

    def __init__(
        self,
        store: MessageStore,
        ledger: AccountLedger,
        address: str | None,
        token: str | None,
        filters: Sequence[str] = (MESSAGE_STORE,),
        *,
        lifetime: int = LIFETIME,
        most_filters: int = FILTERS_PER_SUBSCRIPTION,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._address = address if token else None
        self._token = token or ""
        self._why_not = TOKENLESS if address else NO_ADDRESS
        self._filters = filters
        self._lifetime = lifetime
        self._most_filters = most_filters

    async def heal(self, mailboxes: Sequence[Mailbox]) -> list[Done]:
        """Make it right for exactly these mailboxes; what was done, apart from looking.

        Whatever was dark meanwhile is due to be synchronised. Raises RingCentralError when it
        cannot all be made right now; the mailboxes concerned are polled meanwhile.
        """
        try:
            comparison = await self.compare(mailboxes)
        except RingCentralError as error:
            await self.doubt(error)
            raise
        cover = FilterCover(self._ledger, comparison.mailboxes)
        await cover.begin(self._dark(comparison))
        repair = Repair(
            self._store,
            self._ledger.subscription,
            cover,
            comparison.desired,
            self._token,
            self._lifetime,
        )
        done, failure = await repair.carry_out(comparison.plan, comparison.listed)
        await cover.end()
        if failure is not None:
            raise failure
        return done

    async def compare(self, mailboxes: Sequence[Mailbox]) -> Comparison:
        """What should be against what is, with one call at most; raises RingCentralError."""
        wanted = self._wanted(mailboxes)
        refused = await self._ledger.subscription.refused(list(wanted))
        filters = {text: mailbox for text, mailbox in wanted.items() if text not in refused}
        if self._address is None:
            filters = {}
        desired = Desired(filters, self._address, digest(self._token))
        records = await self._ledger.subscription.records()
        # without an address nobody need be able to ask for subscriptions
        ask = self._address is not None or records
        actual = await self._store.subscriptions() if ask else []
        return Comparison(
            desired=desired,
            mailboxes=wanted,
            refused=refused,
            listed={one.id: one for one in actual},
            plan=plan(desired, records, actual, most_filters=self._most_filters),
        )

    async def doubt(self, error: RingCentralError) -> None:
        """What RingCentral has cannot be found out: no mailbox is sure to be covered."""
        if isinstance(error, RateLimited):
            return  # which says nothing about subscriptions, and polling would not help
        names = await self._ledger.coverage.mailboxes()
        dark = Darkness(why=in_brief(f"subscriptions cannot be checked: {error}"))
        newly = await self._ledger.coverage.darken(dict.fromkeys(names, dark))
        await hint_all(self._ledger, newly)

    def _wanted(self, mailboxes: Sequence[Mailbox]) -> dict[str, Mailbox | None]:
        wanted: dict[str, Mailbox | None] = {}
        if len(mailboxes) > 1:
            wanted[extension_filter(mailboxes[0].account_id)] = None
        for mailbox in mailboxes:
            wanted |= {mailbox_filter(mailbox, chosen): mailbox for chosen in self._filters}
        return wanted

    def _dark(self, comparison: Comparison) -> dict[str, Darkness]:
        if self._address is None:
            return dict.fromkeys(comparison.mailboxes, Darkness(why=self._why_not))
        refused = {text: Darkness(why=why) for text, why in comparison.refused.items()}
        return {**comparison.plan.dark, **refused}


def subscriptions_of(
    logins: Iterable[Login],
    ledger: Ledger,
    address: str | None,
    token: str | None,
    configuration: Configuration,
) -> dict[str, Subscriptions]:
    """The subscriptions of each login, by its scope; all of them lead to one webhook."""
    filters = configuration.subscriptions.filters
    return {
        login.scope: Subscriptions(
            login.store, ledger.account(login.scope), address, token, filters
        )
        for login in logins
    }
