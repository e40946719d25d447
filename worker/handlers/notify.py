"""`notify`: says in a chat or on a phone that a message came, by an Apprise address.

Apprise knows more than a hundred services. It does its own HTTP, in threads, beside the guard of
`Context.request`: the address comes from the configuration, nothing of it from a message.
"""

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Annotated

from apprise import Apprise, AppriseAsset, AppriseResult, NotifyBase
from apprise.attachment.file import AttachFile
from apprise.common import OverflowMode, PersistentStoreMode
from apprise.exception import AppriseException
from pydantic import AfterValidator, Field, PrivateAttr, SecretStr

from message_store.message import Message
from worker.handlers.contract import Context, Handler, PermanentError, TransientError
from worker.handlers.mail_text import headline
from worker.handlers.plain_text import clean, one_line
from worker.handlers.rendering import TemplateText
from worker.happenings import DELETED, DELIVERED, READ

MOST_FILES = 25 * 1024 * 1024
_THREADS = 8
_SECONDS = 60
# Apprise says it in its log only: "... error=404."
_STATUS = re.compile(r"error=(\d{3})\b")
# "@everyone", "@**all**", "<@U4711>", "<!channel>", "<users/all>": chats wake people for these,
# whoever wrote them.
_CALLS = re.compile(r"<?(?<!\w)@[&!*_]*\w+|<(?:!|users/)\w+")
_LATER = frozenset({408, 425, 429})
# Nothing of these is in the files, and those of a deleted message may be gone.
_WITHOUT_FILES = frozenset({DELIVERED, READ, DELETED})
# What it would log names channels and numbers; the outcome says what went wrong.
logging.getLogger("apprise").propagate = False


def _asset() -> AppriseAsset:
    return AppriseAsset(
        app_id="Ringpost",
        app_desc="Ringpost",
        app_url="",
        storage_mode=PersistentStoreMode.MEMORY,  # nothing below the home directory
        http_redirects=False,
        service_timeout=_SECONDS,
    )


def _service(address: str) -> NotifyBase:
    try:
        service = Apprise.instantiate(address, asset=_asset(), suppress_exceptions=False)
    except (TypeError, ValueError, AppriseException):
        service = None
    if service is None:
        # not the address itself: it is the secret
        raise ValueError(
            "no address that Apprise knows, or one that is incomplete; "
            "how yours is written stands at https://appriseit.com/services/"
        )
    return service


def _checked(address: SecretStr) -> SecretStr:
    _service(address.get_secret_value())
    return address


class Notify(Handler):
    """Says in a chat or on a phone that a message came, by any service that Apprise knows."""

    to: Annotated[SecretStr, AfterValidator(_checked), Field(examples=["${SLACK_ADDRESS}"])]
    """The Apprise address: slack://..., msteams://..., tgram://..., ntfy://..., and many more."""
    title: TemplateText = ""
    """A template for the title; without it, what came and from whom."""
    text: TemplateText = ""
    """A template for the text; without it, the text of the message."""
    files: bool = True
    """Whether files go along where the service takes them, up to 25 MiB together."""

    _threads: ThreadPoolExecutor | None = PrivateAttr(default=None)

    async def handle(self, message: Message, context: Context) -> str:
        """Send it; the words name the service and say whether files went along."""
        title = context.render(self.title, message) or headline(message, context.on)
        text = clean(context.render(self.text, message) or message.text).strip()
        head, body = self._fitted(_quiet(one_line(title), self.title), _quiet(text, self.text))
        files, left_out = await self._files(context)
        try:
            async with asyncio.timeout(_SECONDS + 5):
                result = await asyncio.get_running_loop().run_in_executor(
                    self._pool(), self._send, head, body, files
                )
        except TimeoutError as error:
            # its thread ends by itself, at Apprise's own limits
            raise TransientError(f"{self._name} did not answer within {_SECONDS} s") from error
        if not result:
            raise _failure(self._name, result)
        return f"told {self._name}{left_out}"

    async def check(self) -> str:
        """Apprise has no way to ask a service without sending."""
        return (
            f"an address of {self._name} that is complete; "
            "whether it is right, `ringpost handlers try` shows"
        )

    async def close(self) -> None:
        """Let the threads end; what hangs in one is not waited for."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    @cached_property
    def _name(self) -> str:
        return str(_service(self.to.get_secret_value()).service_name)

    @cached_property
    def _takes_files(self) -> bool:
        return bool(_service(self.to.get_secret_value()).attachment_support)

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="notify")
        return self._threads

    async def _files(self, context: Context) -> tuple[list[AttachFile], str]:
        """The files to send, and what is to be said of those that are not."""
        if not (self.files and context.attachments) or context.on in _WITHOUT_FILES:
            return [], ""
        if not self._takes_files:
            return [], ", which takes no files"
        paths: list[Path] = [await file.path() for file in context.attachments]
        if sum(path.stat().st_size for path in paths) > MOST_FILES:
            return [], f", without the files: more than {MOST_FILES // 2**20} MiB"
        return [
            AttachFile(str(path), name=file.name)  # type: ignore[no-untyped-call]  # Apprise types some of itself
            for path, file in zip(paths, context.attachments, strict=True)
        ], ""

    def _fitted(self, title: str, text: str) -> tuple[str, str]:
        """Title and text, cut to what the service takes, which would else refuse them for good."""
        service = _service(self.to.get_secret_value())
        most = service.body_maxlen
        of_title = service.title_maxlen if text and service.title_maxlen > 0 else most
        title = one_line(title, min(200, of_title))
        if not text:  # some services want one, and for them the title is it
            return "", title
        shares = service.title_maxlen <= 0 or service.overflow_amalgamate_title
        room = max(1, most - len(title) - 2) if shares else most
        if len(text) > room and service.overflow_mode == OverflowMode.UPSTREAM:
            text = f"{text[: room - 1].rstrip()}…"
        return title, text

    def _send(self, title: str, body: str, files: list[AttachFile]) -> AppriseResult:
        sender = Apprise(asset=_asset())
        sender.add(_service(self.to.get_secret_value()))
        return sender.notify(
            body=body, title=title, body_format="text", attach=files or None, timeout=_SECONDS
        )


def _quiet(text: str, template: str) -> str:
    """The text without calls to people but those that stand in the template itself."""
    wanted = set(_CALLS.findall(template))
    return _CALLS.sub(lambda found: found[0] if found[0] in wanted else _broken(found[0]), text)


def _broken(call: str) -> str:
    """It reads as before, and calls nobody."""
    return call.replace("@", "@\u200b") if "@" in call else call.replace("<", "<\u200b")


def _failure(name: str, result: AppriseResult) -> TransientError | PermanentError:
    """A plain no of the service is final; anything else may be cured."""
    found = [int(status) for entry in result.logs() for status in _STATUS.findall(entry.message)]
    status = found[-1] if found else None
    if status is None:
        return TransientError(f"{name} could not be told")
    if 400 <= status < 500 and status not in _LATER:
        return PermanentError(f"{name} answered {status}; see whether `to` is still right")
    return TransientError(f"{name} answered {status}")
