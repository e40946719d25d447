"""Every mistake at the command line is one line: the thing, the value, the remedy."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from redis.exceptions import ResponseError

from ringpost.checks.redis import no_answer
from ringpost.data_directory import DataDirectory

CREDENTIALS = {
    "RC_SERVER_URL": "http://127.0.0.1:9",
    "RC_CLIENT_ID": "an-id",
    "RC_CLIENT_SECRET": "kept-secret",
    "RC_JWT": "kept-secret",
}
CONFIGURATION = """
[handlers.vault]
use = "archive"
to = "archive"
[[routes]]
name = "all"
steps = ["vault"]
"""


class Answer(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def ringpost(tmp_path: Path) -> Command:
    """The real command in an empty folder, with nothing but these variables set."""

    def run(*arguments: str, environ: Mapping[str, str] | None = None) -> Answer:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "ringpost", *arguments],
            cwd=tmp_path,
            env={**inherited, "PORT": "0", "ADMIN_PORT": "0", **(environ or {})},
            capture_output=True,
            text=True,
            timeout=100,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _refused(answer: Answer, *words: str) -> None:
    assert answer.code == 2, answer
    (line,) = answer.err.splitlines()
    for word in words:
        assert word in line
    assert "kept-secret" not in answer.out + answer.err


def test_credentials_without_a_configuration(ringpost: Command) -> None:
    """With credentials and no ringpost.toml `run` points to `ringpost init`."""
    _refused(ringpost("run", environ=CREDENTIALS), "ringpost.toml: no such", "`ringpost init`")


def test_credentials_that_are_incomplete(ringpost: Command) -> None:
    """A missing variable is named, with the page where its value stands."""
    answer = ringpost("run", environ={"RC_CLIENT_ID": "an-id", "RC_CLIENT_SECRET": "kept-secret"})
    _refused(answer, "RC_JWT not set", "https://developers.ringcentral.com/")


def test_a_port_in_use(ringpost: Command, taken_port: int) -> None:
    """The webhook's port is tried before anything is started."""
    answer = ringpost("run", environ={"PORT": str(taken_port)})
    _refused(answer, f"PORT={taken_port}: in use on 127.0.0.1", "set PORT to another")


def test_an_admin_port_in_use(ringpost: Command, taken_port: int) -> None:
    """So is the admin process's."""
    answer = ringpost("run", environ={"ADMIN_PORT": str(taken_port)})
    _refused(answer, f"ADMIN_PORT={taken_port}: in use on 127.0.0.1", "set ADMIN_PORT to another")


@pytest.mark.parametrize("command", ["run", "admin"])
def test_an_admin_port_that_is_none(ringpost: Command, command: str) -> None:
    """An ADMIN_PORT beyond the range is named."""
    _refused(ringpost(command, environ={"ADMIN_PORT": "99999"}), 'ADMIN_PORT "99999"', "65535")


def test_an_admin_process_without_a_redis(ringpost: Command) -> None:
    """It says where it looked and what to set."""
    _refused(ringpost("admin"), "REDIS_URL is not set", "no `ringpost run` uses this")


def test_an_admin_process_for_others(ringpost: Command, tmp_path: Path) -> None:
    """`check` warns of an ADMIN_HOST that others can reach."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    answer = ringpost("check", "--config-only", environ={"ADMIN_HOST": "0.0.0.0"})
    assert "warn admin: ADMIN_HOST=0.0.0.0: whoever can reach it reads" in answer.out
    assert answer.code == 0


def test_a_port_that_is_none(ringpost: Command) -> None:
    """A PORT beyond the range is named."""
    _refused(ringpost("run", environ={"PORT": "99999"}), "PORT", "65535")


def test_a_data_directory_that_cannot_be_written(ringpost: Command, tmp_path: Path) -> None:
    """The directory, the reason and the variable are named."""
    (tmp_path / "file").touch()
    answer = ringpost("run", environ={"RINGPOST_DATA": "file/data"})
    _refused(answer, f"RINGPOST_DATA={tmp_path}/file/data", "Not a directory", "set RINGPOST_DATA")


def test_a_data_directory_that_is_a_file(ringpost: Command, tmp_path: Path) -> None:
    """It is said what it is."""
    (tmp_path / "file").touch()
    answer = ringpost("run", environ={"RINGPOST_DATA": "file"})
    _refused(answer, f"RINGPOST_DATA={tmp_path}/file: is a file, not a folder", "set RINGPOST_DATA")


def test_nothing_is_announced_that_is_then_refused(
    ringpost: Command, tmp_path: Path, taken_port: int
) -> None:
    """No sandbox is said to start when the port is taken or the data directory held."""
    assert ringpost("run", environ={"PORT": str(taken_port)}).out == ""
    data = DataDirectory(tmp_path / "data")
    data.prepare()
    with data.held():
        assert ringpost("run").out == ""


RELEASE = {"REDIS_URL": "redis://127.0.0.1:9/0", "WEBHOOK_URL": "https://example.com/webhook"}


@pytest.mark.parametrize(
    ("environ", "subject", "words"),
    [
        ({"ADMIN_PORT": "80000"}, "admin", 'ADMIN_PORT "80000" must be a number'),
        ({"PORT": "80000"}, "webhook", 'PORT "80000" must be a number from 0 to 65535'),
        (RELEASE, "webhook", "WEBHOOK_VERIFICATION_TOKEN is not set"),
        ({"WEBHOOK_URL": "https://example.com/healthz"}, "webhook", "/healthz"),
        ({"RINGPOST_DATA": "ringpost.toml"}, "data directory", "is a file, not a folder"),
        ({"RINGPOST_DATA": "ringpost.toml/data"}, "data directory", "RINGPOST_DATA to another"),
        ({"REDIS_URL": "redis://127.0.0.1:abc/0"}, "settings", '"redis://127.0.0.1:abc/0" is no'),
    ],
)
def test_the_release_check_sees_what_would_not_start(
    ringpost: Command, tmp_path: Path, environ: dict[str, str], subject: str, words: str
) -> None:
    """What would stop a part at its start is found in the release step."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    answer = ringpost("check", "--config-only", environ=environ)
    assert answer.code == 1, answer
    (line,) = [line for line in answer.out.splitlines() if line.startswith("fail")]
    assert line.startswith(f"fail {subject}: ")
    assert words in line


