"""Messages in two phases: what was done when one came is amended by what happens to it later."""

import random
import time

from .happenings import CREATED
from .in_force import InForce
from .ledger.deliveries import DeliveryLedger
from .ledger.records import Claim
from .routes import Route

_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 60.0


def amends(claim: Claim, route: Route) -> bool:
    """Whether this delivery follows another of its route that is on the creation."""
    return claim.on != CREATED and CREATED in route.on


async def hold_for_first(
    claim: Claim, route: Route, step: str, in_force: InForce, ledger: DeliveryLedger
) -> float | None:
    """The seconds that a step waits because the creation has yet to go through it, or None.

    Only for handlers with an `amend` of their own. A creation that has failed is not waited for.
    """
    if not amends(claim, route) or not in_force.handlers.amends(step):
        return None
    first = await ledger.of_creation(claim)
    if first is None or first.state != "due" or step in first.done:
        return None
    claim.delivery.reason = "waits until the message itself has gone through"
    if first.early and (at := await ledger.creation_due(claim)) is not None:
        # a digest: nothing can be said before its time
        return max(at - time.time(), 0.0) + random.uniform(_SHORTEST_WAIT, 2 * _SHORTEST_WAIT)  # noqa: S311
    # as long again as it has waited, so that a destination that is away for hours costs little
    waited = time.time() - (claim.delivery.seen or 0.0)
    wait = min(max(waited, _SHORTEST_WAIT), _LONGEST_WAIT)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
