"""A changed configuration is taken up by a running worker; a broken one is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.handlers.loading import load_all
from worker.ledger.configurations import ConfigurationStatus, route_named, step_named

SECOND = """
[handlers.other]
use = "archive"
to = "{archive}-2"
[[routes]]
name = "also kept"
steps = ["other"]
"""


class Running(ShortLine):
    """A line whose configuration is edited while it runs."""

    def edit(self, text: str) -> None:
        """As an editor does: a new file in the place of the old one."""
        path, new = self._folder / "ringpost.toml", self._folder / "new"
        new.write_text(text.replace("{archive}", str(self._folder / "archive")))
        new.replace(path)

    async def status(self) -> ConfigurationStatus:
        """What the worker says of its configuration."""
        assert self.worker is not None
        [status] = (await self.worker.ledger.overview()).configurations
        return status

    async def sends(self, eventually: Eventually) -> dict[str, Any]:
        """A message arrives, and the worker has seen it."""
        message = await self.ringcentral.receives_sms()
        mailbox = Mailbox(self.ringcentral.account_id, self.ringcentral.extension_id)
        worker = self.worker
        assert worker is not None

        async def is_seen() -> bool:
            await worker.sync([str(mailbox)])
            return bool(await worker.ledger.mailboxes.known(mailbox, [str(message["id"])]))

        await eventually(is_seen)
        return message

    def kept(self, archive: str) -> set[str]:
        """The ids of the messages in an archive."""
        found = self._folder.glob(f"{archive}/*/*/*/*/*/*/manifest.json")
        return {path.parent.name.rpartition("-")[2] for path in found}


@pytest.fixture
async def line(
    ringcentral: RingCentral,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Running]:
    monkeypatch.setattr("worker.process.LOOK_SECONDS", 0.1)
    line = Running(ringcentral, redis_url, tmp_path)
    await line.start_worker()
    assert line.worker is not None
    await line.worker.heal()
    yield line
    await line.stop()


async def test_a_message_goes_by_the_routes_of_the_changed_file(
    line: Running, eventually: Eventually
) -> None:
    """No restart: what comes after the change has its handler, and the old one is closed."""
    before = (await line.status()).digest
    assert line.worker is not None
    old = line.worker._handlers
    line.edit(CONFIGURATION + SECOND)

    async def is_taken_up() -> bool:
        return (await line.status()).digest != before

    await eventually(is_taken_up)
    message = await line.sends(eventually)

    await eventually(lambda: str(message["id"]) in line.kept("archive") & line.kept("archive-2"))
    await eventually(lambda: old not in line.worker._retired)
    assert (await line.status()).refused is None


VIP = """
[contacts.vip]
file = "vip.csv"
[[routes]]
name = "kept for some"
match.from = "@vip"
steps = ["other"]
"""


@pytest.mark.parametrize("name", ["ringpost.toml", "vip.csv"])
async def test_what_changes_while_a_worker_starts_is_taken_up(
    name: str,
    ringcentral: RingCentral,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
) -> None:
    """Between reading the files and looking at them for the first time, whichever it is."""
    monkeypatch.setattr("worker.process.LOOK_SECONDS", 0.1)
    before, after = CONFIGURATION + SECOND + VIP, CONFIGURATION + SECOND
    if name == "vip.csv":
        before, after = before, "number\n+16505550142\n"

    def load_and_edit(*given: Any) -> Any:
        loaded = load_all(*given)
        (tmp_path / name).write_text(after.replace("{archive}", str(tmp_path / "archive")))
        return loaded

    (tmp_path / "vip.csv").write_text("number\n")
    monkeypatch.setattr("tests.support.in_process.load_all", load_and_edit)
    line = Running(ringcentral, redis_url, tmp_path)
    await line.start_worker(configuration=before)
    worker = line.worker
    assert worker is not None
    read = worker._reloader._configuration
    try:
        await eventually(lambda: worker._reloader._configuration.routes != read.routes)
    finally:
        await line.stop()


async def test_a_broken_file_is_refused_and_the_old_one_goes_on(
    line: Running, eventually: Eventually
) -> None:
    """The status says why; when the file is mended that is over."""
    before = await line.status()
    line.edit(CONFIGURATION + SECOND.replace('"other"]', '"othr"]'))

    async def reason() -> str | None:
        return (await line.status()).refused

    refused = await eventually(reason)
    assert '"othr" is no handler; did you mean "other"?' in refused
    message = await line.sends(eventually)
    await eventually(lambda: str(message["id"]) in line.kept("archive"))

    line.edit(CONFIGURATION)

    async def is_well() -> bool:
        return await reason() is None

    await eventually(is_well)
    after = await line.status()
    assert (after.digest, after.since) == (before.digest, before.since)


async def test_open_deliveries_of_a_route_that_is_gone_are_skipped(
    line: Running, eventually: Eventually
) -> None:
    """As after a restart; not before every worker has read the file."""
    worker = line.worker
    assert worker is not None
    await worker.drain(0)  # claims nothing for now
    await line.sends(eventually)
    line.edit(CONFIGURATION.replace('"kept"', '"renamed"'))

    async def is_gone() -> bool:
        return not await worker.ledger.configurations.is_known(route_named("kept"))

    await eventually(is_gone)
    # one of the fleet has still the old file
    await worker.ledger.configurations.report(
        (await line.status()).model_copy(update={"worker": "another"}), [route_named("kept")]
    )
    worker._deliverer._stopping = False
    await worker.deliver()
    assert (await worker.ledger.overview()).failed == 0

    await worker.ledger.configurations.withdraw([route_named("kept")])
    redis = worker.ledger.connection.redis
    [due] = [key async for key in redis.scan_iter("ringpost:ledger:due:*")]
    [member] = await redis.zrange(due, 0, -1)
    await redis.zadd(due, {member: 1})
    await redis.zadd("ringpost:ledger:ready", {due.removeprefix("ringpost:ledger:due:"): 1})
    await worker.deliver()
    [failure] = await worker.ledger.failures()
    assert (failure.route, failure.state) == ("kept", "skipped")


async def test_what_needs_a_restart_is_said(line: Running, eventually: Eventually) -> None:
    """The rest of the file counts at once."""
    line.edit(CONFIGURATION.replace('mailboxes = "all"', 'mailboxes = ["~"]') + SECOND)

    async def told() -> list[str]:
        return (await line.status()).after_restart

    assert await eventually(told) == ["mailboxes"]
    message = await line.sends(eventually)
    await eventually(lambda: str(message["id"]) in line.kept("archive-2"))


async def test_a_worker_that_ends_is_not_told_of(line: Running) -> None:
    """Its configuration is in force nowhere any more, and names are known for a minute only."""
    assert line.worker is not None
    configurations = line.worker.ledger.configurations
    assert await configurations.is_known(step_named("vault"))
    assert not await configurations.is_known(step_named("mark-read"))
    assert len(await configurations.read()) == 1
    await configurations.leave((await line.status()).worker)
    assert not await configurations.is_known(step_named("vault"))
    assert await configurations.read() == []
