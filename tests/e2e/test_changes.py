"""What happens to a message later reaches the routes that are on it, and never by our own doing."""

from collections.abc import Awaitable, Callable

from message_store.mailbox import Mailbox
from sandbox import RingCentral
from tests.support.line import Inbox, Line
from tests.support.waiting import Eventually
from worker.ledger import open_ledger

Start = Callable[[], Awaitable[None]]


async def test_a_transcription_and_two_readers(
    line: Line,
    started: Start,
    ringcentral: RingCentral,
    inbox: tuple[Inbox, str],
    redis_url: str,
    eventually: Eventually,
) -> None:
    """A transcription is mailed when it is there; our own read mark is no news, a person's is."""
    mailed, smtp = inbox
    line.configure(
        f"""
[handlers.office-mail]
use = "email"
smtp = "{smtp}"
from = "phone@example.com"
to = ["office@example.com"]
[[routes]]
name = "kept"
on = ["created", "read"]
steps = ["vault", "mark-read"]
[[routes]]
name = "transcriptions"
on = "transcribed"
match.type = "VoiceMail"
steps = ["office-mail"]
"""
    )
    await started()
    voicemail = await ringcentral.receives_voicemail()
    await eventually(lambda: line.is_read(voicemail["id"]))

    # the sync that sees the transcription sees our read mark, too
    await ringcentral.transcribes(voicemail["id"], "Please call me back.")
    await eventually(lambda: mailed.mails)
    mailbox = Mailbox(ringcentral.account_id, ringcentral.extension_id)
    async with open_ledger(redis_url) as ledger:

        async def is_quiet(state: str) -> bool:
            prints = await ledger.mailboxes.known(mailbox, [str(voicemail["id"])])
            overview = await ledger.overview()
            at_rest = overview.due == overview.running == overview.waiting == 0
            return state in prints.values() and at_rest

        await eventually(lambda: is_quiet("Alive|Read|Received|Completed"))
        assert len(line.archived()) == 1
        [mail] = mailed.mails
        assert mail["Subject"].strip().startswith("Transcription of a voicemail from")
        body = mail.get_body(("plain",))
        assert body is not None
        assert "Please call me back." in body.get_content()

        await ringcentral.changes(voicemail["id"], readStatus="Unread")
        await eventually(lambda: is_quiet("Alive|Unread|Received|Completed"))
        await ringcentral.changes(voicemail["id"], readStatus="Read")
        await eventually(lambda: len(line.archived()) == 2)
        await eventually(lambda: is_quiet("Alive|Read|Received|Completed"))
        counts = (await ledger.overview()).counts
    assert counts == {
        "kept": {"done": 1},
        "kept (read)": {"done": 1},
        "transcriptions (transcribed)": {"done": 1},
    }
    [revision] = [folder for folder in line.archived() if folder.parent.name == "revisions"]
    assert revision.name.endswith("-read")
    assert len(mailed.mails) == 1
