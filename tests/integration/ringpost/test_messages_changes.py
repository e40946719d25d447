"""`ringpost messages mark|delete|restore`: what is meant, what is asked, what becomes of each."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox import RingCentral
from tests.support.asking import Ask
from tests.support.waiting import Eventually

Person = Callable[..., Any]


def alive(ringcentral: RingCentral, extension: str = "~") -> int:
    """How many messages the mailbox shows."""
    return sum(one["availability"] == "Alive" for one in ringcentral.messages(extension))


async def ids_of(ringcentral: RingCentral, count: int, **wish: Any) -> list[str]:
    """The ids of so many new messages."""
    return [str((await ringcentral.receives_sms(**wish))["id"]) for _ in range(count)]


async def test_deleted_and_restored(ask: Ask, ringcentral: RingCentral) -> None:
    """A message that was deleted by hand is taken back by hand; the rest stays as it is."""
    first, second = await ids_of(ringcentral, 2)
    assert await ask("delete", first, "--yes") == (0, f"deleted: {first}\n", "")
    assert ringcentral.message(first)["availability"] == "Deleted"
    assert await ask("restore", first, "--yes") == (0, f"restored: {first}\n", "")
    assert {ringcentral.message(one)["availability"] for one in (first, second)} == {"Alive"}


async def test_a_second_delete_purges_nothing(ask: Ask, ringcentral: RingCentral) -> None:
    """RingCentral purges what is deleted twice, so what is deleted already is left out."""
    first, second = await ids_of(ringcentral, 2)
    await ask("delete", first, "--yes")
    code, out, errors = await ask("delete", first, second, first, "--yes")
    assert (code, errors) == (0, "")
    assert out == f"deleted: {second}\nleft out, deleted already: {first}\n"
    assert ringcentral.message(first)["availability"] == "Deleted"


async def test_purged(ask: Ask, ringcentral: RingCentral) -> None:
    """With --purge nothing is left, and what is restored says why it was not."""
    (message,) = await ids_of(ringcentral, 1)
    assert (await ask("delete", message, "--purge", "--yes"))[1] == f"purged: {message}\n"
    code, out, errors = await ask("restore", message, "--yes")
    assert (code, out) == (1, "")
    assert errors.startswith(f"message {message}: ")


async def test_each_id_has_its_outcome(ask: Ask, ringcentral: RingCentral) -> None:
    """What went wrong for one costs no other, and makes the exit code 1."""
    first, second = await ids_of(ringcentral, 2)
    await ringcentral.changes(second, availability="Deleted")
    code, out, _ = await ask("delete", first, second, "999", "--yes", "--json")
    assert code == 1
    found = json.loads(out)
    assert (found["deleted"], found["deletedAlready"]) == ([first], [second])
    assert "no such message" in found["problems"]["999"]


@pytest.mark.parametrize("command", ["delete", "restore"])
async def test_nobody_to_ask(ask: Ask, ringcentral: RingCentral, command: str) -> None:
    """Where there is no terminal it is not done without --yes, and nothing is asked for it."""
    (message,) = await ids_of(ringcentral, 1)
    code, out, errors = await ask(command, message)
    assert (code, out) == (2, "")
    assert errors.endswith("add --yes\n")
    assert errors.count("\n") == 1
    assert not len(ringcentral.requests)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ([], "no message ids; give them, --from FILE, or filters with --all-matching"),
        (["--from", "-"], "--from -: holds no message id; write one a line"),
        (["--from", "empty"], "--from empty: holds no message id; write one a line"),
        (["--from", "nowhere"], "--from nowhere: cannot be read (No such file or directory)"),
        (["--from", "bad"], 'bad, line 3: message id "seven": not a number'),
        (["--all-matching"], "--all-matching: needs a filter"),
        (["--all-matching", "--availability", "Deleted"], "--all-matching: needs a filter"),
        (["--type", "SMS"], "filters choose messages here only together with --all-matching"),
        (["1", "--all-matching", "--type", "SMS"], "give message ids, or filters"),
        (["1", "--mailbox", "all"], "--mailbox: ids are of one mailbox"),
        (["1", "--mailbox", "101", "--mailbox", "102"], "--mailbox: ids are of one mailbox"),
    ],
)
async def test_nothing_means_everything(
    ask: Ask, ringcentral: RingCentral, tmp_path: Path, words: list[str], refusal: str
) -> None:
    """Whatever does not say which messages are meant is refused before anything is asked."""
    (tmp_path / "empty").write_text("# none\n\n")
    (tmp_path / "bad").write_text("# ids\n1\nseven\n")
    code, out, errors = await ask("delete", *words, "--yes")
    assert (code, out) == (2, "")
    assert errors.startswith(refusal)
    assert errors.count("\n") == 1
    assert not len(ringcentral.requests)


async def test_thousands_of_ids(ask: Ask, ringcentral: RingCentral, tmp_path: Path) -> None:
    """They come from a file or the input, and cost few calls: 1000 a mark, 50 a delete."""
    ids = await ids_of(ringcentral, 2_100)
    file = tmp_path / "ids"
    file.write_text("\ufeff# of last year\n\n" + "".join(f"  {one}  # a text\r\n" for one in ids))
    assert await ask("mark", "--from", "ids") == (0, "marked as read: 2,100 messages\n", "")
    assert ringcentral.count("updateMessage") == 3
    code, out, _ = await ask("delete", "--from", "-", "--yes", stdin="\n".join(ids[:130]))
    assert (code, out) == (0, "deleted: 130 messages\n")
    assert (ringcentral.count("deleteMessage"), ringcentral.count("readMessage")) == (3, 8)
    assert alive(ringcentral) == 1_970


async def test_all_that_match(ask: Ask, ringcentral: RingCentral) -> None:
    """The filters of a list choose; what is restored is looked for among the deleted."""
    await ids_of(ringcentral, 2)
    await ids_of(ringcentral, 3, direction="Outbound")
    await ringcentral.receives_fax()
    chosen = ("--all-matching", "--type", "SMS", "--direction", "Outbound")
    assert (await ask("mark", *chosen))[1].startswith("marked as read: ")
    assert (await ask("delete", *chosen, "--yes"))[1].startswith("deleted: ")
    assert alive(ringcentral) == 3
    assert (await ask("delete", *chosen, "--yes"))[1] == "no messages\n"
    code, out, _ = await ask("restore", *chosen, "--yes", "--json")
    assert (code, len(json.loads(out)["restored"])) == (0, 3)
    assert alive(ringcentral) == 6
    assert sum(one["readStatus"] == "Read" for one in ringcentral.messages()) == 3


async def test_in_every_mailbox(ask: Ask, ringcentral: RingCentral) -> None:
    """Filters go through all mailboxes, and the outcomes are told by mailbox."""
    for extension in ringcentral.extension_ids[:2]:
        await ids_of(ringcentral, 2, extension=extension)
    words = ("delete", "--all-matching", "--type", "SMS", "--mailbox", "all", "--yes", "--json")
    code, out, _ = await ask(*words)
    assert code == 0
    assert {one["mailbox"]: len(one["deleted"]) for one in json.loads(out)} == {
        f"{ringcentral.account_id}/{extension}": 2 for extension in ringcentral.extension_ids[:2]
    }


async def test_a_limit_is_waited_for(ask: Ask, ringcentral: RingCentral) -> None:
    """Being told to wait loses nothing, and nothing is sent before the time."""
    ids = await ids_of(ringcentral, 120)
    ringcentral.limits_to(medium=2, window=0.5)
    ringcentral.fails("/message-store/", status=429, code="CMN-301", retry_after=1, method="DELETE")
    code, out, errors = await ask("delete", "--from", "-", "--yes", stdin="\n".join(ids))
    assert (code, out, errors) == (0, "deleted: 120 messages\n", "")
    assert not any(request.in_penalty for request in ringcentral.requests)


async def test_who_deletes_during_a_pause(
    ask: Ask, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """What somebody else deletes while a limit is waited for is not deleted a second time."""
    ids = await ids_of(ringcentral, 3)
    ringcentral.fails("/message-store/", status=429, code="CMN-301", retry_after=1, method="DELETE")
    asked = asyncio.ensure_future(ask("delete", *ids, "--yes"))
    await eventually(lambda: ringcentral.count("deleteMessage"))
    await ringcentral.changes(ids[1], availability="Deleted")
    code, out, _ = await asked
    assert (code, out) == (
        0,
        f"deleted: {ids[0]}, {ids[2]}\nleft out, deleted already: {ids[1]}\n",
    )
    assert ringcentral.message(ids[1])["availability"] == "Deleted"


async def test_a_failure_on_the_way(ask: Ask, ringcentral: RingCentral) -> None:
    """What was done is told, and of a delete that broke off that nobody knows its end."""
    ids = await ids_of(ringcentral, 100)
    ringcentral.fails(ids[50], status=0, method="DELETE", times=9)
    code, out, _ = await ask("delete", *ids, "--yes", "--json")
    assert code == 1
    found = json.loads(out)
    assert found["deleted"] == ids[:50]
    assert list(found["problems"]) == ids[50:]
    assert found["problems"][ids[50]].startswith("it may be deleted all the same (")
    assert ringcentral.count("deleteMessage") == 2, "a delete is never repeated: it would purge"


async def test_ctrl_c_on_the_way(
    ringcentral: RingCentral, environ: dict[str, str], tmp_path: Path, eventually: Eventually
) -> None:
    """What was done is told, and how far it came; the rest is untouched."""
    ids = await ids_of(ringcentral, 100)
    ringcentral.fails(
        f",{ids[60]},", status=429, code="CMN-301", retry_after=30, method="DELETE", times=9
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringpost", "messages", "delete", "--yes", *ids),
        cwd=tmp_path,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await eventually(lambda: ringcentral.count("deleteMessage") == 2)
    process.send_signal(signal.SIGINT)
    out, errors = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 130
    assert out == b"deleted: 50 messages\n"
    assert errors.endswith(b"stopped\ndeleted so far: 50 of 100 messages\n")
    assert alive(ringcentral) == 50


@pytest.fixture
def person(tmp_path: Path, environ: dict[str, str]) -> Person:
    """A command with a person at its terminal: input and errors are there, output is a file."""

    @asynccontextmanager
    async def at_terminal(*words: str) -> AsyncIterator[tuple[Any, int, Path]]:
        master, slave = pty.openpty()
        out = tmp_path / "out"
        with out.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "ringpost", "messages", *words),
                cwd=tmp_path,
                env={**environ, "TERM": "xterm", "COLUMNS": "200"},
                stdin=slave,
                stdout=file,
                stderr=slave,
            )
        os.close(slave)
        os.set_blocking(master, False)
        try:
            yield process, master, out
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            os.close(master)

    return at_terminal


def reader(master: int) -> Callable[[str], bool]:
    """Whether these words have appeared on the screen."""
    screen = bytearray()

    def appeared(words: str) -> bool:
        with suppress(OSError):
            screen.extend(os.read(master, 65536))
        return words in screen.decode(errors="replace")

    return appeared


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 2)])
async def test_a_person_is_asked(
    person: Person,
    ringcentral: RingCentral,
    eventually: Eventually,
    answer: str,
    code: int,
    left: int,
) -> None:
    """The question says how many messages of which mailbox, and what follows."""
    ids = await ids_of(ringcentral, 2)
    async with person("delete", *ids) as (process, master, out):
        appeared = reader(master)
        await eventually(lambda: appeared("Delete 2 messages of mailbox ~. They can be restored"))
        assert alive(ringcentral) == 2
        await eventually(lambda: appeared("Go on?"))
        os.write(master, answer.encode())
        assert await asyncio.wait_for(process.wait(), 100) == code
    assert alive(ringcentral) == left
    assert out.read_text() == ("" if left else f"deleted: {', '.join(ids)}\n")


async def test_the_question_is_left_by_ctrl_c(
    person: Person, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """Nothing is done, and the exit code says that it was stopped."""
    await ids_of(ringcentral, 2)
    async with person("delete", "--all-matching", "--type", "SMS", "--purge") as running:
        process, master, _ = running
        appeared = reader(master)
        await eventually(lambda: appeared("Purge 2 messages of mailbox ~, created"))
        await eventually(lambda: appeared("Go on?"))
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 100) == 130
        assert appeared("stopped; nothing was changed")
    assert alive(ringcentral) == 2


async def test_the_bar_stays_out_of_the_output(
    person: Person, ringcentral: RingCentral, eventually: Eventually
) -> None:
    """It is on the terminal, with the reason of a pause, while the output goes to a file whole."""
    await ids_of(ringcentral, 3)
    ringcentral.fails("/message-store", status=429, code="CMN-301", retry_after=1)
    async with person("list", "--all", "--json") as (process, master, out):
        appeared = reader(master)
        await eventually(lambda: appeared("reading mailbox ~ (paused by RingCentral's limit until"))
        assert await asyncio.wait_for(process.wait(), 100) == 0
    assert len(json.loads(out.read_text())) == 3
