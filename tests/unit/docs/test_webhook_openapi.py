"""The webhook's OpenAPI description says what the webhook does; `make fuzz` asks it for more."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from message_store.notification import NotANotification, parse
from tests.support.hostile import as_bytes
from webhook.app import create_app
from webhook.hints import Hints
from webhook.settings import Settings

ROOT = Path(__file__).parents[3]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@pytest.fixture(scope="module")
def description() -> Any:
    return yaml.safe_load((ROOT / "docs/webhook-openapi.yml").read_text())


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A webhook that hands no hint on."""
    settings = Settings(
        redis_url="redis://localhost", webhook_verification_token=(SecretStr("x" * 16),)
    )
    runner = web.ServerRunner(create_app(settings, Hints.__new__(Hints)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site.port}"
    await runner.cleanup()


async def test_paths_and_methods(description: Any, address: str) -> None:
    """What is described is there, every other method is 405 and every other path 404."""
    async with aiohttp.ClientSession() as session:
        for path, operations in description["paths"].items():
            described = {method.upper() for method in operations}
            for method in METHODS:
                async with session.request(method, f"{address}{path}") as answer:
                    if method in described:
                        assert str(answer.status) in operations[method.lower()]["responses"]
                        continue
                    if answer.status != 200:
                        assert answer.status == 405
                        assert described <= set(answer.headers["Allow"].split(", "))
                    else:
                        assert (method, described) == ("HEAD", {"GET"})
        async with session.get(f"{address}/openapi.json") as answer:
            assert answer.status == 404


def test_every_status_is_described(description: Any) -> None:
    """All that the code answers, and nothing that it never does."""
    code = "".join(path.read_text() for path in (ROOT / "webhook").glob("*.py"))
    answered = {*re.findall(r"refusal\((\d{3})", code), "200"}
    described = {
        status
        for operations in description["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
    }
    assert answered - described == {"404", "405", "500"}, "told in words, or a bug"
    assert described <= answered


@pytest.mark.parametrize(
    "body",
    [
        {"event": "/restapi/v1.0/account/1/extension/2/message-store", "body": {"extensionId": 2}},
        {"event": "/x", "uuid": 5, "body": None},
        {"event": "/", "more": [{}]},
        {"event": "x"},
        {"event": 5},
        {"body": {}},
        {"event": "/x", "body": []},
        {"event": "/x", "body": "text"},
        [],
        None,
        "event",
    ],
)
def test_what_a_notification_is(description: Any, body: Any) -> None:
    """Description and parser draw the same line."""
    schema = description["components"]["schemas"]["Notification"]
    valid = Draft202012Validator(schema).is_valid(body)
    try:
        parse(as_bytes(body))
    except NotANotification:
        assert not valid
    else:
        assert valid
