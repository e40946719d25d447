"""Every answer of the sandbox is what RingCentral's OpenAPI document says it would be."""

import fnmatch
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import test_utils, web
from jsonschema import Draft202012Validator, FormatChecker

from sandbox import REAL_LIMITS, RingCentral
from sandbox.server import API_OPERATIONS, MEDIA_OPERATIONS
from sandbox.state.login_errors import LOGIN_ERRORS

MAILBOX = "/restapi/v1.0/account/~/extension/~"
STORE = f"{MAILBOX}/message-store"
SUBSCRIPTION = "/restapi/v1.0/subscription"
BATCH = "application/vnd.ringcentral.multipart+json"
# in the official reference, but not in the part of it that is compared with
UNPUBLISHED = {"checkUserPermission", "createSMSMessage", "createMMS"}
# errors that the document does not list for an operation have the general form all the same
GENERAL_ERROR = {"$ref": "#/components/schemas/ApiErrorResponseModel"}

# members of notifications that every capture has and the schema has not (section 3 and 10.1)
UNDECLARED = {"accountId", "eventType", "owner", "ownerId"}

formats = FormatChecker()


@formats.checks("date-time")
def _is_date_time(value: object) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


@formats.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or re.match(r"https?://\S+$", value) is not None


class Reference:
    """The document as JSON Schema, and what it says of each operation."""

    def __init__(self, openapi: dict[str, Any]) -> None:
        self._document = openapi
        schemas = forbid_the_undeclared(as_json_schema(openapi["components"]["schemas"]))
        self._components = {"components": {"schemas": schemas}}
        self.operations: dict[str, dict[str, Any]] = {}
        self.paths: dict[str, tuple[str, str]] = {}
        for path, item in openapi["paths"].items():
            for method, operation in item.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    self.operations[operation["operationId"]] = operation
                    self.paths[operation["operationId"]] = (method.upper(), path)

    def check(self, operation: str, status: int, content_type: str, body: Any) -> None:
        """Fail unless the document allows this answer to the operation."""
        answers = self.operations[operation]["responses"]
        if str(status) not in answers:
            assert status >= 400 or operation in ("deleteMessage",), (operation, status)
            self.validate(GENERAL_ERROR if status >= 400 else {}, body)
            return
        answer = self._resolved(answers[str(status)])
        offered = answer.get("content", {})
        if not offered:
            return
        kinds = [kind for kind in offered if fnmatch.fnmatch(content_type, kind)]
        assert kinds, (operation, status, content_type)
        if "json" in content_type:
            self.validate(offered[kinds[0]]["schema"], body)

    def validate(self, schema: dict[str, Any], value: Any) -> None:
        """Fail unless the value has the schema's form."""
        validator = Draft202012Validator(
            {**self._components, **as_json_schema(schema)}, format_checker=formats
        )
        errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)]
        assert not errors, "\n".join(errors)

    def _resolved(self, answer: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in answer:
            found: Any = self._document
            for name in answer["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            answer = found
        return answer


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a second type."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: as_json_schema(member) for name, member in schema.items()}
    if changed.pop("nullable", False) is True and isinstance(changed.get("type"), str):
        changed["type"] = [changed["type"], "null"]
    return changed


def forbid_the_undeclared(schemas: dict[str, Any]) -> dict[str, Any]:
    """Make a member that no schema declares a mistake, so that a misspelt one is found."""
    parts = {
        part["$ref"].rpartition("/")[2]
        for schema in schemas.values()
        for part in schema.get("allOf", [])
        if "$ref" in part
    }
    for name, schema in schemas.items():
        # older answers repeat the first error beside `errors`, which no schema declares
        if name not in parts and "Error" not in name and schema.keys() & {"properties", "allOf"}:
            schema.setdefault("unevaluatedProperties", schema.get("additionalProperties", False))
    return schemas


@pytest.fixture(scope="module")
def reference(openapi: dict[str, Any]) -> Reference:
    """The document, ready to compare with."""
    return Reference(openapi)


Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def ringcentral() -> AsyncIterator[RingCentral]:
    """A sandbox whose every answer is compared."""
    async with RingCentral(aggregation=0, refresh_tokens=True) as ringcentral:
        yield ringcentral


@pytest.fixture
async def ask(ringcentral: RingCentral, reference: Reference) -> AsyncIterator[Ask]:
    """`await ask(operation, path, **options)`: the answer's body, once it has been compared."""
    methods = {o.name: o.method for o in (*API_OPERATIONS, *MEDIA_OPERATIONS)}
    basic = aiohttp.encode_basic_auth(ringcentral.client_id, ringcentral.client_secret)
    headers = {"Authorization": basic}
    async with aiohttp.ClientSession() as session:

        async def ask_one(operation: str, path: str, status: int = 200, **options: Any) -> Any:
            url = path if path.startswith("http") else ringcentral.api_url + path
            own = {**headers, **options.pop("headers", {})}
            async with session.request(methods[operation], url, headers=own, **options) as answer:
                raw = await answer.read()
                body = orjson.loads(raw) if "json" in answer.content_type and raw else raw
                assert answer.status == status, body
                assert answer.headers["RCRequestId"]
                reference.check(operation, status, answer.content_type, body)
            return body

        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        form = {"grant_type": grant, "assertion": ringcentral.jwt}
        token = await ask_one("getToken", "/restapi/oauth/token", data=form)
        headers["Authorization"] = f"Bearer {token['access_token']}"
        ask_one.__dict__.update(basic={"Authorization": basic}, bearer=headers)
        yield ask_one


@pytest.fixture
async def receiver() -> AsyncIterator[list[Any]]:
    """What a subscriber is told, its address first."""

    async def willing(request: web.Request) -> web.StreamResponse:
        if body := await request.read():
            told.append(orjson.loads(body))
        token = request.headers.get("Validation-Token", "")
        known = {"Content-Type": "application/json"}
        return web.Response(headers={**known, **({"Validation-Token": token} if token else {})})

    app = web.Application()
    app.router.add_post("/", willing)
    async with test_utils.TestServer(app) as server:
        told: list[Any] = [str(server.make_url("/"))]
        yield told


def test_groups_and_permissions(reference: Reference) -> None:
    """Every operation has the document's method, path, group, permissions and availability."""
    for operation in (*API_OPERATIONS, *MEDIA_OPERATIONS):
        if operation.name in UNPUBLISHED:
            continue
        said = reference.operations[operation.name]
        assert reference.paths[operation.name] == (operation.method, operation.path)
        assert said["x-throttling-group"].lower() == operation.group, operation.name
        assert said.get("x-app-permission") == operation.app_permission, operation.name
        if "x-user-permission" in said:
            assert said["x-user-permission"] == operation.user_permission, operation.name
        assert (said.get("x-availability") == "Limited") == operation.writes, operation.name


async def test_tokens(ask: Any) -> None:
    """Login, refresh, revocation, and their refusals."""
    path = "/restapi/oauth/token"
    await ask("getToken", path, 400, data={"grant_type": "x"}, headers=ask.basic)
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    await ask("getToken", path, 400, data=form, headers=ask.basic)
    await ask("revokeToken", "/restapi/oauth/revoke", data={"token": "x"}, headers=ask.basic)
    await ask("listMessages", STORE, 401, headers={"Authorization": "Bearer x"})


async def test_account(ask: Any) -> None:
    """The account and its extensions."""
    await ask("readAccountInfo", "/restapi/v1.0/account/~")
    await ask("listExtensions", "/restapi/v1.0/account/~/extension?perPage=2")
    await ask("listExtensions", "/restapi/v1.0/account/~/extension?type=IvrMenu")
    await ask("readExtension", MAILBOX)
    await ask("readExtension", "/restapi/v1.0/account/~/extension/1", 404)


async def test_messages(ask: Any, ringcentral: RingCentral) -> None:
    """Every kind of message, listed, read, synchronised, downloaded, changed and deleted."""
    for kind in ("sms", "mms", "fax", "voicemail", "pager"):
        await ringcentral.receives(kind)
        await ringcentral.receives(kind, direction="Outbound")
    voicemail = await ringcentral.receives_voicemail()
    await ringcentral.transcribes(voicemail["id"], "Hello")
    await ask("listMessages", f"{STORE}?perPage=3&page=2&messageType=SMS&messageType=Fax")
    await ask("listMessages", f"{STORE}?phoneNumber=1")
    await ask("listMessages", f"{STORE}?page=0", 400)
    full = await ask("syncMessages", f"{MAILBOX}/message-sync?syncType=FSync&recordCount=2")
    ids = [str(message["id"]) for message in ringcentral.messages()]
    for message in ringcentral.messages():
        await ask("readMessage", f"{STORE}/{message['id']}")
        for part in message["attachments"]:
            if part["contentType"] != "text/plain":
                await ask("readMessageContent", part["uri"])
    await ask("readMessageContent", f"{ringcentral.media_url}{STORE}/1/content/1", 404)
    batch = {"headers": {"Accept": BATCH, "Content-Type": BATCH}}
    await ask("readMessage", f"{STORE}/{ids[0]},1", 207, **batch)
    await ask("readMessage", f"{STORE}/{ids[0]},1", 207)
    await ask("updateMessage", f"{STORE}/{ids[0]}", json={"readStatus": "Read"})
    marks = [{"resourceId": i, "body": {"readStatus": "Read"}} for i in (*ids[1:3], "1")]
    await ask("updateMessage", f"{STORE}/*", 207, json=marks, **batch)
    await ask("deleteMessage", f"{STORE}/{ids[3]}", 204)
    await ask("deleteMessage", f"{STORE}/{ids[4]},1", 207, **batch)
    await ask("patchMessage", f"{STORE}/{ids[3]}", json={"availability": "Alive"})
    token = full["syncInfo"]["syncToken"]
    query = {"syncType": "ISync", "syncToken": token}
    changed = await ask("syncMessages", f"{MAILBOX}/message-sync", params=query)
    assert {"id", "availability"} in [set(record) for record in changed["records"]]
    query["syncToken"] = "x"
    await ask("syncMessages", f"{MAILBOX}/message-sync", 400, params=query)
    await ask("deleteMessageByFilter", f"{STORE}?type=Fax", 204)


async def test_refusals(ask: Any, ringcentral: RingCentral) -> None:
    """Permissions, limited mode and limits are refused in the general form."""
    ringcentral.denies("ReadMessages")
    await ask("listMessages", STORE, 403)
    ringcentral.recovers()
    ringcentral.enters_limited_mode()
    await ask("updateMessage", f"{STORE}/1", 503, json={"readStatus": "Read"})
    ringcentral.limits_to(**REAL_LIMITS)
    for _ in range(50):
        await ask("listMessages", STORE)
    await ask("listMessages", STORE, 429)


async def test_subscriptions(
    ask: Any, reference: Reference, ringcentral: RingCentral, receiver: list[Any], eventually: Any
) -> None:
    """A subscription's life, and what it is told in the meantime."""
    address = receiver.pop(0)
    body: dict[str, Any] = {
        "eventFilters": [f"{STORE}", f"{STORE}/instant?type=SMS", f"{MAILBOX}/voicemail"],
        "deliveryMode": {"transportType": "WebHook", "address": address},
    }
    made = await ask("createSubscription", SUBSCRIPTION, json=body)
    one = f"{SUBSCRIPTION}/{made['id']}"
    await ask("listSubscriptions", SUBSCRIPTION)
    await ask("readSubscription", one)
    await ask("updateSubscription", one, json={"expiresIn": 1000})
    await ask("renewSubscription", f"{one}/renew")
    await ringcentral.receives_sms()
    await ringcentral.receives_voicemail()
    await eventually(lambda: len(receiver) >= 3)
    for told in receiver:
        reference.validate({"$ref": f"#/components/schemas/{_schema(told)}"}, _as_text(told))
    body["deliveryMode"]["address"] = "http://127.0.0.1:9/"
    await ask("createSubscription", SUBSCRIPTION, 400, json=body)
    await ask("deleteSubscription", one, 204)
    await ask("readSubscription", one, 404)


def _schema(told: dict[str, Any]) -> str:
    event = told["event"]
    if "instant" in event:
        return "InstantMessageEvent"
    return "VoicemailMessageEvent" if "voicemail" in event else "MessageEvent"


def _as_text(told: dict[str, Any]) -> dict[str, Any]:
    """As the schema has it where every capture differs from it (10.1 of the reference)."""
    body = {name: value for name, value in told["body"].items() if name not in UNDECLARED}
    told = {name: value for name, value in told.items() if name not in UNDECLARED}
    if "changes" in body:
        return {**told, "body": {**body, "extensionId": str(body["extensionId"])}}
    body["attachments"] = [{**part, "id": int(part["id"])} for part in body["attachments"]]
    if body["type"] == "VoiceMail":
        body |= {"id": int(body["id"]), "type": "Voicemail"}
    return {**told, "body": body}


async def test_message_store_configuration(ask: Any, ringcentral: RingCentral) -> None:
    """How long messages are kept."""
    ringcentral.settings.change({"scopes": "EditAccounts"})
    path = "/restapi/v1.0/account/~/message-store-configuration"
    await ask("readMessageStoreConfiguration", path)
    await ask("updateMessageStoreConfiguration", path, json={"retentionPeriod": 30})
    ringcentral.settings.change({"retention_fixed": True})
    await ask("updateMessageStoreConfiguration", path, 403, json={"retentionPeriod": 30})


async def test_messages_in_every_state(ask: Any, ringcentral: RingCentral) -> None:
    """Shared, sent, failed and transcribed messages have the declared form too."""
    queue = await ringcentral.joins(type_name="Department")
    await ringcentral.receives_voicemail(owner=str(queue["id"]), transcribing=True)
    for status in ("Queued", "Sent", "Delivered", "DeliveryFailed", "SendingFailed"):
        for kind in ("sms", "fax", "pager"):
            sent = await ringcentral.sends(kind, statuses=["Queued", status], every=1)
            await ringcentral.passes(2)
            await ask("readMessage", f"{STORE}/{sent['id']}")
    await ask("listMessages", f"{STORE}?owner=Any")
    await ask("syncMessages", f"{MAILBOX}/message-sync?owner=Shared")
    await ask("listExtensions", "/restapi/v1.0/account/~/extension?type=Department")


async def test_broken_subscriptions(
    ask: Any, ringcentral: RingCentral, receiver: list[Any]
) -> None:
    """Disabled filters and blacklisting are shown in the declared form."""
    body: dict[str, Any] = {
        "eventFilters": [STORE, "/restapi/v1.0/account/~/extension"],
        "deliveryMode": {"transportType": "WebHook", "address": receiver.pop(0)},
    }
    ringcentral.denies("ReadMessages")
    made = await ask("createSubscription", SUBSCRIPTION, json=body)
    assert made["disabledFilters"]
    await ringcentral.blacklists()
    shown = await ask("readSubscription", f"{SUBSCRIPTION}/{made['id']}")
    assert shown["blacklistedData"]
    await ask("listSubscriptions", SUBSCRIPTION)


async def test_extension_notifications(
    ask: Any, reference: Reference, ringcentral: RingCentral, receiver: list[Any], eventually: Any
) -> None:
    """Who hears of an extension is told in the published form.

    The schema of the list shows one extension where the published sample has a list of them.
    """
    filters = [f"/restapi/v1.0/account/~/extension{one}" for one in ("", "/~")]
    body = {
        "eventFilters": filters,
        "deliveryMode": {"transportType": "WebHook", "address": receiver.pop(0)},
    }
    await ask("createSubscription", SUBSCRIPTION, json=body)
    await ringcentral.turns("~", "Enabled")
    await eventually(lambda: len(receiver) == 2)
    for told in receiver:
        told = {name: value for name, value in told.items() if name not in UNDECLARED}
        if "extensions" in told["body"]:
            (entry,) = told["body"]["extensions"]
            told["body"] = {name: value for name, value in entry.items() if name != "hints"}
            reference.validate({"$ref": "#/components/schemas/ExtensionListEvent"}, told)
        else:
            reference.validate({"$ref": "#/components/schemas/ExtensionInfoEvent"}, told)


@pytest.mark.parametrize("code", LOGIN_ERRORS)
async def test_refused_logins(ask: Any, ringcentral: RingCentral, code: str) -> None:
    """Every error of the token endpoint has OAuth's form and RingCentral's."""
    ringcentral.refuses_login(code)
    status = LOGIN_ERRORS[code].status
    await ask("getToken", "/restapi/oauth/token", status, data={}, headers=ask.basic)


async def test_random_failures(ask: Any, reference: Reference, ringcentral: RingCentral) -> None:
    """Whatever a random failure answers in JSON has the general form of an error."""
    ringcentral.settings.change({"penalty": 0})
    sms = await ringcentral.receives_sms()
    paths = (f"{MAILBOX}/message-sync?syncType=ISync&syncToken=x", f"{STORE}/{sms['id']}")
    ringcentral.fails_every(2)
    codes = set()
    async with aiohttp.ClientSession(ringcentral.api_url, headers=ask.bearer) as session:
        for path in paths * 60:
            try:
                async with session.get(path) as answer:
                    body = await answer.read()
            except aiohttp.ClientError:
                continue
            if answer.status >= 400 and "json" in answer.content_type:
                reference.validate(GENERAL_ERROR, orjson.loads(body))
                codes.add(orjson.loads(body)["errors"][0]["errorCode"])
    assert {"CMN-101", "CMN-102", "CMN-201", "CMN-203", "CMN-301", "OAU-213"} <= codes
