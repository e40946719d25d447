"""A message arrives and is where it belongs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox import RingCentral
from tests.support.line import Inbox, Line
from tests.support.waiting import Eventually

Start = Callable[[], Awaitable[None]]

KEPT = """
[[routes]]
name = "Everything is kept"
steps = ["vault"]
"""
KEPT_AND_READ = KEPT.replace('"vault"', '"vault", "mark-read"')


async def test_five_kinds_of_messages(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    inbox: tuple[Inbox, str],
    eventually: Eventually,
) -> None:
    """Each kind is archived with its files; what a route mails is mailed; what it marks is read."""
    mailed, smtp = inbox
    line.configure(
        KEPT
        + f"""
[handlers.office-mail]
use = "email"
smtp = "{smtp}"
from = "phone@example.com"
to = ["office@example.com"]

[[routes]]
name = "Faxes and voicemails reach the office"
match.type = ["Fax", "Voicemail"]
steps = ["office-mail", "mark-read"]
"""
    )
    await started()
    sms = await ringcentral.receives_sms("See you at ten")
    mms = await ringcentral.receives_mms()
    fax = await ringcentral.receives_fax()
    voicemail = await ringcentral.receives_voicemail()
    pager = await ringcentral.receives_pager("Lunch?")

    await eventually(lambda: len(line.archived()) == 5)
    await eventually(lambda: line.is_read(fax["id"]) and line.is_read(voicemail["id"]))

    for record in (sms, mms, fax, voicemail, pager):
        [folder] = [path for path in line.archived() if path.name.endswith(str(record["id"]))]
        manifest = json.loads((folder / "manifest.json").read_text())
        files = {part["id"] for part in record["attachments"] if part["type"] != "Text"}
        assert len(list(folder.iterdir())) == 2 + len(files), manifest
        for part in record["attachments"]:
            if part["type"] != "Text":
                content = ringcentral.content(record["id"], part["id"])
                assert any(path.read_bytes() == content for path in folder.iterdir())
    attached = {
        part.get_payload(decode=True) for mail in mailed.mails for part in mail.iter_attachments()
    }
    originals = {
        ringcentral.content(record["id"], record["attachments"][0]["id"])
        for record in (fax, voicemail)
    }
    assert len(mailed.mails) == 2
    assert originals <= attached
    assert not any(line.is_read(record["id"]) for record in (sms, mms, pager))


async def test_a_burst_of_notifications_costs_few_syncs(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A hundred notifications for one mailbox within a second cost at most three syncs."""
    line.configure(KEPT)
    await started()
    before = ringcentral.count("syncMessages")
    await ringcentral.receives_sms("one of many")

    statuses = await asyncio.gather(*(line.notify(str(n)) for n in range(100)))

    assert set(statuses) == {200}
    await eventually(line.archived)
    # every hint is through when one that is sent after them all has had its effect
    await ringcentral.receives_sms("the last")
    await eventually(lambda: len(line.archived()) == 2)
    assert ringcentral.count("syncMessages") - before <= 3 + 1


async def test_the_same_notification_fifty_times(
    line: Line, started: Start, ringcentral: RingCentral, tmp_path: Path, eventually: Eventually
) -> None:
    """However often a notification comes, its message is delivered once."""
    line.configure(
        f"""
[handlers.note]
use = "gate:Gate"
notes = "{tmp_path}/notes"
[[routes]]
name = "noted"
steps = ["note"]
"""
    )
    await started()
    await ringcentral.receives_sms("once")
    for _ in range(50):
        assert await line.notify("the same") == 200

    await ringcentral.receives_sms("after")
    notes = tmp_path / "notes"
    await eventually(lambda: notes.exists() and len(notes.read_text().split()) >= 2)
    assert len(notes.read_text().split()) == 2


async def test_a_lost_notification(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A message whose notification never came is delivered by the next sweep."""
    line.configure(KEPT, sweep="3s")
    await started()
    ringcentral.drops_notifications(1000)

    await ringcentral.receives_fax()

    await eventually(line.archived)
    assert {notified.outcome for notified in ringcentral.notifications} == {"lost"}


async def test_read_only_when_every_route_is_done(
    line: Line, started: Start, ringcentral: RingCentral, tmp_path: Path, eventually: Eventually
) -> None:
    """A message is marked read after its slowest route, not before."""
    line.configure(
        KEPT_AND_READ
        + f"""
[handlers.slow]
use = "gate:Gate"
notes = "{tmp_path}/notes"
gate = "{tmp_path}/open"
[[routes]]
name = "slow"
steps = ["slow"]
"""
    )
    await started()
    sms = await ringcentral.receives_sms("wait for it")
    await eventually(line.archived)
    await eventually((tmp_path / "notes").exists)
    assert not line.is_read(sms["id"])

    (tmp_path / "open").touch()

    await eventually(lambda: line.is_read(sms["id"]))


async def test_a_failed_route_leaves_it_unread(
    line: Line, started: Start, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """A message that one route could not deliver stays unread, though others did."""
    line.configure(
        KEPT_AND_READ
        + """
[handlers.refusal]
use = "gate:Refusal"
[[routes]]
name = "refused"
match.text = "*refuse*"
steps = ["refusal"]
"""
    )
    await started()
    refused = await ringcentral.receives_sms("please refuse")
    fine = await ringcentral.receives_sms("fine")

    await eventually(lambda: line.is_read(fine["id"]))
    assert len(line.archived()) == 2
    assert not line.is_read(refused["id"])


@pytest.mark.parametrize("token", ["", "wrong0verification0token"])
async def test_strangers_are_refused(
    line: Line, started: Start, ringcentral: RingCentral, token: str, eventually: Eventually
) -> None:
    """Without our token a notification has no effect."""
    line.configure(KEPT)
    await started()
    before = ringcentral.count("syncMessages")

    assert await line.notify(token=token) == 401

    await ringcentral.receives_sms("a real one")
    await eventually(line.archived)
    assert ringcentral.count("syncMessages") == before + 1
