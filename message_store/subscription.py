"""A subscription to notifications, as RingCentral describes it."""

import re
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from message_store.wire import Count, Moment, Record, WireModel, objects_only, texts_only


class DeliveryMode(WireModel):
    """Where notifications go; the verification token is never told back."""

    transport_type: str | None = None
    address: str | None = None


class DisabledFilter(WireModel):
    """An event filter that was asked for and is not served; `reason` is an error code."""

    filter: str | None = None
    reason: str | None = None
    message: str | None = None


class BlacklistedData(WireModel):
    """When and why RingCentral has given up calling the address."""

    blacklisted_at: Moment | None = None
    reason: str | None = None


class Subscription(Record):
    """One subscription; anything but status `Active` is broken.

    `expires_in` is how many seconds are left.

    Source: https://developers.ringcentral.com/api-reference/Subscriptions/readSubscription
    """

    id_form: ClassVar[re.Pattern[str]] = re.compile(r"[0-9A-Za-z_-]{1,64}")

    status: str | None = None
    event_filters: Annotated[list[str], BeforeValidator(texts_only)] = Field(default_factory=list)
    disabled_filters: Annotated[list[DisabledFilter], BeforeValidator(objects_only())] = Field(
        default_factory=list
    )
    expires_in: Count | None = None
    expiration_time: Moment | None = None
    creation_time: Moment | None = None
    delivery_mode: DeliveryMode = DeliveryMode()
    blacklisted_data: BlacklistedData = BlacklistedData()

    @property
    def is_active(self) -> bool:
        """Whether RingCentral sends notifications for it."""
        return self.status == "Active"
