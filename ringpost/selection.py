"""The messages that a command is for: ids that were given, or what filters find."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ringpost.message_filters import Filters
from ringpost.refusal import Refusal

if TYPE_CHECKING:
    from message_store.mailbox import Mailbox
    from ringpost.bars import Bar
    from ringpost.mailbox_by_hand import Opened
    from ringpost.message_pages import Page

_ALL = "all"


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids of one mailbox, or filters over some; make it with `selection`."""

    mailboxes: Sequence[str]
    ids: Sequence[str]
    filters: Filters

    @property
    def several(self) -> bool:
        """Whether more than one mailbox is meant, however many there are in the end."""
        return are_several(self.mailboxes)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Ids by mailbox; `oldest` and `newest` where the messages themselves were seen."""

    ids: "dict[Mailbox, list[str]]"
    oldest: datetime | None = None
    newest: datetime | None = None

    @property
    def count(self) -> int:
        """How many in all."""
        return sum(map(len, self.ids.values()))


def are_several(mailboxes: Sequence[str]) -> bool:
    """Whether these names stand for more than one mailbox."""
    return _ALL in mailboxes or len(set(mailboxes)) > 1


def selection(
    mailboxes: Sequence[str], ids: Sequence[str], filters: Filters, all_matching: bool
) -> Selection:
    """What is meant; raises Refusal where that is not clear. Nothing ever means everything."""
    if ids:
        if all_matching or filters.choose or filters.availability:
            raise Refusal("give message ids, or filters with --all-matching, not both")
        if are_several(mailboxes):
            raise Refusal(
                "--mailbox: ids are of one mailbox; name that one, or choose by filters with "
                "--all-matching"
            )
    elif not all_matching:
        if filters.choose:
            raise Refusal("filters choose messages here only together with --all-matching")
        raise Refusal("no message ids; give them, --from FILE, or filters with --all-matching")
    elif not filters.choose:
        raise Refusal(
            "--all-matching: needs a filter, such as --type or --date-from; without one it would "
            "be all messages"
        )
    return Selection(mailboxes, ids, filters)


async def chosen(opened: "Opened", selected: Selection, bar: "Bar") -> Chosen:
    """The ids that are meant; filters are asked of RingCentral. Needs memory for the ids alone."""
    if selected.ids:
        return Chosen({opened.mailboxes[0]: list(selected.ids)})
    ids: dict[Mailbox, list[str]] = {}
    moments: set[datetime] = set()
    async for mailbox, page in matching(opened, selected.filters, bar):
        bar.advance(page.looked_at)
        ids.setdefault(mailbox, []).extend(message.id for message in page.messages)
        moments.update(message.created for message in page.messages)
        moments = {min(moments), max(moments)} if moments else set()
    ids = {mailbox: found for mailbox, found in ids.items() if found}
    return Chosen(ids, min(moments, default=None), max(moments, default=None))


async def matching(
    opened: "Opened", filters: Filters, bar: "Bar"
) -> "AsyncIterator[tuple[Mailbox, Page]]":
    """The pages of what the filters find in one mailbox after the other, still to be counted."""
    from ringpost.message_pages import pages

    for mailbox, title in opened.titles.items():
        bar.name(f"reading mailbox {title}")
        with opened.reading(mailbox):
            async for page in pages(opened.store, mailbox, filters, bar.pause):
                bar.expect(None if page.left is None else page.looked_at + page.left)
                yield mailbox, page