def test_the_release_check_takes_what_starts(ringpost: Command, tmp_path: Path) -> None:
    """With a token all is well; without Redis `ringpost run` makes one. Nothing is created."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    token = {"WEBHOOK_VERIFICATION_TOKEN": "A1b2C3d4E5f6G7h8"}
    assert ringpost("check", "--config-only", environ=RELEASE | token).code == 0
    alone = {"WEBHOOK_URL": RELEASE["WEBHOOK_URL"]}
    assert ringpost("check", "--config-only", environ=alone).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ringpost.toml"]


def test_the_release_check_knows_the_instance_that_runs_here(
    ringpost: Command, tmp_path: Path
) -> None:
    """`ringpost run` has made a token and brought Redis, so neither is missed beside it."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    data = DataDirectory(tmp_path / "data")
    data.prepare()
    environ = {**CREDENTIALS, "WEBHOOK_URL": RELEASE["WEBHOOK_URL"]}
    with data.held():
        data.describe({"REDIS_URL": RELEASE["REDIS_URL"]})
        answer = ringpost("check", "--config-only", environ=environ)
    assert answer.code == 0, answer


def test_check_sees_a_port_in_use(ringpost: Command, tmp_path: Path, taken_port: int) -> None:
    """Also if it is not our own webhook that listens."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION)
    environ = {**CREDENTIALS, "PORT": str(taken_port), "HOST": "127.0.0.1"}
    answer = ringpost("check", environ=environ)
    assert f"fail port: PORT={taken_port}: in use on 127.0.0.1" in answer.out


@pytest.mark.parametrize("command", ["check", "status", "failures", "messages list"])
def test_a_redis_port_that_is_none(ringpost: Command, command: str) -> None:
    """No command ends in a traceback over it."""
    environ = {"REDIS_URL": "redis://:kept-secret@127.0.0.1:abc/0"}
    answer = ringpost(*command.split(), environ=environ)
    (line,) = (answer.out + answer.err).splitlines()
    assert 'REDIS_URL "redis://***@127.0.0.1:abc/0" is no address of a Redis' in line


@pytest.mark.parametrize("command", ["status", "failures", "replay"])
def test_a_redis_that_is_away(ringpost: Command, command: str) -> None:
    """The address, without its password, and the remedy are named as `run` does."""
    environ = {"REDIS_URL": "redis://:kept-secret@127.0.0.1:9/0?password=kept-secret"}
    answer = ringpost(command, environ=environ)
    assert answer.code == 1
    (line,) = answer.err.splitlines()
    assert line.startswith('REDIS_URL "redis://***@127.0.0.1:9/0": no answer (')
    assert line.endswith("; start it, correct REDIS_URL, or unset it for the embedded one")
    assert "kept-secret" not in line


def test_a_redis_that_refuses() -> None:
    """One that is full or has no disk need not be started, nor its address corrected."""
    refusal = no_answer("redis://:kept-secret@host/0", ResponseError("MISCONF No space left"), 1)
    assert str(refusal) == (
        'REDIS_URL "redis://***@host/0": it refuses (MISCONF No space left); '
        "mend that there, and everything goes on by itself"
    )


@pytest.mark.parametrize("command", ["show", "download", "mark"])
@pytest.mark.parametrize("message_id", ["abc", "1" * 21, "١٢"])
def test_a_message_id_that_is_none(ringpost: Command, command: str, message_id: str) -> None:
    """It is named, before anything is asked or made."""
    answer = ringpost("messages", command, message_id, environ=CREDENTIALS)
    words = "not a number; ids stand in ringpost messages list"
    _refused(answer, f'message id "{message_id}": {words}')


def test_a_date_that_is_none(ringpost: Command) -> None:
    """The value and an example are shown."""
    answer = ringpost("messages", "list", "--date-from", "yesterday", environ=CREDENTIALS)
    assert answer.code == 2
    assert '"yesterday" is no time; write how far back such as 2d' in " ".join(
        answer.err.replace("│", " ").split()
    )


def test_a_type_that_is_none(ringpost: Command) -> None:
    """The types are spelled as RingCentral spells them."""
    answer = ringpost("messages", "list", "--type", "Facs", environ=CREDENTIALS)
    assert answer.code == 2
    assert '"Facs" is none of SMS, MMS, Fax, VoiceMail, Pager' in " ".join(
        answer.err.replace("│", " ").split()
    )


def test_a_second_instance(ringpost: Command, tmp_path: Path) -> None:
    """Two instances on one data directory are refused; the one that holds it is named."""
    data = DataDirectory(tmp_path / "data")
    data.prepare()
    with data.held():
        _refused(ringpost("run"), f"(process {os.getpid()})", "set RINGPOST_DATA to another")


def test_a_redis_that_does_not_answer(ringpost: Command) -> None:
    """An unreachable REDIS_URL is refused at start, its password not shown."""
    answer = ringpost("run", environ={"REDIS_URL": "redis://user:kept-secret@127.0.0.1:9/0"})
    _refused(answer, 'REDIS_URL "redis://***@127.0.0.1:9/0": no answer', "start it")


def test_a_redis_address_that_is_none(ringpost: Command) -> None:
    """A REDIS_URL of another kind is refused."""
    _refused(ringpost("run", environ={"REDIS_URL": "http://localhost"}), "REDIS_URL", "redis://")


def test_a_typing_error_in_the_configuration(ringpost: Command, tmp_path: Path) -> None:
    """File, table, key and the nearest right key are named, at start as in `check`."""
    (tmp_path / "ringpost.toml").write_text(CONFIGURATION.replace("to =", "tu ="))
    answer = ringpost("run", environ=CREDENTIALS)
    assert answer.code == 2
    assert all(line.startswith("ringpost.toml: ") for line in answer.err.splitlines())
    assert '[handlers.vault] "tu": unknown key; did you mean "to"?' in answer.err
    checked = ringpost("check", "--config-only", environ=CREDENTIALS)
    assert checked.code == 1
    assert 'did you mean "to"?' in checked.out


def test_a_server_without_tls(ringpost: Command) -> None:
    """A server that would show the token to the network is refused."""
    answer = ringpost("run", environ={**CREDENTIALS, "RC_SERVER_URL": "http://example.com"})
    _refused(answer, "RC_SERVER_URL", "https://")


def test_init_never_overwrites(ringpost: Command, tmp_path: Path) -> None:
    """An existing file stays as it is."""
    (tmp_path / "ringpost.toml").write_text("mine")
    _refused(ringpost("init"), "ringpost.toml: exists and is left as it is")
    assert (tmp_path / "ringpost.toml").read_text() == "mine"


def test_what_init_writes_passes_the_check(ringpost: Command, tmp_path: Path) -> None:
    """The first configuration is valid and archives below the data directory."""
    assert ringpost("init").code == 0
    answer = ringpost("check", "--config-only")
    assert answer.code == 0, answer
    assert (tmp_path / "data" / "archive").as_uri() in (tmp_path / "ringpost.toml").read_text()


def test_status_without_an_instance(ringpost: Command) -> None:
    """Without a Redis to ask it says where one would come from."""
    _refused(ringpost("status"), "REDIS_URL is not set", "`ringpost run`")


def test_messages_without_credentials(ringpost: Command) -> None:
    """The variables that are missing are named."""
    answer = ringpost("messages", "list")
    _refused(answer, "RC_CLIENT_ID, RC_CLIENT_SECRET, RC_JWT not set")


def test_an_unreachable_ringcentral(ringpost: Command) -> None:
    """A failure of what was asked has exit code 1 and one line."""
    answer = ringpost("messages", "list", environ=CREDENTIALS)
    assert answer.code == 1
    (line,) = answer.err.splitlines()
    assert line.startswith("RingCentral: 127.0.0.1")


def test_check_says_all_at_once(ringpost: Command, tmp_path: Path) -> None:
    """RingCentral, Redis and mail server are down: each has a line of its own."""
    mail = '[handlers.m]\nuse = "email"\nsmtp = "smtp://127.0.0.1:9"\nfrom = "a@x.org"\n'
    text = CONFIGURATION.replace('["vault"]', '["vault", "m"]') + mail + 'to = ["b@x.org"]\n'
    (tmp_path / "ringpost.toml").write_text(text)
    answer = ringpost("check", environ={**CREDENTIALS, "REDIS_URL": "redis://127.0.0.1:9/0"})
    assert answer.code == 1
    failed = [line.split(":")[0] for line in answer.out.splitlines() if line.startswith("fail")]
    assert failed == ["fail credentials", "fail Redis", "fail handler m"]
