"""Which user looks after which mailbox, where several may read it. Pure."""

from collections.abc import Collection, Mapping

from message_store.mailbox import Mailbox

# A mailbox that changes hands costs a full sync, so a small imbalance is left as it is.
_TOLERATED = 1.2


def spread(
    readable: Mapping[str, Collection[Mailbox]], assigned: Mapping[Mailbox, str]
) -> dict[Mailbox, str]:
    """Each readable mailbox with one of the scopes that may read it, about as many to each.

    A mailbox stays with its scope (`assigned`) as long as that one may read it and has not far
    more of them than another that may read it as well.
    """
    may: dict[Mailbox, list[str]] = {}
    for scope in sorted(readable):
        for mailbox in readable[scope]:
            may.setdefault(mailbox, []).append(scope)
    chosen: dict[Mailbox, str] = {}
    load = dict.fromkeys(readable, 0)
    for mailbox, scopes in may.items():
        if (kept := assigned.get(mailbox)) in scopes:
            chosen[mailbox] = kept
            load[kept] += 1
    for mailbox in sorted(may.keys() - chosen.keys()):
        chosen[mailbox] = scope = min(may[mailbox], key=load.__getitem__)
        load[scope] += 1
    for mailbox in sorted(chosen):
        scope = chosen[mailbox]
        lightest = min(may[mailbox], key=load.__getitem__)
        if load[scope] > load[lightest] * _TOLERATED + 1:
            chosen[mailbox] = lightest
            load[scope] -= 1
            load[lightest] += 1
    return chosen
