"""The account, its extensions, and what the caller may do with them.

Source: https://developers.ringcentral.com/api-reference/Extensions/listExtensions
"""

from aiohttp import web

from sandbox.answers import invalid, json_answer, not_found
from sandbox.exchange import Exchange, Operation
from sandbox.paging import MAX_PER_PAGE, address, navigation, page_of, paging
from sandbox.state.selection import whole_number

_ACCOUNT = "/restapi/v1.0/account/{accountId}"
_STATUSES = ("Enabled", "Disabled", "Frozen", "NotActivated", "Unassigned")


async def read_account(exchange: Exchange) -> web.StreamResponse:
    """The company."""
    _check_account(exchange)
    return json_answer(exchange.account.to_json())


async def list_extensions(exchange: Exchange) -> web.StreamResponse:
    """Its extensions, by number, in pages."""
    _check_account(exchange)
    account, query = exchange.account, exchange.request.query
    types, statuses = query.getall("type", []), query.getall("status", [])
    if any(status not in _STATUSES for status in statuses):
        raise invalid("status")
    number = query.get("extensionNumber")
    found = [
        extension
        for extension in account.extensions.values()
        if (not types or extension.type in types)
        and (not statuses or extension.status in statuses)
        and number in (None, extension.number)
    ]
    page = whole_number(query, "page", 1)
    per_page = min(whole_number(query, "perPage", 100), MAX_PER_PAGE)
    asked = [(name, value) for name, value in query.items() if name not in ("page", "perPage")]
    uri = f"{account.uri}/extension"
    counts = exchange.emulator.settings.page_counts
    return json_answer(
        {
            "uri": address(uri, asked, page, per_page),
            "records": [account.extension_json(e) for e in page_of(found, page, per_page)],
            "paging": paging(len(found), page, per_page, counts=counts),
            "navigation": navigation(uri, asked, len(found), page, per_page),
        }
    )


async def read_extension(exchange: Exchange) -> web.StreamResponse:
    """One extension."""
    extension = exchange.extension()
    account = exchange.account
    owner = {"id": account.id, "uri": account.uri}
    single = {"account": owner, "setupWizardState": "Completed"}
    return json_answer({**account.extension_json(extension), **single})


async def check_permission(exchange: Exchange) -> web.StreamResponse:
    """Whether the caller has a permission, for an extension if one is named."""
    exchange.extension()
    query, emulator, caller = exchange.request.query, exchange.emulator, exchange.caller
    permission = query.get("permissionId")
    if not permission:
        raise invalid("permissionId")
    target = query.get("targetExtensionId", "~")
    if target == "~":
        target = caller.extension.id
    if target not in exchange.account.extensions:
        raise not_found("targetExtensionId")
    allowed = emulator.permissions.allow(permission, caller, target)
    answer = {
        "uri": emulator.api_url + exchange.request.path_qs,
        "successful": allowed,
    }
    if allowed:
        dictionary = f"{emulator.api_url}/restapi/v1.0/dictionary/permission/{permission}"
        answer["details"] = {
            "permission": {"uri": dictionary, "id": permission, "assignable": True},
            "scopes": ["Account"] if caller.admin else ["Self"],
        }
    return json_answer(answer)


def _check_account(exchange: Exchange) -> None:
    if exchange.request.match_info["accountId"] not in ("~", exchange.account.id):
        raise not_found("accountId")


OPERATIONS = (
    Operation(
        name="readAccountInfo",
        method="GET",
        path=_ACCOUNT,
        answer=read_account,
        app_permission="ReadAccounts",
        user_permission="ReadCompanyInfo",
    ),
    Operation(
        name="listExtensions",
        method="GET",
        path=f"{_ACCOUNT}/extension",
        answer=list_extensions,
        group="medium",
        app_permission="ReadAccounts",
        user_permission="ReadExtensions",
    ),
    Operation(
        name="readExtension",
        method="GET",
        path=f"{_ACCOUNT}/extension/{{extensionId}}",
        answer=read_extension,
        app_permission="ReadAccounts",
        user_permission="ReadExtensions",
    ),
    Operation(
        name="checkUserPermission",
        method="GET",
        path=f"{_ACCOUNT}/extension/{{extensionId}}/authz-profile/check",
        answer=check_permission,
    ),
)
