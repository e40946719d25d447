"""`ringpost subscriptions`: what RingCentral tells us of, what it should, and mending it."""

from typing import TYPE_CHECKING, Any

import typer

from ringpost.commands.options import AsJson
from ringpost.output import local_time, say, show_json, zone

if TYPE_CHECKING:
    from ringpost.subscriptions_by_hand import Owned
    from worker.subscription_plan import Action

subscriptions = typer.Typer(
    help="Look after the subscriptions to notifications.", no_args_is_help=True
)


@subscriptions.command("list")
def list_subscriptions(as_json: AsJson = False) -> None:
    """List what RingCentral has of this app and user, whoever made it."""
    from ringpost import subscriptions_by_hand
    from ringpost.connection import run

    found = run(subscriptions_by_hand.find())
    if as_json:
        show_json([_for_programs(one) for one in found])
    elif found:
        _show(found)
    else:
        say("RingCentral has no subscriptions of this app and user")


@subscriptions.command()
def diff(as_json: AsJson = False) -> None:
    """Compare what should be with what is, a line for each difference; exit 1 if there is one."""
    from ringpost import subscriptions_by_hand
    from ringpost.connection import run

    compared = run(subscriptions_by_hand.compare()).values()
    differences = [action for one in compared for action in one.plan.differences]
    refusals = [refusal for one in compared for refusal in one.refused.items()]
    if as_json:
        refused = [
            {"action": "none", "subscription": None, "reason": reason, "filters": [text]}
            for text, reason in refusals
        ]
        show_json([*map(_action, differences), *refused])
    else:
        for action in differences:
            say(str(action))
        for text, reason in refusals:
            say(f"RingCentral refuses {text}: {reason}")
    if differences or refusals:
        raise typer.Exit(1)
    if not as_json:
        say("subscriptions are as they should be")


@subscriptions.command()
def heal(as_json: AsJson = False) -> None:
    """Mend all differences now; exit 1 if RingCentral still does not serve a filter."""
    from ringpost import subscriptions_by_hand
    from ringpost.connection import run

    done = run(subscriptions_by_hand.heal())
    if as_json:
        show_json([{**_action(one.action), "still_dark": list(one.still_dark)} for one in done])
    elif done:
        for one in done:
            say(f"done: {one}")
    else:
        say("nothing to do: subscriptions are as they should be")
    if any(one.still_dark for one in done):
        raise typer.Exit(1)


def _action(action: "Action") -> dict[str, Any]:
    return {
        "action": action.kind.value,
        "subscription": action.subscription_id,
        "reason": action.reason,
        "filters": list(action.filters),
    }


def _for_programs(one: "Owned") -> dict[str, Any]:
    named = {"account": one.account} if one.account else {}
    return {**named, "owner": one.owner, **one.subscription.to_wire()}


def _show(found: "list[Owned]") -> None:
    from ringpost.tables import Column, show_table
    from worker.event_filters import is_reminder
    from worker.problems import address
    from worker.subscription_plan import some

    accounts = any(one.account for one in found)
    show_table(
        (
            *(["account"] if accounts else []),
            "subscription",
            "whose",
            "status",
            f"until ({zone()})",
            Column("address", folds=True, spare=1),
            Column("filters", folds=True),
        ),
        (
            (
                *([one.account] if accounts else []),
                one.subscription.id,
                one.owner,
                one.subscription.status,
                local_time(one.subscription.expiration_time),
                address(one.subscription.delivery_mode.address or ""),
                some(f for f in one.subscription.event_filters if not is_reminder(f)),
            )
            for one in found
        ),
    )
    for one in found:
        broken = one.subscription.blacklisted_data
        if broken.reason or broken.blacklisted_at:
            since = local_time(broken.blacklisted_at)
            say(f"{one.subscription.id}: blacklisted since {since} {zone()}: {broken.reason}")
        for disabled in one.subscription.disabled_filters:
            say(f"{one.subscription.id}: disabled ({disabled.reason}): {disabled.filter}")
