"""The handler contract, and the example printed in the design, word for word."""

import subprocess
import sys
import types
from collections.abc import Awaitable, Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import ValidationError

import ringpost.handlers as face
from worker.handlers import contract, lookup
from worker.handlers.conformance import HandlerConformance
from worker.handlers.conformance_cases import SMS, Case
from worker.handlers.contract import Handler, PermanentError, Reply, TransientError

CHAT = '''"""Say in a chat channel that a message has come."""
from pydantic import HttpUrl
from ringpost.handlers import Context, Handler, Message, PermanentError, TransientError

class Chat(Handler):                     # its fields are its options in ringpost.toml, checked at start
    url: HttpUrl
    text: str = "{{ message.type }} from {{ message.sender }}"

    async def handle(self, message: Message, context: Context) -> str:
        reply = await context.post_json(self.url, {"text": context.render(self.text, message)})
        if reply.status == 429 or reply.status >= 500:
            raise TransientError(f"chat answered {reply.status}", after=reply.retry_after)
        if reply.status >= 400:
            raise PermanentError(f"chat answered {reply.status}")
        return "posted"                  # a few words on what was done, kept in the ledger
'''  # noqa: E501  # as printed


def test_the_public_face_has_all_that_the_contract_names() -> None:
    """A plug-in can name the type of everything it gets or answers, from one place."""
    ours = {"Step", "IPNetwork"}  # what the two kinds of handler share; any network of ipaddress
    assert {*contract.__all__} - ours <= {*face.__all__}
    assert "MessageStoreAccess" in face.__all__  # what a ClosingHandler finishes with


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> type[Handler]:
    """The example as an installed plug-in would find it: through its entry point."""
    module = types.ModuleType("ringpost_chat")
    monkeypatch.setitem(sys.modules, "ringpost_chat", module)
    exec(CHAT, module.__dict__)
    entry = EntryPoint("chat", "ringpost_chat:Chat", "ringpost.handlers")
    monkeypatch.setattr(lookup, "entry_points", lambda group: [entry] * (group == entry.group))
    kind = lookup.find("chat")
    assert issubclass(kind, Handler)
    assert lookup.find("ringpost_chat:Chat") is kind
    return kind


class TestChatConforms(HandlerConformance):
    """The example passes the suite for all handlers."""

    @pytest.fixture(autouse=True)
    def example(self, chat: type[Handler]) -> None:
        self.kind = chat

    def make_handler(self) -> Handler:
        return self.kind.model_validate({"url": "https://chat.example.com/hook"})


async def test_the_example_posts(
    chat: type[Handler], attempt: Callable[[Handler, Case], Awaitable[str]]
) -> None:
    """It says what it did."""
    handler = chat.model_validate({"url": "https://chat.example.com/hook"})
    assert await attempt(handler, SMS) == "posted"


@pytest.mark.parametrize(
    "options",
    [{}, {"url": "chat"}, {"url": "https://a.b", "txt": "a"}, {"url": "https://a.b", "text": 3}],
)
def test_options_are_strict(chat: type[Handler], options: dict[str, Any]) -> None:
    """Missing, wrong and unknown options are refused, and no value is shown."""
    with pytest.raises(ValidationError) as error:
        chat.model_validate(options)
    assert "input_value" not in str(error.value)


def test_errors() -> None:
    """A transient error may say when; both keep their reason."""
    assert (TransientError("busy", after=7).after, TransientError("busy").after) == (7, None)
    assert PermanentError("never").reason == str(PermanentError("never")) == "never"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        (
            {
                "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT",
                "date": "Wed, 21 Oct 2026 07:26:30 GMT",
            },
            90,
        ),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 50}, 86400),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """It is a number of seconds or a date by the other side's clock, a day at most."""
    assert Reply(429, headers, b"").retry_after == seconds


def test_a_reply_that_is_not_json() -> None:
    """It is an error of the other side, not a crash."""
    assert Reply(200, {}, b'{"a": 1}').json() == {"a": 1}
    with pytest.raises(PermanentError, match=r"the answer \(200\) is not JSON"):
        Reply(200, {}, b"<html>").json()


def test_the_contract_loads_in_a_moment() -> None:
    """Importing it loads no network library, no Redis and no Celery."""
    program = (
        "import sys, ringpost.handlers; "
        "print([name for name in ('aiohttp', 'redis', 'celery', 'jinja2', 'aiosmtplib') "
        "if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
