"""Whether RingCentral lets us in, and lets this app and user do what the configuration asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from message_store.client import MessageStore
from message_store.errors import LoginRefused, PermissionMissing, RingCentralError
from message_store.mailbox import Mailbox
from ringpost.connection import logins
from ringpost.findings import Finding, fail, ok, warn
from ringpost.refusal import Refusal
from ringpost.surroundings import APPS_PAGE
from worker.configuration import Configuration
from worker.handlers.contract import ClosingHandler, Step
from worker.logins import Login
from worker.permissions import EDIT, READ, SEND, in_words
from worker.settings import Settings
from worker.watching import find

_MOST_MAILBOXES = 20
ROLES_PAGE = "https://service.ringcentral.com (Users, Roles)"

# Which permission brings which others along.
# Source: https://developers.ringcentral.com/guide/basics/permissions
_INCLUDED_IN = {
    "ReadMessages": {"EditMessages", "SMS", "Faxes", "InternalMessages"},
    "ReadAccounts": {"EditAccounts"},
}


@dataclass(frozen=True, slots=True)
class _Needs:
    """What handlers do beyond reading: change mailboxes, send text messages."""

    closing: bool
    texting: bool


async def check_ringcentral(
    settings: Settings, configuration: Configuration | None, handlers: Mapping[str, Step]
) -> list[Finding]:
    """Log in, then look at the app's permissions and at the user's, mailbox by mailbox."""
    needs = _Needs(
        closing=any(isinstance(step, ClosingHandler) for step in handlers.values()),
        texting=any(step.sends_texts for step in handlers.values()),
    )
    found: list[Finding] = []
    try:
        async with logins(configuration) as opened:
            for login in opened:
                of_account = await _check(login, settings, configuration, needs)
                found += [_named(finding, login.account.name) for finding in of_account]
    except Refusal as refusal:
        found += [fail("credentials", line) for line in refusal.lines]
    return found


def _named(finding: Finding, account: str) -> Finding:
    """The finding with the name of its account, where there are several."""
    return replace(finding, subject=f"{account}, {finding.subject}") if account else finding


async def _check(
    login: Login, settings: Settings, configuration: Configuration | None, needs: _Needs
) -> list[Finding]:
    try:
        await login.tokens.set_refusal(None)  # somebody wants to know now
        await login.authenticator.token()
    except RingCentralError as error:
        return [_login_failed(error, login)]
    found = [ok("credentials", f"{login.account.server.api} lets this app and user in")]
    token = await login.tokens.load()
    found += _app_permissions(token.scope if token else "", needs, settings)
    if configuration is not None:
        found += await _mailboxes(login, needs)
    return found


async def _mailboxes(login: Login, needs: _Needs) -> list[Finding]:
    findings: list[Finding] = []
    try:
        found = await find(login.store, login.account.mailboxes)
        for name in found.unknown:
            words = f'RingCentral has no extension "{name}"'
            findings.append(fail("mailboxes", words, "correct it under mailboxes"))
        if not found.mailboxes:
            nothing = fail("mailboxes", "none is found", 'name one, or "~", under mailboxes')
            return findings or [nothing]
        for mailbox in found.mailboxes[:_MOST_MAILBOXES]:
            title = found.titles[mailbox]
            findings.append(await _user_permissions(login.store, mailbox, title, needs))
    except RingCentralError as error:
        return [*findings, fail("mailboxes", str(error), _where(error))]
    if len(found.mailboxes) > _MOST_MAILBOXES:
        words = f"{len(found.mailboxes)}; the first {_MOST_MAILBOXES} were tried"
        findings.append(ok("mailboxes", words))
    return findings


def _where(error: RingCentralError) -> str:
    """Where somebody mends it; the error itself says what."""
    if not isinstance(error, PermissionMissing):
        return ""
    return f"see {APPS_PAGE if error.code == 'CMN-401' else ROLES_PAGE}"


def _login_failed(error: RingCentralError, login: Login) -> Finding:
    if isinstance(error, LoginRefused):
        return fail("credentials", str(error))  # it brings its remedy along
    return fail(
        "credentials",
        f"RC_SERVER_URL={login.account.server.api}: {error}",
        "see whether this machine reaches it" if error.transient else "",
    )


def _app_permissions(scope: str, needs: _Needs, settings: Settings) -> Iterable[Finding]:
    granted = set(scope.replace(",", " ").split())
    if not granted:
        yield warn("app permissions", "RingCentral does not tell them")
        return
    needed = ["ReadMessages", "ReadAccounts"]
    needed += ["EditMessages"] if needs.closing else []
    needed += ["SMS"] if needs.texting else []
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
    store: MessageStore, mailbox: Mailbox, title: str, needs: _Needs
) -> Finding:
    subject = f"mailbox {mailbox}"
    needed = [READ, EDIT] if needs.closing else [READ]
    needed += [SEND] if needs.texting else []
    missing = [name for name in needed if not await store.may(name, mailbox.extension_id)]
    if missing:
        return fail(subject, in_words(missing, title))
    marked = " and marked" if needs.closing else ""
    return ok(subject, f"may be read{marked}{', may send texts' if needs.texting else ''}")
