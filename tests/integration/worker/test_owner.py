"""Whose messages a mailbox brings: its own, those shared with it, or both."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from message_store.client import MessageStore
from message_store.errors import RateLimited
from sandbox import RingCentral
from tests.support.mailman import Mailman
from worker.ledger import Ledger

CONFIGURATION = """
[sync]
start = "1h"
owner = "{owner}"
[[routes]]
name = "kept"
steps = ["mark-read"]
"""


@pytest.fixture
def mailman(store: MessageStore, ledger: Ledger, tmp_path: Path) -> Callable[[str], Mailman]:
    """`mailman(owner)`: with this setting."""

    def hire(owner: str) -> Mailman:
        path = tmp_path / "ringpost.toml"
        path.write_text(CONFIGURATION.format(owner=owner))
        return Mailman(store, ledger, path)

    return hire


Hire = Callable[[str], Mailman]


def queries(ringcentral: RingCentral) -> list[dict[str, str]]:
    """What each sync asked for."""
    entries = ringcentral.requests.matching("syncMessages")
    return [dict(parse_qsl(urlsplit(entry.path).query)) for entry in entries]


def asked(ringcentral: RingCentral) -> list[tuple[str | None, str | None]]:
    """The kind of each sync and the owner it asked for."""
    return [(query.get("syncType"), query.get("owner")) for query in queries(ringcentral)]


async def test_personal_is_what_ringcentral_does_unasked(
    ringcentral: RingCentral, mailman: Hire
) -> None:
    """By default no owner is asked for."""
    await mailman("personal").synchronise()
    assert asked(ringcentral) == [("FSync", None)]


@pytest.mark.parametrize(("owner", "asked_for"), [("shared", "Shared"), ("any", "Any")])
async def test_a_token_carries_its_owner(
    ringcentral: RingCentral, mailman: Hire, owner: str, asked_for: str
) -> None:
    """A full sync asks for the owner; the ones after it need not."""
    for _ in range(2):
        await mailman(owner).synchronise()
    assert asked(ringcentral) == [("FSync", asked_for), ("ISync", None)]


async def test_another_owner_needs_another_token(ringcentral: RingCentral, mailman: Hire) -> None:
    """When the setting changes, one full sync from the last one on: none lost, none twice."""
    clock = ringcentral.server.emulator.clock
    await ringcentral.receives_sms("long ago", created=clock.time() - 3000)
    await ringcentral.receives_sms("before")
    await mailman("personal").synchronise()
    await ringcentral.receives_sms("after")

    result = await mailman("any").synchronise()
    await mailman("any").synchronise()

    assert result.created == 1
    assert len(await mailman("any").due()) == 3
    assert asked(ringcentral) == [("FSync", None), ("FSync", "Any"), ("ISync", None)]


async def test_an_unfinished_walk_for_another_owner(
    ringcentral: RingCentral, mailman: Hire
) -> None:
    """An interrupted walk begins again when the setting has changed, and none comes twice."""
    now = ringcentral.server.emulator.clock.time()
    for number in range(600):
        await ringcentral.receives_sms(created=now - 600 + number)
    ringcentral.limits_to(light=2)
    with pytest.raises(RateLimited):
        await mailman("personal").synchronise()
    await ringcentral.passes(120)
    ringcentral.limits_to(light=100)

    await mailman("any").synchronise()

    assert len(await mailman("any").due()) == 600
    first = next(query for query in queries(ringcentral) if query.get("owner") == "Any")
    assert "dateTo" not in first


@pytest.mark.parametrize(
    ("owner", "own", "queues"), [("personal", 1, 0), ("shared", 0, 1), ("any", 1, 1)]
)
async def test_whose_voicemails_are_delivered(
    ringcentral: RingCentral, mailman: Hire, owner: str, own: int, queues: int
) -> None:
    """The own voicemail, that of a queue, or both; a later change of the setting misses none."""
    personal = await ringcentral.receives("voicemail")
    shared = await ringcentral.receives("voicemail", owner=ringcentral.extension_ids[1])

    await mailman(owner).synchronise()

    expected = {str(personal["id"])} if own else set()
    expected |= {str(shared["id"])} if queues else set()
    assert await mailman(owner).due() == expected

    await mailman("any").synchronise()
    both = {str(personal["id"]), str(shared["id"])}
    assert await mailman("any").due() == both - expected
