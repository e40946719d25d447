"""What `ringpost routes try` has found, for people and for programs."""

from typing import Any

from ringpost.output import hint, local_time, say, zone
from ringpost.route_changes import Comparison, From
from ringpost.tables import Column, show_table

_MOST_SHOWN = 100


def for_programs(
    found: Comparison, steps: list[tuple[str, str, str]], chosen: From
) -> dict[str, Any]:
    """As JSON; `steps` as of `other_steps`."""
    return {
        "from": chosen,
        "messages": found.messages,
        "changes": [change.as_dict() for change in found.changes],
        "routes": [
            {"route": name, "before": before, "after": after}
            for name, (before, after) in found.counts.items()
        ],
        "steps": [{"route": name, "before": old, "after": new} for name, old, new in steps],
    }


def show(found: Comparison, steps: list[tuple[str, str, str]], chosen: From) -> None:
    """Tables of the messages and of the routes, and a sentence."""
    if found.changes:
        show_table(
            (
                f"created ({zone()})",
                "type",
                "message",
                Column("mailbox", spare=1),
                Column("no longer by", folds=True),
                Column("newly by", folds=True),
            ),
            (
                (
                    local_time(one.message.creation_time),
                    one.message.type,
                    one.message.id,
                    one.mailbox,
                    ", ".join(one.no_longer),
                    ", ".join(one.newly),
                )
                for one in found.changes[:_MOST_SHOWN]
            ),
        )
        if len(found.changes) > _MOST_SHOWN:
            hint(f"and {len(found.changes) - _MOST_SHOWN:,} more; --json has them all")
        say()
    changed = [(name, *both) for name, both in found.counts.items() if both[0] != both[1]]
    if changed:
        show_table((Column("route", folds=True), "messages before", "after"), changed)
        say()
    for name, old, new in steps:
        say(f'route "{name}" has other steps: {old} before, {new} after')
    say(f"{len(found.changes):,} of {found.messages:,} messages ({chosen}) would go other ways")
