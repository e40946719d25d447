"""A destination that fails costs a probe from time to time, and nobody else anything."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from pydantic import PrivateAttr

from message_store.errors import ConnectionFailed, RateLimited
from message_store.mailbox import Mailbox
from message_store.message import Message
from worker.attempts import StepAddress
from worker.delivery import Deliverer
from worker.handlers import smtp
from worker.handlers.context import DeliveryContext
from worker.handlers.contract import Context, Handler, PermanentError, TransientError
from worker.handlers.email import Email
from worker.in_force import InForce
from worker.ledger import Ledger
from worker.ledger.breakers import BreakerStatus
from worker.ledger.records import Claim
from worker.routes import Route
from worker.started import StartedHandlers
from worker.together import cancel_all

Arrive = Callable[..., Awaitable[None]]
Eventually = Callable[..., Awaitable[Any]]
BREAKERS = "ringpost:ledger:breakers"
DAY = 86400.0
OTHER = Mailbox("1", "1")


class Chat(Handler):
    """Notes whom it is called for; fails with `error`, or hangs, as long as there is one."""

    _calls: list[str] = PrivateAttr(default_factory=list)
    _error: Exception | None = PrivateAttr(default=None)
    _held: asyncio.Event | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        self._calls.append(message.id)
        if self._held is not None:
            await self._held.wait()
        if self._error is not None:
            raise self._error
        return "said"


def _context(step: StepAddress) -> DeliveryContext:
    unused: Any = None  # a message without files
    return DeliveryContext(
        mailbox=step.mailbox,
        message=step.message,
        route=step.route,
        step=step.step,
        attempt=step.attempt,
        store=unused,
        spool=unused,
        http=unused,
    )


async def _read_again(_: Claim) -> Message:
    raise AssertionError("nothing is read again")


class Line:
    """A deliverer with a route to a chat, one to a vault that always works, one to both."""

    def __init__(self, ledger: Ledger, chat: Handler, schedule: tuple[float, ...]) -> None:
        self.ledger = ledger
        self.vault = Chat()
        routes = {"chat": ("chat",), "vault": ("vault",), "both": ("vault", "chat")}
        self.deliverer = Deliverer(
            ledger.deliveries,
            InForce(
                {name: Route(name=name, steps=steps) for name, steps in routes.items()},
                StartedHandlers({"chat": chat, "vault": self.vault}),
                schedule,
            ),
            _context,
            _read_again,
            lambda *_: None,
        )

    async def work(self) -> None:
        """Deliver what is due, and what the pump finds due after that."""
        await self.ledger.due_work()
        await self.deliverer.work()

    async def breaker(self) -> BreakerStatus | None:
        """The breaker of the chat if it is open."""
        return next(iter((await self.ledger.overview()).breakers), None)

    async def probe_now(self) -> None:
        """Make it time for the next probe, and let it go."""
        redis = self.ledger.connection.redis
        state = orjson.loads(await redis.hget(BREAKERS, "chat"))
        await redis.hset(BREAKERS, "chat", orjson.dumps(state | {"probe_at": 0}))
        await self.work()


@pytest.fixture
def chat() -> Chat:
    return Chat()


@pytest.fixture
def line(ledger: Ledger, chat: Chat) -> Line:
    return Line(ledger, chat, (DAY, DAY))


async def _open(line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox) -> None:
    chat._error = TransientError("no answer")
    await arrive(mailbox, *map(str, range(1, 6)), routes=("chat",))
    await line.work()
    assert await line.breaker()


@asynccontextmanager
async def _server(greets: bool, port: int = 0) -> AsyncIterator[tuple[int, list[object]]]:
    """A port that hangs up on whoever connects, or says nothing: its number, and connections."""
    connections: list[object] = []

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        if greets:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1], connections
    finally:
        for writer in connections:
            assert isinstance(writer, asyncio.StreamWriter)
            writer.close()
        server.close()


@pytest.mark.parametrize("greets", [True, False], ids=["hangs-up", "says-nothing"])
async def test_a_dead_mail_server_costs_few_connections(
    ledger: Ledger,
    arrive: Arrive,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    greets: bool,
) -> None:
    """A thousand mails are put off after a few connections; other messages do not wait for them."""
    monkeypatch.setattr(smtp, "COMMAND_SECONDS", 0.2)
    async with _server(greets) as (port, connections):
        url = f"smtp://127.0.0.1:{port}"
        options = {"smtp": url, "from": "a@example.com", "to": ["b@example.com"]}
        line = Line(ledger, Email.model_validate(options), (DAY,))
        await arrive(mailbox, *map(str, range(1, 1001)), routes=("chat",))
        await arrive(OTHER, *map(str, range(1, 51)), routes=("vault",))

        await line.work()

        assert len(line.vault._calls) == 50
        assert 5 <= len(connections) <= 10
        breaker = await line.breaker()
        assert breaker
        assert breaker.handler == "chat"
        assert breaker.waiting >= 1000 - len(connections)
        overview = await ledger.overview()
        assert (overview.due, overview.running, overview.failed) == (1000, 0, 0)

        before = len(connections)
        await line.probe_now()
        assert len(connections) == before + 1


async def test_a_refused_port_opens_the_breaker(
    ledger: Ledger, arrive: Arrive, mailbox: Mailbox
) -> None:
    """Nobody listens: the reason is said with the breaker and with what waits for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = {
        "smtp": f"smtp://127.0.0.1:{port}",
        "from": "a@example.com",
        "to": ["b@example.com"],
    }
    line = Line(ledger, Email.model_validate(options), (DAY,))
    await arrive(mailbox, *map(str, range(1, 31)), routes=("chat",))

    await line.work()

    breaker = await line.breaker()
    assert breaker
    assert "no connection to 127.0.0.1" in breaker.reason
    assert 0 < breaker.since.timestamp() - time.time() + 30 <= 31
    [first, *_] = await ledger.connection.redis.zrange("ringpost:ledger:put-off:chat", 0, -1)
    id_ = first.split("\t")[1]
    kept = await ledger.connection.redis.hget(f"ringpost:ledger:message:{mailbox}:{id_}", "d:chat")
    reason = orjson.loads(kept)["reason"]
    assert reason.startswith("chat: destination is failing (no connection to 127.0.0.1")
    assert "next probe at " in reason
    assert orjson.loads(kept)["attempts"] == 0


