"""`ringpost init`: a first configuration, which only archives."""

import json
from pathlib import Path

import typer

from ringpost.commands.options import ConfigFile
from ringpost.output import say
from ringpost.refusal import Refusal

CONFIGURATION = """\
#:schema ./ringpost.schema.json
# ringpost.toml: what becomes of each message. Fields and values are spelled as in RingCentral's
# API reference. Secrets come from the environment as ${NAME}. Check it with: ringpost check

mailboxes = ["~"]                  # the signed-in extension; or extension ids or numbers; or "all"

[sync]
start = "now"                      # on the very first run: "now", or how far back, such as "30d"

[handlers.vault]
use = "archive"
to = "ARCHIVE"

[[routes]]
name = "Everything is kept"        # no match: every message, and what becomes of it later
on = ["created", "transcribed", "sent", "delivered", "failed", "deleted"]
steps = ["vault"]

# Mail faxes as well, and mark them as read when both is done:
#
# [handlers.office-mail]
# use = "email"
# smtp = "${SMTP_URL}"             # smtps://user:password@mail.example.com
# from = "Office phone <phone@example.com>"
# to = ["office@example.com"]
#
# [[routes]]
# name = "Faxes reach the office"
# match.type = "Fax"
# match.direction = "Inbound"
# steps = ["office-mail", "mark-read"]
"""

ENVIRONMENT = """\
# The app's id and secret: https://developers.ringcentral.com/my-account.html#/applications
RC_CLIENT_ID=
RC_CLIENT_SECRET=
# The user's credential: https://developers.ringcentral.com/console/my-credentials/credentials
RC_JWT=
# The address that RingCentral calls, such as https://example.com/webhook; without it we poll.
WEBHOOK_URL=
"""


def init(config: ConfigFile = None) -> None:
    """Write a ringpost.toml that only archives, and its schema for editors beside it.

    An existing ringpost.toml is left as it is.
    """
    from ringpost.surroundings import read_settings

    settings = read_settings()
    path = config or settings.config
    archive = (settings.data / "archive").absolute().as_uri()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(CONFIGURATION.replace("ARCHIVE", archive))
        _write_schema(path.with_name("ringpost.schema.json"))
    except FileExistsError:
        raise Refusal(
            f"{path}: exists and is left as it is; edit it, or name another with --config"
        ) from None
    except OSError as error:
        raise Refusal(
            f"{path}: cannot be written ({error.strerror}); name another with --config"
        ) from None
    say(f"{path} written: every message is archived under {archive}")
    if settings.has_credentials:
        say("Next: ringpost check, then ringpost run")
        return
    say("Next: put these into .env, then ringpost check, then ringpost run")
    say()
    typer.echo(ENVIRONMENT, nl=False)


def _write_schema(path: Path) -> None:
    """For editors; `#:schema` in the configuration names it."""
    from ringpost.commands.schema import whole_schema

    text = json.dumps(whole_schema(), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
