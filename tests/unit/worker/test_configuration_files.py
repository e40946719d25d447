"""Every file that a configuration depends on is looked at, also while it is broken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from worker.configuration_files import ConfigurationFiles
from worker.problems import ConfigurationError

MAIN = """
include = ["routes/*.toml", "more.toml"]
[contacts.vip]
file = "vip.csv"
[hours.office]
holidays = "holidays.txt"
[handlers.mail]
smtp = "${SMTP_URL}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "routes").mkdir()
    (tmp_path / "secrets").mkdir()
    for name in ("more.toml", "routes/a.toml", "vip.csv", "holidays.txt", "secrets/SMTP_URL"):
        (tmp_path / name).write_text("")
    (tmp_path / "secrets" / "OTHER").write_text("")
    (tmp_path / "ringpost.toml").write_text(MAIN)
    return tmp_path


@pytest.fixture
def files(folder: Path) -> ConfigurationFiles:
    secrets = {"RINGPOST_SECRETS": str(folder / "secrets")}
    return ConfigurationFiles(folder / "ringpost.toml", lambda: secrets)


def write(name: str, text: str = "# changed") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        write("ringpost.toml"),
        write("ringpost.toml", "is [ broken"),
        write("more.toml"),
        write("routes/a.toml"),
        write("routes/new.toml"),
        write("vip.csv"),
        write("holidays.txt"),
        write("secrets/SMTP_URL"),
        lambda folder: (folder / "more.toml").unlink(),
    ],
)
def test_a_change_is_seen(
    files: ConfigurationFiles, folder: Path, change: Callable[[Path], object]
) -> None:
    """Of the file, of what it includes and names, and of the secrets in it."""
    stamp, digest = files.stamp(), files.digest()
    change(folder)
    assert files.stamp() != stamp
    assert files.digest() != digest


def test_what_does_not_matter_is_no_change(files: ConfigurationFiles, folder: Path) -> None:
    """A file that is written anew as it was has the same digest; others are not looked at."""
    stamp, digest = files.stamp(), files.digest()
    (folder / "secrets" / "OTHER").write_text("changed")
    (folder / "routes" / "notes.txt").write_text("changed")
    assert files.stamp() == stamp
    (folder / "ringpost.toml").write_text(MAIN)
    assert files.stamp() != stamp
    assert files.digest() == digest


def test_what_a_broken_file_led_to_stays_known(files: ConfigurationFiles, folder: Path) -> None:
    """So that the file that breaks it may be any of them."""
    files.stamp()
    (folder / "ringpost.toml").write_text("is [ broken")
    stamp = files.stamp()
    (folder / "more.toml").write_text("# changed")
    assert files.stamp() != stamp


@pytest.mark.parametrize("name", ["deep/er/b.toml", "lists/vip.csv"])
def test_variables_in_the_names_of_files(folder: Path, name: str) -> None:
    """What a name means is worked out as when the file is read, from secrets too."""
    (folder / "secrets" / "LISTS").write_text("lists\n")
    for path in (folder / "deep/er/b.toml", folder / "lists/vip.csv"):
        path.parent.mkdir(parents=True)
        path.write_text("")
    text = 'include = ["${DEEP}/**/*.toml"]\n[contacts.vip]\nfile = "${LISTS}/vip.csv"\n'
    (folder / "ringpost.toml").write_text(text)
    environ = {"RINGPOST_SECRETS": str(folder / "secrets"), "DEEP": str(folder / "deep")}
    files = ConfigurationFiles(folder / "ringpost.toml", lambda: environ)
    stamp = files.stamp()
    (folder / name).write_text("# changed")
    assert files.stamp() != stamp


def test_variables_that_cannot_be_read_now_are_as_they_were(folder: Path) -> None:
    """A broken `.env` is no reason to stop looking: what is in force goes on."""
    answers = iter([{"RINGPOST_SECRETS": str(folder / "secrets")}])

    def environ() -> dict[str, str]:
        for answer in answers:
            return answer
        raise ConfigurationError([".env: cannot be read"])

    files = ConfigurationFiles(folder / "ringpost.toml", environ)
    stamp = files.stamp()
    assert files.stamp() == stamp
    (folder / "secrets" / "SMTP_URL").write_text("changed")
    assert files.stamp() != stamp
