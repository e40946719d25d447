"""What a command finds around it: settings, configuration, an instance that runs here already."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringpost.data_directory import DataDirectory
from ringpost.refusal import Refusal
from worker.problems import ConfigurationError
from worker.settings import Settings, environment

if TYPE_CHECKING:
    from worker.configuration import Configuration
    from worker.handlers.contract import Step

_FIELDS = {"RINGPOST_CONFIG": "config"}
APPS_PAGE = "https://developers.ringcentral.com/my-account.html#/applications"
CREDENTIALS_PAGE = "https://developers.ringcentral.com/console/my-credentials/credentials"


def read_settings(**values: Any) -> Settings:
    """The settings; raises Refusal with a line for each bad variable. `values` beat them."""
    try:
        return Settings(**values)
    except ConfigurationError as error:
        raise Refusal(*error.problems) from None


def running_settings() -> Settings:
    """The settings as completed by the instance that `ringpost run` keeps on the data directory.

    Its Redis counts if no other is set, its sandbox if no credentials are, its configuration if
    there is no other.
    """
    settings = read_settings()
    found = DataDirectory(settings.data).running_environ()
    if settings.redis_url is not None:
        found.pop("REDIS_URL", None)
    if not is_without_credentials(settings):
        ours = {"REDIS_URL"}
        is_demo = "RC_CLIENT_ID" in found
        if not (is_demo or "config" in settings.model_fields_set):
            ours.add("RINGPOST_CONFIG")
        found = {name: value for name, value in found.items() if name in ours}
    known = {_FIELDS.get(name, name.lower()): value for name, value in found.items()}
    if settings.config.exists():
        known.pop("config", None)  # a configuration in the making is what commands are asked about
    return read_settings(**{k: v for k, v in known.items() if k in Settings.model_fields})


def is_without_credentials(settings: Settings, config: Path | None = None) -> bool:
    """Whether there are no credentials at all, as on the very first start."""
    set_here = settings.rc_client_id or settings.rc_client_secret or settings.rc_jwt
    return not (set_here or names_accounts(config or settings.config))


def names_accounts(path: Path) -> bool:
    """Whether the configuration has `[[accounts]]`, which go before the credentials of the
    environment; one that cannot be read has none.
    """
    try:
        return "accounts" in tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return False


def insist_on_credentials(settings: Settings, config: Path | None = None) -> None:
    """Raise Refusal naming the variables that a login still lacks."""
    missing = settings.missing_credentials()
    if missing and not names_accounts(config or settings.config):
        raise Refusal(
            f"{', '.join(missing)} not set: copy the app's id and secret from {APPS_PAGE} and the "
            f"user's JWT from {CREDENTIALS_PAGE} into .env; or set none of them and start "
            "`ringpost run`, which brings a sandbox"
        )


def read_configuration(
    path: Path, running: Mapping[str, str] | None = None
) -> "tuple[Configuration, dict[str, Step]]":
    """The configuration and its handlers; raises Refusal with a line for each problem.

    `running` are variables of an instance that runs here; the environment wins over them.
    """
    from worker.handlers.loading import load_all

    if not path.exists():
        raise Refusal(f"{path}: no such configuration file; `ringpost init` writes a first one")
    try:
        configuration, handlers = load_all(path, {**(running or {}), **environment()})
    except ConfigurationError as error:
        raise Refusal(*error.problems) from None
    return configuration, dict(handlers)


def read_running_configuration(
    path: Path | None = None,
) -> "tuple[Path, Configuration, dict[str, Step]]":
    """The configuration given, else the one in use here: its file, what it says, its handlers.

    Raises Refusal with a line for each problem.
    """
    path, running = _in_use(path)
    return path, *read_configuration(path, running)


def read_routes(path: Path | None) -> "Configuration":
    """The configuration without its handlers, so that no plug-in of it has to be here.

    Raises Refusal with a line for each problem.
    """
    from worker.configuration import load

    path, running = _in_use(path)
    if not path.exists():
        raise Refusal(f"{path}: no such configuration file; `ringpost init` writes a first one")
    try:
        return load(path, {**running, **environment()})
    except ConfigurationError as error:
        raise Refusal(*error.problems) from None


def _in_use(path: Path | None) -> tuple[Path, dict[str, str]]:
    """The file of a configuration, and the variables of the instance that runs here."""
    settings = running_settings()
    return path or settings.config, DataDirectory(settings.data).running_environ()
