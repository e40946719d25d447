"""Whether RingCentral lets us in, and lets this app and user do what the configuration asks."""

from collections.abc import Iterable, Mapping

from message_store.client import MessageStore
from message_store.errors import LoginRefused, RingCentralError
from message_store.mailbox import Mailbox
from ringpost.connection import message_store
from ringpost.findings import Finding, fail, ok, warn
from ringpost.refusal import Refusal
from ringpost.surroundings import APPS_PAGE
from worker.configuration import Configuration
from worker.handlers.contract import ClosingHandler, Step
from worker.logins import Login
from worker.settings import Settings
from worker.watching import find_mailboxes

_MOST_MAILBOXES = 20
ROLES_PAGE = "https://service.ringcentral.com (Users, Roles)"

# Which permission brings which others along.
# Source: https://developers.ringcentral.com/guide/basics/permissions
_INCLUDED_IN = {
    "ReadMessages": {"EditMessages", "SMS", "Faxes", "InternalMessages"},
    "ReadAccounts": {"EditAccounts"},
}


async def check_ringcentral(
    settings: Settings, configuration: Configuration | None, handlers: Mapping[str, Step]
) -> list[Finding]:
    """Log in, then look at the app's permissions and at the user's, mailbox by mailbox."""
    try:
        async with message_store() as login:
            try:
                await login.tokens.set_refusal(None)  # somebody wants to know now
                await login.authenticator.token()
            except RingCentralError as error:
                return [_login_failed(error, login)]
            return await _check(login, settings, configuration, handlers)
    except Refusal as refusal:
        return [fail("credentials", line) for line in refusal.lines]


async def _check(
    login: Login,
    settings: Settings,
    configuration: Configuration | None,
    handlers: Mapping[str, Step],
) -> list[Finding]:
    server = login.account.server.api
    found = [ok("credentials", f"{server} lets this app and user in")]
    closing = any(isinstance(step, ClosingHandler) for step in handlers.values())
    token = await login.tokens.load()
    found += _app_permissions(token.scope if token else "", closing, settings)
    if configuration is None:
        return found
    mailboxes: list[Mailbox] = []
    try:
        mailboxes = await find_mailboxes(login.store, configuration.mailboxes)
        if not mailboxes:
            return [*found, fail("mailboxes", "none is found", 'name one, or "~", under mailboxes')]
        for mailbox in mailboxes[:_MOST_MAILBOXES]:
            found += await _user_permissions(login.store, mailbox, closing)
    except RingCentralError as error:
        found.append(fail("mailboxes", str(error), f"see the app's permissions at {APPS_PAGE}"))
    if len(mailboxes) > _MOST_MAILBOXES:
        found.append(ok("mailboxes", f"{len(mailboxes)}; the first {_MOST_MAILBOXES} were tried"))
    return found


def _login_failed(error: RingCentralError, login: Login) -> Finding:
    if isinstance(error, LoginRefused):
        return fail("credentials", str(error))  # it brings its remedy along
    return fail(
        "credentials",
        f"RC_SERVER_URL={login.account.server.api}: {error}",
        "see whether this machine reaches it" if error.transient else "",
    )


def _app_permissions(scope: str, closing: bool, settings: Settings) -> Iterable[Finding]:
    granted = set(scope.replace(",", " ").split())
    if not granted:
        yield warn("app permissions", "RingCentral does not tell them")
        return
    needed = ["ReadMessages", "ReadAccounts"]
    needed += ["EditMessages"] if closing else []
    needed += ["SubscriptionWebhook"] if settings.webhook_url else []
    missing = [name for name in needed if not granted & ({name} | _INCLUDED_IN.get(name, set()))]
    if missing:
        yield fail(
            "app permissions",
            f"{', '.join(missing)} missing",
            f"add to the app's Settings tab, App Permissions, at {APPS_PAGE}",
        )
    else:
        yield ok("app permissions", ", ".join(needed))


async def _user_permissions(
    store: MessageStore, mailbox: Mailbox, closing: bool
) -> Iterable[Finding]:
    subject = f"mailbox {mailbox}"
    needed = ("ReadMessages", "EditMessages") if closing else ("ReadMessages",)
    missing = [name for name in needed if not await store.may(name, mailbox.extension_id)]
    if missing:
        return [
            fail(
                subject,
                f"the signed-in user lacks {', '.join(missing)}",
                f"give the user a role with it for this extension at {ROLES_PAGE}",
            )
        ]
    return [ok(subject, "may be read and marked" if closing else "may be read")]