async def test_a_probe_that_succeeds_brings_everything_back(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """One call finds the destination there again; then all that was put off is delivered."""
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, *map(str, range(10, 1010)), routes=("chat",))
    await line.work()
    assert len(chat._calls) == 5
    chat._error = None

    await line.probe_now()
    assert len(chat._calls) == 6
    for _ in range(3):
        await line.work()

    assert len(set(chat._calls)) == 1005
    assert await line.breaker() is None
    assert await line.ledger.connection.redis.exists(BREAKERS) == 0


async def test_probes_go_one_at_a_time_and_ever_less_often(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """A probe that fails doubles the pause, up to five minutes; the others are not tried."""
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, *map(str, range(10, 30)), routes=("chat",))
    await line.work()
    pauses = []

    for _ in range(5):
        before = len(chat._calls)
        await line.probe_now()
        assert len(chat._calls) == before + 1
        breaker = await line.breaker()
        assert breaker
        assert breaker.next_probe
        pauses.append(round(breaker.next_probe.timestamp() - time.time()))

    assert pauses == [60, 120, 240, 300, 300]


async def test_a_probe_under_way_is_the_only_one(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """While a probe hangs no other goes, however long that takes."""
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, *map(str, range(10, 30)), routes=("chat",))
    await line.work()
    held = chat._held = asyncio.Event()
    probing = asyncio.create_task(line.probe_now())
    await eventually(lambda: len(chat._calls) == 6)

    await line.probe_now()

    assert len(chat._calls) == 6
    breaker = await line.breaker()
    assert breaker
    assert breaker.next_probe is None
    held.set()
    await probing


