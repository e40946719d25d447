"""`ringpost messages` in several mailboxes, and attachments and transcripts of what was found."""

import json
from pathlib import Path

from sandbox import RingCentral
from tests.support.asking import Ask


async def test_several_mailboxes(ask: Ask, ringcentral: RingCentral) -> None:
    """Each has its own part of the list, and its name in a column or a member."""
    _, second, third = ringcentral.extension_ids
    for extension in ringcentral.extension_ids:
        await ringcentral.receives_sms(extension=extension)
    _, out, _ = await ask("list", "--mailbox", "all", "--jsonl")
    account = ringcentral.account_id
    named = [json.loads(line)["mailbox"] for line in out.splitlines()]
    assert sorted(named) == sorted(f"{account}/{one}" for one in ringcentral.extension_ids)
    words = ("--mailbox", "~", "--mailbox", f"{account}/{second}", "--mailbox", third)
    _, out, _ = await ask("list", *words)
    assert sum(line.startswith("mailbox ") for line in out.splitlines()) == 3
    assert f"\n{account}/{second}  " in out


async def test_a_mailbox_that_may_not_be_read(ask: Ask, ringcentral: RingCentral) -> None:
    """It costs the others nothing, and is named with the reason."""
    first, second, third = ringcentral.extension_ids
    for extension in (first, third):
        await ringcentral.receives_sms(extension=extension)
    ringcentral.fails(f"{second}/message-store", status=403, code="CMN-419", times=9)
    code, out, errors = await ask("list", "--mailbox", "all", "--jsonl")
    assert (code, len(out.splitlines())) == (1, 2)
    (line,) = errors.splitlines()
    assert line.startswith("mailbox 102")
    assert "permission is missing" in line


async def test_an_unknown_one_of_several(ask: Ask) -> None:
    """It is named, and nothing is listed of the others."""
    code, out, errors = await ask("list", "--mailbox", "101", "--mailbox", "999")
    assert (code, out) == (2, "")
    assert errors.startswith("--mailbox 999: RingCentral has no such extension")


async def test_attachments_of_all_that_match(
    ask: Ask, ringcentral: RingCentral, tmp_path: Path
) -> None:
    """Filters choose what is saved, and what was saved before is not fetched again."""
    faxes = [await ringcentral.receives_fax() for _ in range(3)]
    await ringcentral.receives_mms()
    words = ("download", "--all-matching", "--type", "Fax", "--to", "faxes", "--json")
    code, out, _ = await ask(*words)
    assert code == 0
    names = sorted(Path(file).name for file in json.loads(out)["files"])
    assert names == sorted(path.name for path in (tmp_path / "faxes").iterdir())
    assert [name.partition("-")[0] for name in names] == sorted(str(fax["id"]) for fax in faxes)
    downloads = ringcentral.count("/content/")
    assert await ask(*words) == (0, out, "")
    assert ringcentral.count("/content/") == downloads == 3


async def test_the_text_of_a_voicemail(ask: Ask, ringcentral: RingCentral) -> None:
    """It is fetched when it is asked for, and shown with the rest of the record."""
    voicemail = await ringcentral.receives_voicemail(transcription="Please call\x1b[2J back.")
    _, out, _ = await ask("show", str(voicemail["id"]))
    assert "Please call" not in out
    _, out, _ = await ask("show", str(voicemail["id"]), "--transcript")
    assert "Please call[2J back." in out
    _, out, _ = await ask("show", str(voicemail["id"]), "--transcript", "--json")
    assert json.loads(out)["transcript"] == "Please call\x1b[2J back."
    sms = await ringcentral.receives_sms()
    _, out, _ = await ask("show", str(sms["id"]), "--transcript")
    assert out.endswith("no transcription\n")
    assert str(sms["conversationId"]) in out
