"""The Message Store of RingCentral: mailboxes are read, synchronised and changed through it."""

import copy
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

import aiohttp

from message_store.account import Account
from message_store.addresses import content_path, date, is_part_id, mailbox_path, messages_path
from message_store.auth import Authenticator
from message_store.batch import (
    MOST_READ,
    MULTIPART_JSON,
    Entry,
    by_id,
    chunks,
    message_id,
    message_ids,
)
from message_store.calls import JSON, Answer, Call
from message_store.changes import Changes
from message_store.content import Content
from message_store.errors import BadRequest, FullSyncRequired, NotFound, RingCentralError
from message_store.http import Http
from message_store.limits import Limits
from message_store.mailbox import Mailbox
from message_store.message import Attachment, Message
from message_store.pages import ListPage, SyncPage, read_list, read_one, read_record, read_sync
from message_store.server import Server


class MessageStore(Changes, Account):
    """A user's view of RingCentral over one session; all failures are RingCentralErrors.

    Give it a session without a cookie jar of its own worth keeping; it sets its own time limits.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        server: Server,
        authenticator: Authenticator,
        limits: Limits,
    ) -> None:
        self._http = Http(session, server, authenticator, limits)

    def in_bulk(self) -> Self:
        """The same for work that can wait: it leaves a share of the rate limits to live work."""
        twin = copy.copy(self)
        twin._http = self._http.in_bulk()
        return twin

    def server_time(self) -> datetime | None:
        """What RingCentral's clock shows now (ours may be wrong); None before the first answer."""
        return self._http.server_time

    async def sync(
        self,
        mailbox: Mailbox,
        *,
        token: str | None = None,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        owner: str | None = None,
        record_count: int = 250,
    ) -> SyncPage:
        """What is new or changed since `token`, or, without one, all between the dates.

        `owner` is whose messages: `Personal` (RingCentral's default), `Shared` or `Any`. Records
        repeat between calls, and their number is not exact. Dates and owner of a token are those of
        the full sync it came from. Raises FullSyncRequired when the token is refused.
        Source: https://developers.ringcentral.com/api-reference/Message-Store/syncMessages
        """
        query: list[tuple[str, str | int]] = [("recordCount", record_count)]
        if token is None:
            query += [("syncType", "FSync"), *_dates(date_from, date_to)]
            query += [("owner", owner)] if owner is not None else []
        else:
            query += [("syncType", "ISync"), ("syncToken", token)]
        call = Call("message-sync", "GET", f"{mailbox_path(mailbox)}/message-sync", query)
        try:
            return await self._http.read(call, read_sync)
        except BadRequest as error:
            # A bare CMN-101 on an incremental sync can only mean its one free parameter.
            if token is None or error.code != "CMN-101" or error.parameter is not None:
                raise
            raise FullSyncRequired(
                error.reason, status=error.status, code=error.code, request_id=error.request_id
            ) from error

    async def list(
        self,
        mailbox: Mailbox,
        *,
        message_types: Iterable[str] = (),
        directions: Iterable[str] = (),
        read_statuses: Iterable[str] = (),
        availability: Iterable[str] = (),
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        page: int = 1,
        per_page: int = 100,
        phone_number: str | None = None,
        owner: str | None = None,
    ) -> ListPage:
        """A page of messages, newest first; values are spelled as RingCentral spells them.

        Without `date_from` it is the 24 hours before `date_to`, without availability only `Alive`,
        without `owner` the mailbox's own (`Personal`).
        Source: https://developers.ringcentral.com/api-reference/Message-Store/listMessages
        """
        chosen = {
            "messageType": message_types,
            "direction": directions,
            "readStatus": read_statuses,
            "availability": availability,
        }
        query: list[tuple[str, str | int]] = [
            (name, value) for name, values in chosen.items() for value in values
        ]
        query += _dates(date_from, date_to)
        if phone_number is not None:
            query.append(("phoneNumber", phone_number))
        query += [("owner", owner)] if owner is not None else []
        query += [("page", page), ("perPage", per_page)]
        call = Call("message-list", "GET", messages_path(mailbox), query)
        return await self._http.read(call, partial(read_list, page=page, per_page=per_page))

    async def walk(
        self,
        mailbox: Mailbox,
        *,
        message_types: Sequence[str] = (),
        directions: Sequence[str] = (),
        read_statuses: Sequence[str] = (),
        availability: Sequence[str] = (),
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        per_page: int = 100,
        phone_number: str | None = None,
    ) -> AsyncIterator[ListPage]:
        """All pages of a list, each message once; `date_to` is fixed so that pages do not shift."""
        until = date_to or (self.server_time() or datetime.now(UTC)) + timedelta(seconds=1)
        seen: set[str] = set()
        page = 1
        while True:
            found = await self.list(
                mailbox,
                message_types=message_types,
                directions=directions,
                read_statuses=read_statuses,
                availability=availability,
                date_from=date_from,
                date_to=until,
                page=page,
                per_page=per_page,
                phone_number=phone_number,
            )
            fresh = [record for record in found.records if record.id not in seen]
            seen.update(record.id for record in fresh)
            yield ListPage(fresh, page, found.total_pages, found.has_next)
            if not (found.has_next and found.records):
                return
            page += 1

    async def get(self, mailbox: Mailbox, message_id: str) -> Message:
        """One message; raises NotFound."""
        call = _reading(mailbox, [message_id])
        return await self._http.read(call, partial(read_one, model=Message))

    async def get_many(
        self, mailbox: Mailbox, ids: Sequence[str]
    ) -> dict[str, Message | RingCentralError]:
        """Each id's message or error, 20 in a call, so many ids cost few calls."""
        found: dict[str, Message | RingCentralError] = {}
        for chosen in chunks(message_ids(ids), MOST_READ):
            if len(chosen) == 1:
                try:
                    found[chosen[0]] = await self.get(mailbox, chosen[0])
                except (NotFound, BadRequest) as error:
                    found[chosen[0]] = error
                continue
            call = _reading(mailbox, chosen)
            found |= await self._http.read(call, partial(_messages, ids=chosen))
        return found

    def content(
        self, mailbox: Mailbox, message_id: str, attachment: Attachment, *, offset: int = 0
    ) -> AbstractAsyncContextManager[Content]:
        """An attachment's bytes as a stream, from `offset` on; see Content.

        The address is built from the ids, on the media host: the one in the message comes from
        outside and is not followed. Raises BadRequest for an attachment whose id is none.
        """
        if not is_part_id(attachment.id):
            # RingCentral's own oddity, told as such: it costs this attachment and nothing else.
            raise BadRequest("message-content: the attachment's id is none, it cannot be asked for")
        path = content_path(mailbox, message_id, attachment.id)
        return Content(self._http, path, offset, attachment.content_type)


def _reading(mailbox: Mailbox, ids: Sequence[str]) -> Call:
    path = messages_path(mailbox, ",".join(message_id(one) for one in ids))
    headers = {"Accept": f"{MULTIPART_JSON}, {JSON}"} if len(ids) > 1 else {}
    return Call("message", "GET", path, headers=headers)


def _dates(date_from: datetime | None, date_to: datetime | None) -> list[tuple[str, str]]:
    dates = (("dateFrom", date_from), ("dateTo", date_to))
    return [(name, date(moment)) for name, moment in dates if moment is not None]


def _messages(answer: Answer, ids: Sequence[str]) -> dict[str, Message | RingCentralError]:
    return {one: _message(answer, outcome) for one, outcome in by_id(answer, ids).items()}


def _message(answer: Answer, outcome: Entry | RingCentralError) -> Message | RingCentralError:
    if isinstance(outcome, RingCentralError):
        return outcome
    message = read_record(outcome.body, Message)
    return message or answer.unexpected("holds a message without a usable id")
