"""Breaks subscriptions in the sandbox's memory, one at a time and at once."""

from sandbox import RingCentral
from sandbox.state.subscriptions import Subscription


def blacklist(ringcentral: RingCentral, subscription: Subscription) -> None:
    """The address has failed for too long: nothing more is sent."""
    now = ringcentral.server.emulator.clock.time()
    reason = "Webhook responses with code: [404], reason: [Not Found]"
    subscription.blacklist("Blacklisted", reason, now)


def disable_filter(ringcentral: RingCentral, subscription: Subscription, part: str) -> str:
    """RingCentral stops to serve one filter; which one."""
    [gone] = [one for one in subscription.filters if part in one.text]
    left = [one for one in subscription.filters if one is not gone]
    reason = {"filter": gone.text, "reason": "SUB-412", "message": "a permission is missing"}
    subscriptions = ringcentral.server.emulator.subscriptions
    subscriptions.change_filters(subscription, left, [*subscription.disabled, reason])
    return gone.text


def lose(ringcentral: RingCentral, subscription: Subscription) -> None:
    """It is gone: expired, or deleted by someone."""
    ringcentral.server.emulator.subscriptions.remove(subscription)


def join(ringcentral: RingCentral) -> str:
    """A new extension with an empty mailbox; its id."""
    emulator = ringcentral.server.emulator
    return emulator.add_extension(emulator.account).id


def leave(ringcentral: RingCentral, extension_id: str) -> None:
    """An extension is disabled: it is nobody's mailbox any more."""
    ringcentral.server.emulator.account.extensions[extension_id].status = "Disabled"


def tell_of_extensions(ringcentral: RingCentral, subscription: Subscription) -> None:
    """RingCentral says that extensions were added, changed or deleted."""
    [text] = [one.text for one in subscription.filters if one.text.endswith("/extension")]
    ringcentral.server.outbox.notify(subscription, text, {"extensions": []})


def remind(ringcentral: RingCentral, subscription: Subscription) -> None:
    """RingCentral reminds of a subscription that will run out."""
    [text] = [one.text for one in subscription.filters if "/subscription/~" in one.text]
    ringcentral.server.outbox.notify(subscription, text, {"expiresIn": 60})
