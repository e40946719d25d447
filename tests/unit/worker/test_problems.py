"""How values are shown in what is said about them."""

from pathlib import Path

import pytest

from worker.configuration import load
from worker.problems import ConfigurationError, address, without_password


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"smtps://me:s3cr3t@host": no', '"smtps://***@host": no'),
        ('"smtps://me:s3@cr3t@host" no', '"smtps://***@host" no'),
        ("write smtps://user:password@host", "write smtps://user:password@host"),
        ("smtp://user:password@s3cr3t@host", "smtp://***@host"),
    ],
)
def test_the_example_of_the_remedy_is_no_secret(text: str, shown: str) -> None:
    """A password is taken out, what our own advice says to write is not."""
    assert without_password(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host/0?password=s3cr3t", '"redis://host/0"'),
        ("redis://u:s3/#?c@r3t@host:1/0", '"redis://***@host:1/0"'),
        ("https://example.com/hook?auth_token=s3cr3t#x", '"https://example.com/hook"'),
    ],
)
def test_an_address_is_shown_without_secrets(url: str, shown: str) -> None:
    """User, password and query are left out."""
    assert address(url) == shown


def test_an_empty_variable_is_said_to_be_empty(tmp_path: Path) -> None:
    """Not that its value is no address: that would be shown as nothing."""
    path = tmp_path / "ringpost.toml"
    path.write_text('[handlers.m]\nuse = "email"\nsmtp = "${SMTP_URL}"\n')
    with pytest.raises(ConfigurationError) as error:
        load(path, {"SMTP_URL": ""})
    assert (
        f'{path}: [handlers.m] "smtp": the environment variable "SMTP_URL" is empty; set it, or '
        "write it in .env"
    ) in error.value.problems
