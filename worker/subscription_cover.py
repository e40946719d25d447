"""From filters that are served to mailboxes that are covered; each gap asks for a sync."""

import time
from collections.abc import Iterable, Mapping, Sequence

from message_store.mailbox import Mailbox
from message_store.subscription import Subscription

from .event_filters import same
from .ledger.account import AccountLedger
from .ledger.coverage import Darkness
from .subscription_plan import disabled, served
from .wording import in_brief

_HINTS_AT_ONCE = 1000


class FilterCover:
    """What each filter brings now. A mailbox is covered while all of its filters are served.

    `mailboxes` says which mailbox each filter tells of. A mailbox that is covered again is marked
    in the ledger to be synchronised before it counts as covered: a crash repeats that at most.
    """

    def __init__(self, ledger: AccountLedger, mailboxes: Mapping[str, Mailbox | None]) -> None:
        self._ledger = ledger
        self._mailbox_of = {text: str(mailbox) for text, mailbox in mailboxes.items() if mailbox}
        self._filters_of: dict[str, list[str]] = {}
        for text, name in self._mailbox_of.items():
            self._filters_of.setdefault(name, []).append(text)
        self._until: dict[str, float] = {}
        self._dark: dict[str, Darkness] = {}
        self._newly_dark: set[str] = set()

    async def begin(self, dark: Mapping[str, Darkness]) -> None:
        """Note what is dark before anything is repaired, so that the gap is known."""
        await self._ledger.coverage.keep_only(self._filters_of)
        self._dark.update(dark)
        await self._write(dark)

    async def answered(self, filters: Sequence[str], subscription: Subscription) -> None:
        """RingCentral has answered what this subscription to these filters is like now."""
        brought, dead = served(subscription), disabled(subscription)
        until = time.time() + (subscription.expires_in or 0)
        for text in filters:
            self._until.pop(text, None)
            if same(text) in brought:
                self._dark.pop(text, None)
                self._until[text] = until
            else:
                left_out = Darkness(why="RingCentral has left its filter out")
                self._dark[text] = dead.get(same(text), left_out)
        await self._write(filters)

    async def darken(self, reasons: Mapping[str, str]) -> None:
        """These filters bring nothing, for this reason each."""
        for text, why in reasons.items():
            self._until.pop(text, None)
            self._dark[text] = Darkness(why=why)
        await self._write(reasons)

    async def failed(self, filters: Iterable[str], why: str) -> None:
        """What is dark among these stays so, for this reason."""
        still = self.dark_of(filters)
        for text in still:
            self._dark[text] = self._dark[text].model_copy(update={"why": in_brief(why)})
        await self._write(still)

    def dark_of(self, filters: Iterable[str]) -> tuple[str, ...]:
        """Those of the filters that bring nothing now."""
        return tuple(text for text in filters if text in self._dark)

    async def end(self) -> None:
        """Let those be polled from now on that have become dark and still are."""
        await hint_all(self._ledger, sorted(self._newly_dark))

    async def _write(self, filters: Iterable[str]) -> None:
        covered: dict[str, float] = {}
        dark: dict[str, Darkness] = {}
        for name in {self._mailbox_of[text] for text in filters if text in self._mailbox_of}:
            its = self._filters_of[name]
            reasons = [self._dark[text] for text in its if text in self._dark]
            if reasons:
                dark[name] = reasons[0]
            elif all(text in self._until for text in its):
                covered[name] = min(self._until[text] for text in its)
        self._newly_dark |= set(await self._ledger.coverage.darken(dark))
        await hint_all(self._ledger, await self._ledger.coverage.dark_of(covered))
        await self._ledger.coverage.cover(covered)
        self._newly_dark -= covered.keys()


async def hint_all(ledger: AccountLedger, mailboxes: Sequence[str]) -> None:
    """Mark mailboxes, however many, to be synchronised at once."""
    for start in range(0, len(mailboxes), _HINTS_AT_ONCE):
        await ledger.mailboxes.hint(mailboxes[start : start + _HINTS_AT_ONCE])
