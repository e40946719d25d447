"""Subscriptions: the handshake with all its failures, filters, lifetime."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import test_utils, web

from sandbox import RingCentral

SUBSCRIPTION = "/restapi/v1.0/subscription"
ACCOUNT = "/restapi/v1.0/account"
SELF_SIGNED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBe9jB9hrwmbmovku
mq9b6HnSFf+cuQ/k1C4Hvse056qhRANCAAQH8c/agXcGAShFKoFzIL1hB8Djp2GA
ZgXOR9lJ9dRIYhDv7Vgq8WdugDKc6n2JYi0QGbQiSp9yUOkqOMtPkEd6
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUEYIde+Midc/EQTJkntU2tLGkx+cwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE0NTM0NloYDzIxMjYxMDMw
MTQ1MzQ2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQH8c/agXcGAShFKoFzIL1hB8Djp2GAZgXOR9lJ9dRIYhDv7Vgq8Wdu
gDKc6n2JYi0QGbQiSp9yUOkqOMtPkEd6o1MwUTAdBgNVHQ4EFgQUyaDNx/ArR2hI
vi3bC2ZWldjFECowHwYDVR0jBBgwFoAUyaDNx/ArR2hIvi3bC2ZWldjFECowDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiADfKVP9c1sq8eHcsxlwo6p
uL1vcu2lnZDo3+JngYH8rQIgEOjMOAQz95fC4jzQl9pBUwE71sS8yrJf/lWfhgF8
WfY=
-----END CERTIFICATE-----
"""


async def test_creating_shakes_hands(
    subscribe: Any, receiver: Any, ringcentral: RingCentral
) -> None:
    """A willing address gets an active subscription with the caller's real ids."""
    seen: list[web.Request] = []

    async def look(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        assert not request.can_read_body
        return await receiver.willing(request)  # type: ignore[no-any-return]  # a fixture's class

    receiver.answer = look
    answer = await subscribe(deliveryMode={"verificationToken": "secret"})
    assert answer.status == 200
    mailbox = f"{ACCOUNT}/{ringcentral.account_id}/extension/{ringcentral.extension_id}"
    assert answer.body["eventFilters"] == [f"{mailbox}/message-store"]
    assert answer.body["status"] == "Active"
    assert answer.body["expiresIn"] in (604_799, 604_800)
    assert "verificationToken" not in answer.body["deliveryMode"]
    assert seen[0].method == "POST"
    assert "Verification-Token" not in seen[0].headers


def _answering(status: int = 200, **headers: str) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        token = request.headers["Validation-Token"]
        known = {"Validation-Token": token, "Content-Type": "application/json"}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers={**known, **told})

    return answer


async def _silent(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _verbose(request: web.Request) -> web.StreamResponse:
    token = request.headers["Validation-Token"]
    return web.json_response("x" * 1024, headers={"Validation-Token": token})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (_answering(Validation_Token="other"), "SUB-520"),
        (_silent, "SUB-521"),
        (_answering(status=204), "SUB-522"),
        (_answering(status=301, Location="/"), "SUB-522"),
        (_answering(Content_Type="text/plain"), "SUB-525"),
        (_answering(X_Long="x" * 1024), "SUB-525"),
        (_verbose, "SUB-525"),
    ],
)
async def test_a_failed_handshake(
    subscribe: Any, receiver: Any, ringcentral: RingCentral, answer: Any, code: str
) -> None:
    """Every way to fail the handshake has its own code, and no subscription is left."""
    receiver.answer = answer
    if answer is _silent:
        ringcentral.settings.change({"webhook_timeout": 0.2})
    failed = await subscribe()
    assert (failed.status, failed.code) == (400, code)
    assert not ringcentral.subscriptions


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://127.0.0.1:9/webhook", "SUB-521"),
        ("http://example.com/webhook", "SUB-523"),
        ("ftp://127.0.0.1/webhook", "CMN-101"),
        ("http://[::1/webhook", "CMN-101"),
    ],
)
async def test_an_address_that_cannot_be_called(subscribe: Any, address: str, code: str) -> None:
    """Nobody there, plain HTTP elsewhere and no address at all are told apart."""
    failed = await subscribe(deliveryMode={"address": address})
    assert (failed.status, failed.code) == (400, code)


@pytest.mark.parametrize(("size", "status"), [(1024, 200), (1025, 400)])
async def test_the_whole_answer_counts(subscribe: Any, size: int, status: int) -> None:
    """Status line, headers and body together may be 1024 bytes, and not one more."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        token = re.search(r"Validation-Token: (\S+)", asked, re.IGNORECASE)
        assert token
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0100\r\n"
        head += f"Validation-Token: {token[1]}\r\nX-Filling: \r\n\r\n"
        filling = "x" * (size - 100 - len(head))
        writer.write(head.replace("X-Filling: ", f"X-Filling: {filling}").encode() + b"1" * 100)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        told = await subscribe(deliveryMode={"address": f"http://127.0.0.1:{port}/webhook"})
    assert told.status == status


@pytest.fixture
async def self_signed(receiver: Any, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a receiver whose certificate nobody trusts."""
    pem = tmp_path / "self-signed.pem"
    pem.write_text(SELF_SIGNED)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    app = web.Application()
    app.router.add_post("/webhook", receiver.handle)
    server = test_utils.TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    yield str(server.make_url("/webhook"))
    await server.close()


