"""`ringpost sandbox`: the commands of the emulated RingCentral, led to the one that runs here."""

import os
from typing import Any

import typer

PASS_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
URL = "RINGPOST_SANDBOX_URL"


def sandbox(context: typer.Context) -> None:
    """RingCentral on this machine: make messages arrive, such as `send fax`."""
    # Its package is a program of its own and heavy to import: it is loaded only when it is asked.
    from ringpost.data_directory import DataDirectory
    from ringpost.surroundings import read_settings
    from sandbox.commands import app

    found = DataDirectory(read_settings().data).running_environ()
    if URL in found:
        os.environ.setdefault(URL, found[URL])
    app(args=context.args, prog_name="ringpost sandbox")
