"""Attachment contents on the media port, whole and in parts, ready and not."""

import hashlib
from typing import Any

import aiohttp
import pytest

from sandbox import Generated, InMemory, RingCentral


async def test_a_download(ask: Any, ringcentral: RingCentral) -> None:
    """The address of an attachment leads to its bytes on the media port, and nowhere else."""
    fax = await ringcentral.receives_fax()
    (part,) = fax["attachments"]
    assert part["uri"].startswith(ringcentral.media_url)
    answer = await ask("GET", part["uri"])
    assert answer.status == 200
    assert answer.body == ringcentral.content(fax["id"], part["id"])
    assert len(answer.body) == part["size"]
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == f"attachment;filename={fax['id']}.pdf"
    assert answer.headers["X-Rate-Limit-Group"] == "medium"
    on_api = part["uri"].replace(ringcentral.media_url, ringcentral.api_url)
    assert (await ask("GET", on_api)).code == "AGW-404"
    assert (await ask("GET", part["uri"], headers={"Authorization": ""})).status == 401
    by_query = f"{part['uri']}?access_token={ask.token}&contentDisposition=Inline"
    answer = await ask("GET", by_query, headers={"Authorization": ""})
    assert answer.headers["Content-Disposition"].startswith("inline;")


async def test_names_are_kept(ask: Any, ringcentral: RingCentral) -> None:
    """A file's own name and type are told, and another name can be asked for."""
    file = InMemory(b"GIF89a", "Grüße.gif", "image/gif")
    mms = await ringcentral.receives_mms(attachments=[file])
    part = mms["attachments"][1]
    assert (part["fileName"], part["contentType"]) == ("Grüße.gif", "image/gif")
    answer = await ask("GET", f"{part['uri']}?contentDispositionFilename=a.gif")
    assert answer.headers["Content-Disposition"] == "attachment;filename=a.gif"


@pytest.mark.parametrize(
    ("asked", "status", "told", "body"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=7-99", 206, "bytes 7-9/10", b"789"),
        ("bytes=-2", 206, "bytes 8-9/10", b"89"),
        ("bytes=1-2,4-5", 200, None, b"0123456789"),
        ("bytes=-", 200, None, b"0123456789"),
    ],
)
async def test_ranges(
    ask: Any, ringcentral: RingCentral, asked: str, status: int, told: str | None, body: bytes
) -> None:
    """One range is answered with 206; several, or none, with the whole."""
    fax = await ringcentral.receives_fax(attachments=[InMemory(b"0123456789")])
    answer = await ask("GET", fax["attachments"][0]["uri"], headers={"Range": asked})
    assert (answer.status, answer.headers.get("Content-Range")) == (status, told)
    assert answer.body == body


async def test_a_range_beyond_the_end(ask: Any, ringcentral: RingCentral) -> None:
    """A range that begins after the end is 416 with the size."""
    fax = await ringcentral.receives_fax(attachments=[InMemory(b"0123456789")])
    uri = fax["attachments"][0]["uri"]
    answer = await ask("GET", uri, headers={"Range": "bytes=10-"})
    assert (answer.status, answer.code) == (416, "CMN-107")
    assert answer.headers["Content-Range"] == "bytes */10"


async def test_a_large_file(ask: Any, ringcentral: RingCentral) -> None:
    """A generated attachment is streamed, the same each time and in every range."""
    file = Generated(9_000_001, seed=7)
    fax = await ringcentral.receives_fax(attachments=[file])
    uri = fax["attachments"][0]["uri"]
    whole = (await ask("GET", uri)).body
    assert len(whole) == file.size == fax["attachments"][0]["size"]
    assert hashlib.sha256(whole).hexdigest() == file.sha256()
    assert file.sha256() != Generated(9_000_001, seed=8).sha256()
    tail = await ask("GET", uri, headers={"Range": "bytes=1048570-8999999"})
    assert tail.body == whole[1_048_570:9_000_000]


@pytest.mark.parametrize("status", [404, 503])
async def test_a_fax_still_rendering(open_client: Any, status: int) -> None:
    """A fax answers MSG-368 as often as it was told to, then its pages."""
    async with RingCentral(rendering_status=status) as ringcentral:
        ask = await open_client(ringcentral)
        fax = await ringcentral.receives_fax(rendering=2)
        uri = fax["attachments"][0]["uri"]
        for _ in range(2):
            answer = await ask("GET", uri)
            assert (answer.status, answer.code) == (status, "MSG-368")
        assert (await ask("GET", uri)).status == 200


async def test_a_download_that_breaks_off(ask: Any, ringcentral: RingCentral) -> None:
    """A truncated download promises its whole size, ends half way, and resumes by range."""
    fax = await ringcentral.receives_fax(attachments=[Generated(1000)])
    uri = fax["attachments"][0]["uri"]
    ringcentral.truncates_downloads()
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("GET", uri)
    rest = await ask("GET", uri, headers={"Range": "bytes=500-"})
    assert rest.status == 206
    assert len(rest.body) == 500


async def test_an_unknown_attachment(ask: Any, ringcentral: RingCentral) -> None:
    """Unknown ids of messages and attachments are told apart."""
    fax = await ringcentral.receives_fax()
    uri = fax["attachments"][0]["uri"]
    missing = await ask("GET", uri + "0")
    assert (missing.status, missing.body["parameterName"]) == (404, "attachmentId")
    missing = await ask("GET", uri.replace("message-store/", "message-store/9"))
    assert (missing.status, missing.body["parameterName"]) == (404, "messageId")


async def test_a_transcription_comes_later(ask: Any, ringcentral: RingCentral) -> None:
    """A voicemail's transcription is a second attachment, added by an update."""
    voicemail = await ringcentral.receives_voicemail()
    assert voicemail["vmTranscriptionStatus"] == "NotAvailable"
    changed = await ringcentral.transcribes(voicemail["id"], "Please call back")
    assert changed["vmTranscriptionStatus"] == "Completed"
    recording, text = changed["attachments"]
    assert (recording["type"], text["type"]) == ("AudioRecording", "AudioTranscription")
    assert (await ask("GET", text["uri"])).body == b"Please call back"