async def test_what_comes_when_a_probe_is_due_is_the_probe(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """With nothing put off the next message that comes finds out, and no more than that one."""
    await _open(line, chat, arrive, mailbox)
    await line.probe_now()

    await arrive(mailbox, *map(str, range(10, 20)), routes=("chat",))
    await line.work()

    assert len(chat._calls) == 6
    breaker = await line.breaker()
    assert breaker
    assert breaker.waiting == 9


@pytest.mark.parametrize(
    "error",
    [
        PermanentError("no such room"),
        TransientError("greylisted", only_this=True),
        RateLimited("slow down", retry_after=DAY),
        ConnectionFailed("RingCentral is away"),
    ],
)
async def test_what_says_nothing_of_the_destination_opens_nothing(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox, error: Exception
) -> None:
    """Refusals of one message and RingCentral's troubles do not stop the others."""
    chat._error = error
    await arrive(mailbox, *map(str, range(1, 21)), routes=("chat",))

    await line.work()

    assert await line.breaker() is None
    assert len(chat._calls) == 20


async def test_one_message_alone_opens_nothing(
    ledger: Ledger, chat: Chat, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """A message that is put off again and again does not keep others from the same handler."""
    line = Line(ledger, chat, (0.01,) * 9)
    chat._error = TransientError("busy")
    await arrive(mailbox, "1", routes=("chat",))

    async def failed() -> bool:
        await line.work()
        return bool(await ledger.failures())

    await eventually(failed)
    assert len(chat._calls) == 10
    assert await line.breaker() is None


async def test_a_success_between_failures_opens_nothing(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """Five failures count only if they follow each other, also as one step of several."""
    for id_ in range(1, 13):
        chat._error = None if id_ % 4 == 0 else TransientError("busy")
        await arrive(mailbox, str(id_), routes=("both",))
        await line.work()

    assert len(chat._calls) == 12
    assert await line.breaker() is None


async def test_steps_before_the_dead_one_are_done_once(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What is put off goes on at its step: the archive of those messages is not repeated."""
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, *map(str, range(10, 20)), routes=("both",))
    await line.work()
    chat._error = None

    await line.probe_now()
    await line.work()

    assert sorted(line.vault._calls) == sorted(map(str, range(10, 20)))
    assert len(chat._calls) == 15


async def test_waiting_ends_with_the_schedule(
    ledger: Ledger, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """What waits for longer than all retries would take has failed, untried, with the reason."""
    line = Line(ledger, chat, (DAY, DAY))
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, "10", routes=("chat",))
    await line.work()
    waiting = "ringpost:ledger:put-off:chat"
    [(member, until)] = await ledger.connection.redis.zrange(waiting, 0, -1, withscores=True)
    assert 0 < until - time.time() - 2 * DAY <= 300

    await ledger.connection.redis.zadd(waiting, {member: 1})
    open_ = f"ringpost:ledger:message:{mailbox}:10"
    delivery = orjson.loads(await ledger.connection.redis.hget(open_, "d:chat"))
    await ledger.connection.redis.hset(open_, "d:chat", orjson.dumps(delivery | {"until": 1}))
    await line.work()

    [failure] = await ledger.failures()
    assert failure.message_id == "10"
    assert "destination is failing (no answer)" in (failure.reason or "")
    assert len(chat._calls) == 5


async def test_a_handler_that_hangs_leaves_places_to_others(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox, eventually: Eventually
) -> None:
    """While every call of a handler hangs, what does not need it is delivered."""
    held = chat._held = asyncio.Event()
    await arrive(mailbox, *map(str, range(1, 301)), routes=("chat",))
    working = asyncio.create_task(line.work())
    await eventually(lambda: chat._calls)
    await arrive(mailbox, *map(str, range(301, 311)), routes=("vault",))

    await line.work()

    await eventually(lambda: len(line.vault._calls) == 10)
    assert len(chat._calls) <= 5
    held.set()
    await line.deliverer.release()
    await cancel_all([working])


async def test_a_probe_whose_route_is_gone_does_not_hold_the_others(
    line: Line, chat: Chat, arrive: Arrive, mailbox: Mailbox
) -> None:
    """If the probe never comes to the handler, the others find out by themselves."""
    await _open(line, chat, arrive, mailbox)
    await arrive(mailbox, "10", routes=("both",))
    await line.work()
    del line.deliverer.in_force.routes["both"]  # type: ignore[attr-defined]  # as after an edit
    chat._error = None

    await line.probe_now()
    await arrive(mailbox, "11", routes=("chat",))
    await line.work()

    assert chat._calls[5:] == ["11"]
    assert await line.breaker() is None
