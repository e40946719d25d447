"""An extension of an account: a user, a call queue, or another owner of a mailbox."""

from message_store.wire import Id, WireModel


class Extension(WireModel):
    """One extension; types and states are spelled as RingCentral spells them.

    Source: https://developers.ringcentral.com/api-reference/Extensions/listExtensions
    """

    id: Id
    extension_number: Id | None = None
    name: str | None = None
    type: str | None = None
    status: str | None = None
    hidden: bool | None = None
