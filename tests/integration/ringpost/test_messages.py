"""`ringpost messages` against RingCentral's sandbox: what is not there, and a wrong credential."""

import pytest

from sandbox import RingCentral
from tests.support.asking import Ask


@pytest.mark.parametrize("words", [["show"], ["download"], ["mark"]])
async def test_a_message_that_is_not_there(ask: Ask, words: list[str]) -> None:
    """Its id is named, and what may have become of it."""
    code, out, errors = await ask(*words, "999")
    assert code == 1
    assert errors.startswith("message 999: RingCentral has no such message in this mailbox; it may")
    assert errors.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize("words", [["list"], ["show", "1"], ["mark", "1"]])
async def test_a_mailbox_that_is_not_there(ask: Ask, words: list[str]) -> None:
    """The option and its value are named."""
    code, out, errors = await ask(*words, "--mailbox", "999")
    assert (code, out) == (2, "")
    assert errors.startswith("--mailbox 999: RingCentral has no such extension; give ~, an")


async def test_a_wrong_credential(ask: Ask) -> None:
    """RingCentral is named once."""
    code, _, errors = await ask("list", RC_JWT="wrong")
    assert code == 1
    assert errors.startswith("RingCentral refuses the login")


async def test_types(ask: Ask, ringcentral: RingCentral) -> None:
    """MMS are those texts that have files; SMS are all texts, as RingCentral has it."""
    await ringcentral.receives_sms()
    await ringcentral.receives_mms()
    await ringcentral.receives_fax()

    async def listed(*types: str) -> list[str]:
        words = [word for name in types for word in ("--type", name)]
        _, out, _ = await ask("list", *words)
        return sorted(line.split()[3] for line in out.splitlines()[1:])

    assert await listed("MMS") == ["MMS"]
    assert await listed("MMS", "Fax") == ["Fax", "MMS"]
    assert await listed("sms") == ["MMS", "SMS"]


async def test_the_attachments_are_all_that_is_written(ask: Ask, ringcentral: RingCentral) -> None:
    """On a pipe the output is the files' names, line for line."""
    fax = await ringcentral.receives_fax()
    code, out, errors = await ask("download", str(fax["id"]))
    assert (code, errors) == (0, "")
    assert len(out.splitlines()) == 1
