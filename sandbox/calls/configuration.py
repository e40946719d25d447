"""How long faxes and voicemails are kept.

Source: https://developers.ringcentral.com/api-reference/Message-Store
"""

from aiohttp import web

from sandbox.answers import ApiError, invalid, json_answer, not_found
from sandbox.exchange import Exchange, Operation

_PATH = "/restapi/v1.0/account/{accountId}/message-store-configuration"
_DAYS = range(7, 91)


async def read_configuration(exchange: Exchange) -> web.StreamResponse:
    """The days that are set."""
    _check_account(exchange)
    return json_answer({"retentionPeriod": exchange.account.retention_days})


async def update_configuration(exchange: Exchange) -> web.StreamResponse:
    """Set the days; an account under HIPAA may not."""
    _check_account(exchange)
    if exchange.emulator.settings.retention_fixed:
        raise ApiError(403, "ACT-340", "Retention period cannot be changed for this account")
    asked = await exchange.json()
    days = asked.get("retentionPeriod") if isinstance(asked, dict) else None
    if not isinstance(days, int) or days not in _DAYS:
        raise invalid("retentionPeriod")
    exchange.account.retention_days = days
    return json_answer({"retentionPeriod": days})


def _check_account(exchange: Exchange) -> None:
    if exchange.request.match_info["accountId"] not in ("~", exchange.account.id):
        raise not_found("accountId")


OPERATIONS = tuple(
    Operation(
        name=name,
        method=method,
        path=_PATH,
        answer=answer,
        app_permission="EditAccounts",
        user_permission="AccountAdministration",
        writes=True,
    )
    for name, method, answer in (
        ("readMessageStoreConfiguration", "GET", read_configuration),
        ("updateMessageStoreConfiguration", "PUT", update_configuration),
    )
)
