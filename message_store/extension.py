"""An extension of an account: a user, a call queue, or another owner of a mailbox."""

import re
from typing import ClassVar

from message_store.wire import Id, Record


class Extension(Record):
    """One extension; types and states are spelled as RingCentral spells them.

    Source: https://developers.ringcentral.com/api-reference/Extensions/listExtensions
    """

    id_form: ClassVar[re.Pattern[str]] = re.compile(r"[0-9]{1,20}")

    extension_number: Id | None = None
    name: str | None = None
    type: str | None = None
    status: str | None = None
    hidden: bool | None = None
