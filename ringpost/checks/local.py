"""What can be seen without a network: settings, configuration, data directory, port."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ringpost.admin.settings import AdminSettings, open_to_others
from ringpost.data_directory import DataDirectory
from ringpost.findings import Finding, fail, ok, warn
from ringpost.links.settings import LinkSettings
from ringpost.probes import answers_health, insist_on_port
from ringpost.programs import reachable
from ringpost.refusal import Refusal
from ringpost.surroundings import read_configuration
from webhook.settings import ConfigurationError, load
from worker.configuration import Configuration
from worker.handlers.contract import Step
from worker.settings import Settings


def check_configuration(
    path: Path, running: Mapping[str, str]
) -> tuple[list[Finding], Configuration | None, dict[str, Step]]:
    """Read it; the findings, and what was read."""
    try:
        configuration, handlers = read_configuration(path, running)
    except Refusal as refusal:
        return [fail("configuration", line) for line in refusal.lines], None, {}
    routes, count = len(configuration.routes), len(handlers)
    words = f"{path}: {routes} route{'s'[: routes != 1]}, {count} handler{'s'[: count != 1]}"
    return [ok("configuration", words)], configuration, handlers


def check_data(settings: Settings) -> list[Finding]:
    """Whether there is room for what the worker keeps."""
    trouble = DataDirectory(settings.data).why_unusable()
    if trouble is None:
        return [ok("data directory", str(settings.data))]
    remedy = "make it writable or set RINGPOST_DATA to another"
    return [fail("data directory", f"RINGPOST_DATA={settings.data}: {trouble}", remedy)]


def check_webhook(settings: Settings, *, release: bool) -> list[Finding]:
    """Whether the webhook starts with these settings, and RingCentral can tell us what is new.

    In a `release` step each part runs alone, so that nobody makes a token.
    """
    try:
        load(**_stand_ins(settings, release=release))
    except ConfigurationError as error:
        return [fail("webhook", line) for line in str(error).splitlines()]
    if settings.webhook_url is None:
        return [
            warn(
                "webhook",
                "WEBHOOK_URL is not set: no subscription, mailboxes are polled every few seconds",
                "set it to the public address of this webhook, such as https://example.com/webhook",
            )
        ]
    return [ok("webhook", settings.webhook_url)]


def _stand_ins(settings: Settings, *, release: bool) -> dict[str, str]:
    """Values for what `ringpost run` would bring."""
    known = {"webhook_url": settings.webhook_url} if settings.webhook_url else {}
    alone = release and settings.redis_url and settings.webhook_url
    if not settings.webhook_verification_token and not alone:
        known["webhook_verification_token"] = "0" * 16
    known["redis_url"] = settings.redis_url or "redis://localhost"
    return known


def check_admin() -> list[Finding]:
    """Whether the admin process starts with these settings, and who can reach it."""
    try:
        admin = AdminSettings()
    except Refusal as refusal:
        return [fail("admin", line) for line in refusal.lines]
    if admin.is_private:
        return [ok("admin", f"ADMIN_HOST={admin.admin_host}: for this machine only")]
    remedy = "set ADMIN_HOST to 127.0.0.1, or let nobody but Prometheus reach it"
    return [warn("admin", open_to_others(admin), remedy)]


def check_links() -> list[Finding]:
    """Whether links can be served with these settings; nothing if there are none."""
    try:
        links = LinkSettings()
    except Refusal as refusal:
        return [fail("links", line) for line in refusal.lines]
    if links.links_url is None:
        return []
    where = f"on LINKS_HOST={links.links_host} LINKS_PORT={links.links_port}"
    return [ok("links", f"{links.links_url}, served {where}")]


async def check_ports(running: Mapping[str, str]) -> list[Finding]:
    """Whether all that listens can; what runs here may be what listens already."""
    found = []
    with suppress(ConfigurationError):  # said by `check_webhook`
        webhook = load(webhook_verification_token="0" * 16, redis_url="redis://localhost")
        found.append(await _port("", webhook.host, webhook.port, running))
    with suppress(Refusal):  # said by `check_admin`
        admin = AdminSettings()
        found.append(await _port("ADMIN_", admin.admin_host, admin.admin_port, running))
    with suppress(Refusal):  # said by `check_links`
        links = LinkSettings()
        if links.links_url is not None:
            found.append(await _port("LINKS_", links.links_host, links.links_port, running))
    return found


_LISTENERS = {
    "": ("port", "a webhook"),
    "ADMIN_": ("admin port", "an admin process"),
    "LINKS_": ("links port", "an admin process"),
}


async def _port(prefix: str, host: str, port: int, running: Mapping[str, str]) -> Finding:
    subject, who = _LISTENERS[prefix]
    told = running.get(f"{prefix}PORT", "")
    port = int(told) if told.isdecimal() else port
    where = f"{prefix}PORT={port}"
    try:
        insist_on_port(host, port, prefix)
    except Refusal as refusal:
        if not await answers_health(reachable(host), port)():
            return fail(subject, "; ".join(refusal.lines))
        if told:
            return ok(subject, f"{where}: the instance that runs here listens")
        words = f"{where}: {who} listens there already"
        return warn(subject, words, "if it is not the one of this installation, set another")
    return ok(subject, f"{where}: free")
