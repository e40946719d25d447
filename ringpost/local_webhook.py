"""The webhook's settings as `ringpost run` hands them on: where it listens on this machine."""

import os

from ringpost.probes import LOOPBACK, free_port
from ringpost.programs import reachable
from ringpost.refusal import Refusal
from webhook.settings import ConfigurationError, Settings, load


def local_webhook(*, public: bool) -> Settings:
    """Its settings; raises Refusal with a line for each bad variable.

    Not `public`: it listens on the loopback interface, and WEBHOOK_URL is set to where. PORT 0 is
    any free port.
    """
    if not public:
        os.environ.setdefault("HOST", LOOPBACK)
        os.environ.pop("WEBHOOK_URL", None)
    settings = _read()
    if settings.port == 0:
        os.environ["PORT"] = str(free_port(0))
        settings = _read()
    if not public:
        host = reachable(settings.host)
        name = f"[{host}]" if ":" in host else host
        os.environ["WEBHOOK_URL"] = f"http://{name}:{settings.port}/webhook"
        settings = _read()
    return settings


def _read() -> Settings:
    try:
        return load()
    except ConfigurationError as error:
        raise Refusal(*str(error).splitlines()) from None
