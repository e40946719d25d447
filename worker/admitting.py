"""How a message that RingCentral lists becomes one that is admitted behind live work."""

from collections.abc import Mapping

from message_store.message import Message

from .happenings import State
from .ledger.records import Admitted, Delivery


def admitted(
    message: Message,
    deliveries: Mapping[tuple[str, str], Delivery],
    *,
    only_unseen: bool = False,
) -> Admitted:
    """The message with its deliveries, by route and what happened."""
    return Admitted(
        message.id,
        message.created.timestamp(),
        str(State.of(message)),
        message.model_dump_json(by_alias=True, exclude_unset=True),
        deliveries,
        only_unseen,
    )