async def test_a_certificate_nobody_trusts(subscribe: Any, self_signed: str) -> None:
    """A self-signed certificate is refused with SUB-524."""
    failed = await subscribe(deliveryMode={"address": self_signed})
    assert (failed.status, failed.code) == (400, "SUB-524")


@pytest.mark.parametrize(
    ("filters", "members", "status", "code"),
    [
        (["/restapi/v1.0/nonsense"], {}, 400, "SUB-508"),
        (["/restapi/v1.0/subscription/~?threshold=60&interval=15"], {}, 400, "SUB-515"),
        (
            [
                f"{ACCOUNT}/~/extension/~/message-store",
                "/restapi/v1.0/subscription/~?threshold=60&interval=31",
            ],
            {},
            400,
            "SUB-516",
        ),
        ([f"{ACCOUNT}/~/extension/77/message-store"], {}, 403, "SUB-406"),
        ([f"{ACCOUNT}/77/extension/~/message-store"], {}, 403, "SUB-406"),
        ([], {"expiresIn": 0}, 400, "CMN-101"),
        ([], {"eventFilters": []}, 400, "CMN-101"),
        ([], {"deliveryMode": {"transportType": "PubNub"}}, 400, "CMN-101"),
        ([], {"deliveryMode": {"verificationToken": "with space"}}, 400, "CMN-101"),
    ],
)
async def test_a_wrong_request(
    subscribe: Any, filters: list[str], members: dict[str, Any], status: int, code: str
) -> None:
    """Filters and parameters that cannot be are refused before the address is called."""
    failed = await subscribe(*filters, **members)
    assert (failed.status, failed.code) == (status, code)


async def test_a_reminder_beside_a_filter(subscribe: Any) -> None:
    """A reminder filter is accepted beside another and keeps its `~`."""
    reminder = "/restapi/v1.0/subscription/~?threshold=60&interval=15"
    answer = await subscribe(f"{ACCOUNT}/~/extension/~/fax?direction=Inbound", reminder)
    assert answer.body["eventFilters"][1] == reminder


async def test_somebody_elses_messages(open_client: Any, receiver: Any) -> None:
    """Who is no admin may not subscribe to others, nor read them."""
    async with RingCentral(admin=False) as ringcentral:
        ask = await open_client(ringcentral)
        mailbox = f"{ACCOUNT}/~/extension/{ringcentral.extension_ids[1]}"
        body = {
            "eventFilters": [f"{mailbox}/message-store"],
            "deliveryMode": {"transportType": "WebHook", "address": receiver.address},
        }
        assert (await ask("POST", SUBSCRIPTION, json=body)).code == "SUB-405"
        answer = await ask("GET", f"{mailbox}/message-store")
        assert (answer.status, answer.code) == (403, "CMN-419")


async def test_a_missing_permission_disables_filters(
    subscribe: Any, ringcentral: RingCentral
) -> None:
    """Filters without permission are listed as disabled; if none is left it is an error."""
    ringcentral.denies("ReadMessages")
    answer = await subscribe(f"{ACCOUNT}/~/extension/~/message-store", f"{ACCOUNT}/~/extension")
    assert [d["reason"] for d in answer.body["disabledFilters"]] == ["SUB-412"]
    assert len(answer.body["eventFilters"]) == 1
    assert (await subscribe()).code == "CMN-408"
    ringcentral.denies("SubscriptionWebhook", to="app")
    assert (await subscribe()).code == "SUB-528"


async def test_at_most_thirty(subscribe: Any) -> None:
    """The thirty-first subscription is refused."""
    for _ in range(30):
        assert (await subscribe()).status == 200
    failed = await subscribe()
    assert (failed.status, failed.code) == (403, "SUB-505")


async def test_its_life(subscribe: Any, ask: Any, ringcentral: RingCentral) -> None:
    """It is listed, renewed for its own lifetime, changed, expires, and is gone."""
    made = (await subscribe(expiresIn=1000)).body
    one = f"{SUBSCRIPTION}/{made['id']}"
    assert [r["id"] for r in (await ask("GET", SUBSCRIPTION)).body["records"]] == [made["id"]]
    await ringcentral.passes(600)
    assert (await ask("GET", one)).body["expiresIn"] <= 400
    assert (await ask("POST", f"{one}/renew")).body["expiresIn"] in (999, 1000)
    changed = {
        "eventFilters": [f"{ACCOUNT}/~/extension/~/voicemail"],
        "deliveryMode": {"transportType": "WebHook", "address": "https://example.com"},
    }
    answer = (await ask("PUT", one, json=changed)).body
    assert answer["eventFilters"][0].endswith("/voicemail")
    assert answer["deliveryMode"]["address"] == made["deliveryMode"]["address"]
    assert answer["expiresIn"] > 604_000
    await ask("PUT", one, json={"expiresIn": 100})
    await ringcentral.passes(101)
    for method, path in (("GET", one), ("PUT", one), ("POST", f"{one}/renew"), ("DELETE", one)):
        gone = await ask(method, path)
        assert (gone.status, gone.code) == (404, "SUB-507")


async def test_deleting(subscribe: Any, ask: Any) -> None:
    """A deleted subscription is gone."""
    one = f"{SUBSCRIPTION}/{(await subscribe()).body['id']}"
    assert (await ask("DELETE", one)).status == 204
    assert (await ask("GET", one)).status == 404
