"""Several users and companies: each mailbox is looked after by one user who may read it."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from message_store.mailbox import Mailbox
from sandbox import RingCentral
from sandbox.staffing import Credentials
from tests.support.in_process import CONFIGURATION, ShortLine
from tests.support.waiting import Eventually
from worker.healing import Healer
from worker.ledger.mailboxes import MailboxLedger
from worker.logins import Login
from worker.subscription_repair import Done


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    async with RingCentral(extensions=8, aggregation=0.05) as ringcentral:
        yield ringcentral


@pytest.fixture(autouse=True)
def checked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.ledger.subscription._CHECK_GAP", 0.5)


def account(name: str, of: Credentials | RingCentral, lines: str = "") -> str:
    """An `[[accounts]]` table with these credentials."""
    return f"""
[[accounts]]
name = "{name}"
client_id = "{of.client_id}"
client_secret = "{of.client_secret}"
jwt = "{of.jwt}"
{lines}
"""


async def assigned(line: ShortLine) -> dict[str, str]:
    """Which scope looks after which extension."""
    assert line.worker is not None
    found = await line.worker.ledger.assignments.load()
    return {mailbox.extension_id: scope for mailbox, scope in found.items()}


async def test_two_companies(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Messages of both arrive, each fetched and subscribed to with its own company's user."""
    other = ringcentral.adds_account(extensions=2)
    configured = CONFIGURATION + account("clinic", ringcentral) + account("office", other)
    await line.start_worker(configuration=configured)
    await eventually(lambda: len(ringcentral.subscriptions) == 2)
    await eventually(line.is_covered)

    ours = await ringcentral.receives_fax(extension=ringcentral.extension_ids[1])
    theirs = await ringcentral.receives_fax(extension=other.extension_ids[1])

    await eventually(lambda: line.is_delivered(ours))
    await eventually(lambda: line.is_delivered(theirs))
    assert len(await assigned(line)) == 8 + 2
    assert not [request for request in ringcentral.requests if request.status in {403, 404}]


async def test_a_mailbox_is_given_to_somebody_before_it_is_due(
    line: ShortLine,
    ringcentral: RingCentral,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However soon the first sync comes, no mailbox is asked for as the other company's user."""
    other = ringcentral.adds_account(extensions=2)
    watch = MailboxLedger.watch

    async def watched_and_synchronised(
        self: MailboxLedger, mailboxes: list[Mailbox], floor: float
    ) -> None:
        await watch(self, mailboxes, floor)
        await eventually(lambda: ringcentral.count("message-sync") >= len(mailboxes))

    monkeypatch.setattr(MailboxLedger, "watch", watched_and_synchronised)

    await line.start_worker(
        configuration=CONFIGURATION + account("clinic", ringcentral) + account("office", other)
    )
    await eventually(line.is_covered)

    assert len(await assigned(line)) == 8 + 2
    assert not [request for request in ringcentral.requests if request.status in {403, 404}]


async def test_two_users_share_one_company(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Each looks after about half of the mailboxes, and no message is delivered twice."""
    second = ringcentral.adds_user(ringcentral.extension_ids[1], admin=True)
    configured = CONFIGURATION + account("first", ringcentral) + account("second", second)
    await line.start_worker(configuration=configured)
    await eventually(line.is_covered)
    await eventually(lambda: _is_shared(line))

    records = [await ringcentral.receives_fax(extension=id_) for id_ in ringcentral.extension_ids]

    for record in records:
        await eventually(lambda: line.is_delivered(record))  # noqa: B023
    assert ringcentral.count("readMessageContent") == 8


async def _is_shared(line: ShortLine) -> bool:
    shares = Counter((await assigned(line)).values())
    return len(shares) == 2 and min(shares.values()) >= 3


async def test_a_user_who_may_not_log_in_any_more(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """The colleague takes the mailboxes over, and status says who is refused and why."""
    second = ringcentral.adds_user(ringcentral.extension_ids[1], admin=True)
    await line.start_worker(
        configuration=CONFIGURATION + account("first", ringcentral) + account("second", second)
    )
    await eventually(lambda: _is_shared(line))

    await _loses_user(ringcentral, second)

    problem = await eventually(lambda: _problem(line))
    assert problem.startswith("account second: RingCentral refuses the login: RC_JWT is expired")
    await eventually(lambda: _has_one_user(line))
    for id_ in ringcentral.extension_ids:
        message = await ringcentral.receives_fax(extension=id_)
        await eventually(lambda: line.is_delivered(message))  # noqa: B023


async def test_a_user_who_is_refused_while_subscriptions_are_mended(
    line: ShortLine,
    ringcentral: RingCentral,
    eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The colleague takes over at once, in whichever call of a check the refusal comes."""
    second = ringcentral.adds_user(ringcentral.extension_ids[1], admin=True)
    heal = Healer.heal

    async def is_refused_now(self: Healer, login: Login, mailboxes: list[Mailbox]) -> list[Done]:
        if login.account.name == "second":
            await _loses_user(ringcentral, second)
        return await heal(self, login, mailboxes)

    monkeypatch.setattr(Healer, "heal", is_refused_now)

    await line.start_worker(
        configuration=CONFIGURATION + account("first", ringcentral) + account("second", second)
    )

    await eventually(lambda: _problem(line))
    await eventually(lambda: _has_one_user(line))


async def _loses_user(ringcentral: RingCentral, user: Credentials) -> None:
    users = ringcentral.server.emulator.users
    users._users = [other for other in users if other.jwt != user.jwt]
    await ringcentral.revokes_tokens()


async def _problem(line: ShortLine) -> str:
    assert line.worker is not None
    return (await line.worker.ledger.overview()).problem or ""


async def _has_one_user(line: ShortLine) -> bool:
    found = await assigned(line)
    return len(found) == 8 and len(set(found.values())) == 1


async def test_a_mailbox_that_may_not_be_read(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """It is not watched, status says what is missing for whom, and a grant is found by itself."""
    closed = ringcentral.extension_ids[3]
    ringcentral.denies("ReadMessages", extension=closed)
    await line.start_worker()
    await eventually(line.is_covered)
    assert line.worker is not None
    ledger = line.worker.ledger

    overview = await eventually(lambda: _with_lack(line))

    [lack] = overview.unwatched
    assert (lack.extension.split()[0], lack.missing) == ("104", ["ReadMessages"])
    assert closed not in [mailbox.extension_id for mailbox in await ledger.mailboxes.watched()]
    assert ringcentral.count(f"{closed}/message-sync") <= 1


async def _with_lack(line: ShortLine) -> object:
    assert line.worker is not None
    overview = await line.worker.ledger.overview()
    return overview if overview.unwatched else None


async def test_an_extension_that_there_is_not(
    line: ShortLine, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A name that no extension has is said, and the others are looked after."""
    configured = CONFIGURATION.replace('"all"', '["~", "999"]')
    await line.start_worker(configuration=configured)
    await eventually(line.is_covered)

    problem = await eventually(lambda: _problem(line))

    assert problem == 'RingCentral has no extension "999"; correct `mailboxes`'
