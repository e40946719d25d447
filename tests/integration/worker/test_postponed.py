"""Closing steps that come long after everything else: kept as ids, and never forgotten."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import PrivateAttr

from message_store.client import MessageStore
from message_store.errors import PermissionMissing
from message_store.mailbox import Mailbox
from message_store.protocol import MessageStoreAccess
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from worker import process
from worker.closing import Closer
from worker.handlers.conformance_cases import SMS
from worker.handlers.conformance_fakes import FakeStore
from worker.handlers.contract import ClosingHandler, ClosingOutcomes, Later, PermanentError
from worker.handlers.delete import Delete
from worker.ledger import Ledger
from worker.ledger.configurations import ConfigurationStatus, step_named
from worker.ledger.connection import key
from worker.postponed import PostponedCloser
from worker.started import StartedHandlers

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]
TIDY = """
[handlers.tidy]
use = "delete"
after = "1s"
only_read = true
"""


class Closing(ClosingHandler):
    """Answers what the test wants, after `wait`; notes whom it was asked for."""

    wait: float = 0.0
    _answers: dict[str, Any] = PrivateAttr(default_factory=dict)
    _asked: list[str] = PrivateAttr(default_factory=list)

    @property
    def delay(self) -> float:
        return self.wait

    async def finish(
        self, mailbox: Mailbox, message_ids: Sequence[str], store: MessageStoreAccess
    ) -> ClosingOutcomes:
        self._asked += message_ids
        return {id_: self._answers.get(id_, "closed") for id_ in message_ids}


class Line:
    """Both closers over one ledger, with the step `tidy`."""

    def __init__(self, ledger: Ledger, handler: ClosingHandler) -> None:
        self.ledger, store = ledger, FakeStore(SMS)
        handlers = StartedHandlers({"tidy": handler})
        self.closer = Closer(ledger.closing, ledger.postponed, handlers, store)
        self.postponed = PostponedCloser(ledger.postponed, handlers, store)

    async def waits(self) -> dict[str, float]:
        """The seconds from now of each postponed id."""
        now = (await self.ledger.connection.redis.time())[0]
        rows = await self.ledger.connection.redis.zrange(key("postponed"), 0, -1, withscores=True)
        return {member.rpartition("\t")[2]: score - now for member, score in rows}

    async def make_due(self) -> None:
        for member in await self.ledger.connection.redis.zrange(key("postponed"), 0, -1):
            await self.ledger.connection.redis.zadd(key("postponed"), {member: 1})


async def deliver(ledger: Ledger, arrive: Arrive, mailbox: Mailbox, *ids: str) -> None:
    """Everything but the step `tidy` is done with these messages."""
    await arrive(mailbox, *ids)
    for claim in await ledger.deliveries.claim(10):
        claim.delivery.state, claim.delivery.closing = "waiting", ["tidy"]
        await ledger.deliveries.settle(claim)


async def test_what_has_time_is_kept_as_an_id(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """The deliveries are done and forgotten at once; when its time has come it is closed once."""
    handler = Closing(wait=30 * 86400)
    line = Line(ledger, handler)
    await deliver(ledger, arrive, mailbox, "1", "2")

    async def are_postponed() -> dict[str, float]:
        await line.closer.work()
        return await line.waits()

    waits = await eventually(are_postponed)
    assert waits == {"1": pytest.approx(2592000, abs=5), "2": pytest.approx(2592000, abs=5)}
    assert await ledger.connection.redis.keys(key("message", "*")) == []
    await line.postponed.work()
    assert handler._asked == []

    await line.make_due()
    await line.postponed.work()
    await line.postponed.work()
    assert (sorted(handler._asked), await line.waits()) == (["1", "2"], {})


async def test_each_outcome_has_its_wait(ledger: Ledger, mailbox: Mailbox) -> None:
    """Done is forgotten; not yet, refused, and not answered are looked at again in their time."""
    handler = Closing()
    handler._answers = {"2": Later("unread", 500), "3": PermanentError("no"), "4": None}
    line = Line(ledger, handler)
    await ledger.postponed.postpone(mailbox, "tidy", dict.fromkeys("123", -1))
    await ledger.postponed.postpone(mailbox, "gone", {"5": -1})
    await line.postponed.work()
    assert await line.waits() == {
        "2": pytest.approx(500, abs=5),
        "3": pytest.approx(86400, abs=5),
    }


async def test_a_call_that_fails_is_tried_again(ledger: Ledger, mailbox: Mailbox) -> None:
    """What RingCentral refuses as a whole comes back the next day; a killed worker's work soon."""

    class Refused(Closing):
        async def finish(self, *_: Any) -> ClosingOutcomes:
            raise PermissionMissing("may not change messages", status=403)

    line = Line(ledger, Refused())
    await ledger.postponed.postpone(mailbox, "tidy", {"1": -1})
    await line.postponed.work()
    [wait] = (await line.waits()).values()
    assert wait >= 3000
    await line.make_due()
    assert await ledger.postponed.claim() == {(mailbox, "tidy"): ["1"]}
    assert await line.waits() == {"1": pytest.approx(900, abs=5)}


