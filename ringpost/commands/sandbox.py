"""`ringpost sandbox`: the commands of the emulated RingCentral, led to the one that runs here."""

import os
from typing import Any

import typer

PASS_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}


def sandbox(context: typer.Context) -> None:
    """RingCentral on this machine: make messages arrive, such as `send fax --file any.pdf`."""
    # Its package is a program of its own and heavy to import: it is loaded only when it is asked.
    from sandbox.commands import app

    from ringpost.surroundings import running_settings

    os.environ.setdefault("RC_SERVER_URL", running_settings().rc_server_url)
    app(args=context.args, prog_name="ringpost sandbox")
