"""`ringpost archive` on archives on disk; neither Redis nor RingCentral is there."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from message_store.mailbox import Mailbox
from ringpost.__main__ import app
from ringpost.refusal import Refusal
from tests.unit.worker.archive.conftest import SmallArchive
from worker.archive import verification

CONFIGURATION = """
[handlers.vault]
use = "archive"
to = "VAULT"
keep = "7y"

[handlers.copies]
use = "archive"
to = "COPIES"

[[routes]]
name = "Everything is kept"
steps = ["vault", "copies"]
"""


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["archive", *map(str, words)])


def refusal(*words: str | Path) -> str:
    """The lines of a call that has to be refused."""
    answer = call(*words)
    assert isinstance(answer.exception, Refusal), answer.output
    return "\n".join(answer.exception.lines)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
    """An archive with a message of late and an old one."""
    monkeypatch.setattr(verification, "SETTLING_SECONDS", 0)
    small = SmallArchive(tmp_path / "vault")
    small.keep(1)
    small.keep(2, "2015-01-02")
    return small


@pytest.fixture
def here(vault: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallArchive:
    """A working directory with a configuration that names the archive and a second one."""
    copies = SmallArchive(tmp_path / "copies")
    copies.keep(1)
    text = CONFIGURATION.replace("VAULT", str(vault.root)).replace("COPIES", str(copies.root))
    (tmp_path / "ringpost.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "RINGPOST_CONFIG", "RINGPOST_DATA"):
        monkeypatch.delenv(name, raising=False)
    return vault


def test_a_sound_archive(vault: SmallArchive) -> None:
    """Exit code 0 and a summary, as JSON too."""
    answer = call("verify", vault.root)
    assert answer.exit_code == 0
    assert "2 messages, 0 revisions, 4 files" in answer.output
    assert "all is as it was archived" in answer.output
    facts = json.loads(call("verify", vault.root, "--json", "--from", "2025-01-01").output)
    assert facts["faults"] == []
    assert facts["checked"]["messages"] == 1


def test_each_fault_is_a_line(vault: SmallArchive) -> None:
    """Exit code 1; the path and what is wrong."""
    (vault.month / "23/Fax-1/fax.pdf").write_bytes(b"")
    shutil.rmtree(vault.root / "111/222/2015/01/02/Fax-2")
    answer = call("verify", vault.root)
    assert answer.exit_code == 1
    lines = answer.output.splitlines()
    assert lines[0].endswith("2015/01/02/Fax-2 is missing: the chain has it")
    assert lines[1].endswith("23/Fax-1/fax.pdf has changed: 0 bytes instead of 5")
    found = json.loads(call("verify", vault.root, "--json").output)["faults"]
    assert [one["what"] for one in found] == [line.partition(" ")[2] for line in lines[:2]]


def test_an_empty_archive_is_not_sound(here: SmallArchive, tmp_path: Path) -> None:
    """Exit code 2: its disk is not mounted, most likely; of some days there may be nothing."""
    shutil.rmtree(tmp_path / "copies/111")
    answer = call("verify")
    assert answer.exit_code == 2
    assert "all is as it was archived" not in answer.output
    assert f"{tmp_path / 'copies'}: nothing is archived there" in answer.output
    assert call("verify", here.root, "--from", "2020-01-01", "--to", "2020-01-02").exit_code == 0
    assert call("verify", here.root / "111").exit_code == 2


def test_a_fault_is_one_line_whatever_the_name(vault: SmallArchive) -> None:
    """Who can add a file cannot add a line that says that all is well."""
    (vault.month / "23/Fax-1/x\nall is as it was archived").write_text("x")
    answer = call("verify", vault.root)
    assert "all is as it was archived" not in answer.output.splitlines()
    assert "x\\nall is as it was archived is extra" in answer.output


def test_the_archives_of_the_configuration(here: SmallArchive, tmp_path: Path) -> None:
    """All of them, or that of one handler."""
    assert "3 messages" in call("verify").output
    assert "1 message," in call("verify", "--handler", "copies").output
    shutil.rmtree(tmp_path / "copies/111/222/2025/11/23")
    assert call("verify").exit_code == 1
    assert call("verify", "--handler", "vault").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "nowhere"), "nowhere: there is no such folder"),
        (("verify", "--handler", "valut"), "has no handler of this name, only copies, vault"),
        (("verify", "vault", "--handler", "vault"), "leave one of them out"),
        (("verify", "vault", "--mailbox", "9"), "has no such mailbox; there are: 111/222"),
        (("verify", "vault", "--from", "soon"), '--from "soon": is no day'),
        (("verify", "--from", "2025-02-01", "--to", "2025-01-01"), "no day is in between"),
        (("export", "--out", "x.zip"), "there are several archives"),
        (("export", "vault", "--out", "vault"), "is there already and is left as it is"),
        (("export", "vault", "--out", "no/x.zip"), "no/x.zip: cannot be written"),
        (("export", "vault", "--out", "x", "--format", "pdf"), "known are eml, json"),
        (("hold", "add", "vault", "--mailbox", "9", "--reason", "x"), "write ACCOUNT/EXTENSION"),
        (("hold", "add", "vault", "--mailbox", "1/9", "--reason", " "), "--reason: is empty"),
        (
            ("hold", "add", "vault", "--mailbox", "1/9", "--message", "", "--reason", "x"),
            "--message: is empty; leave it out to mean the whole mailbox",
        ),
    ],
)
def test_what_is_refused(here: SmallArchive, words: tuple[str, ...], said: str) -> None:
    """A line with the thing, the value and the remedy."""
    assert said in refusal(*words)


def test_export(here: SmallArchive, tmp_path: Path) -> None:
    """The messages of a mailbox and some days, with an account of what it is."""
    here.keep(3, mailbox=Mailbox("111", "333"))
    out = tmp_path / "out.zip"
    days = ("--from", "2015-01-02", "--to", "2015-01-02")
    answer = call("export", here.root, "--mailbox", "222", *days, "--out", out)
    assert answer.output == f"1 message written to {out}\n"
    with zipfile.ZipFile(out) as file:
        assert set(file.namelist()) == {
            "111/222/2015/01/02/Fax-2.eml",
            "export.json",
            "SHA256SUMS",
        }
        about = json.loads(file.read("export.json"))
    assert (about["mailboxes"], about["from"], about["messages"]) == (["111/222"], "2015-01-02", 1)
    several = ("--mailbox", "333", "--mailbox", "222", "--mailbox", "222")
    assert "3 messages" in call("export", here.root, *several, "--out", tmp_path / "both").output
    assert "3 messages" in call("verify", here.root, *several).output
    folder = call("export", "--handler", "vault", "--format", "json", "--out", tmp_path / "out")
    assert "3 messages" in folder.output
    assert (tmp_path / "out/111/333/2025/11/23/Fax-3/fax.pdf").is_file()


def test_an_export_with_faults(vault: SmallArchive, tmp_path: Path) -> None:
    """It is made, says what is left out, and ends with 1."""
    (vault.month / "23/Fax-1/fax.pdf").write_bytes(b"")
    answer = call("export", vault.root, "--out", tmp_path / "out", "--json")
    assert answer.exit_code == 1
    facts = json.loads(answer.output)
    assert facts["messages"] == 2
    (fault,) = facts["faults"]
    assert fault["what"] == "has changed: 0 bytes instead of 5"
    assert json.loads((tmp_path / "out/export.json").read_text())["faults"] == [fault]


def test_expiry_and_holds(here: SmallArchive) -> None:
    """What is held is not removed; a trial removes nothing; where nothing is said, all is kept."""
    old = here.root / "111/222/2015/01/02/Fax-2"
    hold = ("--mailbox", "111/222", "--message", "2", "--reason", "case 4")
    assert str(old) in call("expire", "--dry-run").output
    assert old.exists()
    assert "is on hold" in call("hold", "add", "--handler", "vault", *hold, "--by", "Ann").output
    assert "has no message" not in call("hold", "add", "--handler", "vault", *hold).output
    assert "on hold already" in call("hold", "add", "--handler", "vault", *hold).output
    assert "by Ann: case 4" in call("hold", "list").output
    assert "by Ann: case 4" in call("verify").output
    assert call("expire").output.endswith("0 messages removed\n")
    assert "is not on hold" in call("hold", "release", "--handler", "vault", *hold).output
    assert json.loads(call("hold", "list", "--json").output) == []
    removed = json.loads(call("expire", "--handler", "vault", "--json").output)
    assert removed == {"removed": True, "messages": [str(old)]}
    assert not old.exists()
    assert call("verify").exit_code == 0
    assert "1 message removed" in call("verify").output


def test_a_hold_on_what_is_not_there(vault: SmallArchive) -> None:
    """It is put on, for what is yet to come, and who mistook a number hears of it."""
    hold = ("hold", "add", vault.root, "--reason", "case 4\n5", "--mailbox")
    assert "has no message 9 of 111/222 yet" in call(*hold, "111/222", "--message", "9").output
    assert "has nothing of 111/333 yet" in call(*hold, "111/333").output
    assert call("hold", "list", vault.root).output.count("\n") == 2


def test_a_hold_that_cannot_be_written(vault: SmallArchive) -> None:
    """One line says where and why."""
    (vault.root / ".holds.jsonl.part").mkdir()
    said = refusal("hold", "add", vault.root, "--mailbox", "111/222", "--reason", "x")
    assert said == f"{vault.root}: cannot be written (Is a directory)"


def test_adoption(vault: SmallArchive) -> None:
    """What was archived before there were chains is taken in once; a broken chain is no reason."""
    vault.chain.write_text("{}\n")
    assert "archive adopt" not in call("verify", vault.root).output
    vault.chain.unlink()
    verified = call("verify", vault.root)
    assert verified.exit_code == 1
    assert "`ringpost archive adopt` takes in" in verified.output
    assert call("adopt", vault.root).output == "1 folder taken into the chains\n"
    assert call("verify", vault.root).exit_code == 0
    assert json.loads(call("adopt", vault.root, "--json").output) == {"adopted": 0, "faults": []}
