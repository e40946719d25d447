"""What can be seen without a network: settings, configuration, the webhook's address."""

from collections.abc import Mapping
from pathlib import Path

from ringpost.findings import Finding, fail, ok, warn
from ringpost.refusal import Refusal
from ringpost.surroundings import read_configuration
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
    if not routes:
        finding = warn("configuration", words, "without a [[routes]] table nothing happens")
    else:
        finding = ok("configuration", words)
    return [finding], configuration, handlers


def check_webhook(settings: Settings) -> list[Finding]:
    """Whether RingCentral can tell us what is new."""
    if settings.webhook_url is None:
        return [
            warn(
                "webhook",
                "WEBHOOK_URL is not set: no subscription, mailboxes are polled every few seconds",
                "set it to the public address of this webhook, such as https://example.com/webhook",
            )
        ]
    return [ok("webhook", settings.webhook_url)]
