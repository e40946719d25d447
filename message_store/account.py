"""What belongs to the user we act for: who that is, the extensions seen, the subscriptions."""

import re
from collections.abc import Sequence
from functools import partial

from message_store.addresses import mailbox_path, part_id
from message_store.calls import Answer, Call
from message_store.errors import NotFound
from message_store.extension import Extension
from message_store.http import Http
from message_store.mailbox import Mailbox
from message_store.pages import read_one, read_paging, read_records
from message_store.subscription import Subscription

_SUBSCRIPTIONS = "/restapi/v1.0/subscription"
_CALLER = Mailbox("~", "~")
_EXTENSIONS_PER_PAGE = 1000
_MOST_PAGES = 1000
_OWN_URI = re.compile(r".*/account/([0-9]{1,20})/extension/([0-9]{1,20})/?")


class Account:
    """The calls about the signed-in user, extensions and subscriptions."""

    _http: Http

    async def signed_in(self) -> Mailbox:
        """The real ids of the user we act for."""
        return (await self.signed_in_as())[0]

    async def signed_in_as(self) -> tuple[Mailbox, Extension]:
        """The real ids of the user we act for, and the extension."""
        return await self._http.read(Call("extension", "GET", mailbox_path(_CALLER)), _own_mailbox)

    async def extensions(
        self, *, types: Sequence[str] = (), statuses: Sequence[str] = ()
    ) -> list[Extension]:
        """All extensions of the account, of these types and states (empty: any), 1000 a call.

        Source: https://developers.ringcentral.com/api-reference/Extensions/listExtensions
        """
        found: list[Extension] = []
        chosen = [("type", one) for one in types] + [("status", one) for one in statuses]
        for page in range(1, _MOST_PAGES + 1):
            query: list[tuple[str, str | int]] = [
                *chosen,
                ("page", page),
                ("perPage", _EXTENSIONS_PER_PAGE),
            ]
            call = Call("extension-list", "GET", "/restapi/v1.0/account/~/extension", query)
            records, more = await self._http.read(call, partial(_extensions, page=page))
            found += records
            if not (more and records):
                break
        return list({extension.id: extension for extension in found}.values())

    async def may(self, permission_id: str, target_extension_id: str | None = None) -> bool:
        """Whether our user has this permission (such as `ReadMessages`), over that extension.

        Source: https://developers.ringcentral.com/api-reference/User-Permissions/checkUserPermission
        """
        query = [("permissionId", permission_id)]
        if target_extension_id is not None:
            query.append(("targetExtensionId", target_extension_id))
        path = f"{mailbox_path(_CALLER)}/authz-profile/check"
        call = Call("permission-check", "GET", path, query)
        answer = await self._http.read(call, Answer.json_object)
        return answer.get("successful") is True

    async def create_subscription(
        self, filters: Sequence[str], address: str, verification_token: str, expires_in: int
    ) -> Subscription:
        """Subscribe a webhook for `expires_in` seconds; RingCentral calls it before it answers.

        Some filters may come back disabled. Not repeated on failure: it would make a second one.
        Source: https://developers.ringcentral.com/api-reference/Subscriptions/createSubscription
        """
        body = {
            "eventFilters": list(filters),
            "expiresIn": expires_in,
            "deliveryMode": {
                "transportType": "WebHook",
                "address": address,
                "verificationToken": verification_token,
            },
        }
        call = Call("subscription-create", "POST", _SUBSCRIPTIONS, (), body, idempotent=False)
        return await self._http.read(call, _subscription)

    async def subscriptions(self) -> list[Subscription]:
        """All subscriptions of our user and app, at most 30."""
        return await self._http.read(
            Call("subscription-list", "GET", _SUBSCRIPTIONS), _subscriptions
        )

    async def subscription(self, subscription_id: str) -> Subscription:
        """One subscription; NotFound once it is expired or deleted."""
        path = f"{_SUBSCRIPTIONS}/{part_id(subscription_id)}"
        return await self._http.read(Call("subscription", "GET", path), _subscription)

    async def update_subscription(
        self, subscription_id: str, filters: Sequence[str], expires_in: int
    ) -> Subscription:
        """Let it have these filters and live for `expires_in` seconds from now; nothing else.

        Address and verification token cannot be changed. Some filters may come back disabled.
        NotFound once it is expired or deleted.
        Source: https://developers.ringcentral.com/api-reference/Subscriptions/updateSubscription
        """
        path = f"{_SUBSCRIPTIONS}/{part_id(subscription_id)}"
        body = {"eventFilters": list(filters), "expiresIn": expires_in}
        call = Call("subscription-update", "PUT", path, (), body)
        return await self._http.read(call, _subscription)

    async def renew_subscription(self, subscription_id: str) -> Subscription:
        """Begin its lifetime anew; NotFound once it is expired or deleted.

        Source: https://developers.ringcentral.com/api-reference/Subscriptions/renewSubscription
        """
        path = f"{_SUBSCRIPTIONS}/{part_id(subscription_id)}/renew"
        return await self._http.read(Call("subscription-renew", "POST", path), _subscription)

    async def delete_subscription(self, subscription_id: str) -> None:
        """End a subscription; one that is gone already is as good."""
        path = f"{_SUBSCRIPTIONS}/{part_id(subscription_id)}"
        try:
            await self._http.call(Call("subscription-delete", "DELETE", path))
        except NotFound:
            return


def _own_mailbox(answer: Answer) -> tuple[Mailbox, Extension]:
    extension = read_one(answer, Extension)
    document = answer.json_object()
    account = document.get("account")
    told = str(account.get("id")) if isinstance(account, dict) else ""
    if Extension.id_form.fullmatch(told):
        return Mailbox(told, extension.id), extension
    if own := _OWN_URI.fullmatch(str(document.get("uri"))):
        return Mailbox(own[1], extension.id), extension
    raise answer.unexpected("does not name the account")


def _extensions(answer: Answer, page: int) -> tuple[list[Extension], bool]:
    document = answer.json_object()
    records = read_records(answer, document, Extension)
    _, more = read_paging(document, page, len(document["records"]) >= _EXTENSIONS_PER_PAGE)
    return records, more


def _subscription(answer: Answer) -> Subscription:
    return read_one(answer, Subscription)


def _subscriptions(answer: Answer) -> list[Subscription]:
    return read_records(answer, answer.json_object(), Subscription)