async def test_a_skipped_route_keeps_the_message(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """If the route that would have archived it is gone, it is not deleted: listed instead."""
    line = Line(ledger, Delete())
    await arrive(mailbox, "1", routes=("archived", "tidied"))
    for claim in await ledger.deliveries.claim(10):
        gone = claim.route == "archived"
        claim.delivery.state = "skipped" if gone else "waiting"
        claim.delivery.closing = None if gone else ["tidy"]
        await ledger.deliveries.settle(claim)

    async def refused() -> list[str | None]:
        await line.closer.work()
        return [record.reason for record in await ledger.failures() if record.step == "tidy"]

    assert await eventually(refused) == ["another route of it was skipped: it may not be archived"]


async def test_deleting_again_purges_nothing(ringcentral: RingCentral, store: MessageStore) -> None:
    """A deletion whose answer was lost is repeated, and the message can still be restored."""
    message_id = str((await ringcentral.receives_sms("Hello"))["id"])
    mailbox = Mailbox("~", "~")
    for words in ("deleted", "already deleted"):
        assert await Delete().finish(mailbox, [message_id], store) == {message_id: words}
    assert (await store.get(mailbox, message_id)).availability == "Deleted"


async def test_on_a_running_line(
    ringcentral: RingCentral,
    redis_url: str,
    tmp_path: Path,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is archived and read leaves the mailbox when its time has come; what is unread stays."""
    monkeypatch.setattr(process, "_POSTPONED_SECONDS", 0.2)
    line = ShortLine(ringcentral, redis_url, tmp_path)
    await line.start_webhook()
    steps = CONFIGURATION.replace('steps = ["vault"]', 'steps = ["vault", "tidy"]')
    await line.start_worker(configuration=steps + TIDY)
    try:
        await eventually(line.is_covered)
        unread = await ringcentral.receives_fax()
        read = await ringcentral.receives_sms("Hello", read_status="Read")

        def availability(message: dict[str, Any]) -> str:
            return str(ringcentral.message(message["id"])["availability"])

        await eventually(lambda: availability(read) == "Deleted")
        await eventually(lambda: line.is_delivered(unread))
        assert line.is_delivered(read)
        assert availability(unread) == "Alive"
    finally:
        await line.stop()


async def test_a_step_that_another_worker_knows_is_left_to_it(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """While workers go by different files nothing is taken for done or dropped; later it is."""
    line = Line(ledger, Closing())
    line.closer.handlers = line.postponed.handlers = StartedHandlers({})
    other = ConfigurationStatus(worker="other", file="f", digest="d", since=datetime.now(UTC))
    await ledger.configurations.report(other, [step_named("tidy")])
    await deliver(ledger, arrive, mailbox, "1")
    await ledger.postponed.postpone(mailbox, "tidy", {"2": -1})

    async def closing() -> tuple[int, dict[str, float]]:
        await line.closer.work()
        await line.postponed.work()
        return (await ledger.overview()).waiting, await line.waits()

    redis = ledger.connection.redis
    await redis.zadd(key("closing-due"), {f"{mailbox}\ttidy": 1}, xx=True)  # it has gathered
    waiting, waits = await closing()
    assert (waiting, list(waits)) == (1, ["2"])

    await ledger.configurations.leave("other")
    await line.make_due()
    await redis.zadd(key("closing-due"), {f"{mailbox}\ttidy": 1}, xx=True)
    assert await closing() == (0, {})
