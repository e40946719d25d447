"""The conformance suite: the same hard cases for every handler, built in or plugged in.

    class TestChat(HandlerConformance):
        def make_handler(self) -> Handler:
            return Chat(url="https://chat.example.com/hook")

pytest finds the tests in the subclass; unittest runs them too. They need no plug-in of pytest.
"""

import asyncio
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from message_store.errors import LimitedMode, NotFound, RateLimited, RingCentralError
from worker.handlers.conformance_bench import Bench, require
from worker.handlers.conformance_cases import CASES, FAX, MAILBOX, SMS, Case, recent
from worker.handlers.conformance_fakes import FakeStore
from worker.handlers.contract import ClosingHandler, Handler, HandlerError, TransientError
from worker.happenings import WORDS

__all__ = ["CASES", "Bench", "Case", "ClosingConformance", "HandlerConformance"]

_new_loop: Callable[[], asyncio.AbstractEventLoop]
try:  # the loop that the worker runs; its transports differ from asyncio's
    from uvloop import new_event_loop as _new_loop
except ImportError:  # not on every platform
    _new_loop = asyncio.new_event_loop

Result = TypeVar("Result")
SECONDS = 30


class HandlerConformance(ABC):
    """The hard cases; subclass it and say how the handler is made."""

    @abstractmethod
    def make_handler(self) -> Handler:
        """A fresh handler with options that work in the test."""

    def break_peer(self) -> AbstractContextManager[object] | None:
        """What makes the handler's own peer hang up; None if it only uses the context's calls."""
        return None

    def test_says_what_it_did_with_every_kind_of_message(self) -> None:
        """Fax, voicemail, SMS, MMS, nearly empty and hostile messages are all handled."""
        for case in CASES.values():
            self._run(case, lambda handler, bench: bench.attempt(handler))

    def test_says_what_it_did_with_everything_that_happens(self) -> None:
        """A message that is read, deleted or only known by its id is handled as well, and again."""

        async def happens(handler: Handler, bench: Bench) -> None:
            for word in WORDS[1:]:
                await bench.attempt(handler, on=word, at="2025-11-23T15:00:00.000+00:00")
                await bench.attempt(handler, 2, on=word, at="2025-11-23T15:00:00.000+00:00")

        for case in (*CASES.values(), Case({"id": 1, "availability": "Purged"})):
            self._run(case, happens)

    def test_amends_what_it_did(self) -> None:
        """What happens later amends it, again and again, even if the first part never came."""
        if type(self.make_handler()).amend is Handler.amend:
            return  # it has none of its own, and is called as for everything that happens

        async def amended(handler: Handler, bench: Bench) -> None:
            for number, word in enumerate(WORDS[1:]):
                at = f"2025-11-23T15:00:0{number}.000+00:00"
                await bench.attempt(handler, on=word, at=at, amends=True)
                await bench.attempt(handler, 2, on=word, at=at, amends=True)

        async def begun(handler: Handler, bench: Bench) -> None:
            await bench.attempt(handler)
            await amended(handler, bench)

        for case in (*CASES.values(), Case({"id": 1, "availability": "Purged"})):
            self._run(case, amended)
        self._run(FAX, begun)

    def test_repeats_with_the_same_identity(self) -> None:
        """A second call after a lost record succeeds too."""

        async def twice(handler: Handler, bench: Bench) -> None:
            await bench.attempt(handler)
            await bench.attempt(handler, 2)

        for case in CASES.values():
            self._run(case, twice)

    def test_works_side_by_side(self) -> None:
        """Calls for the same message at the same time do not disturb each other."""

        async def together(handler: Handler, bench: Bench) -> None:
            await asyncio.gather(*(bench.attempt(handler) for _ in range(5)))

        self._run(FAX, together)

    def test_passes_on_a_broken_attachment(self) -> None:
        """A download that breaks off fails the attempt, and the next one succeeds."""

        async def broken(handler: Handler, bench: Bench) -> None:
            bench.store.broken = True
            error = await _failure(bench.attempt(handler))
            if bench.store.downloads:
                require(error is not None, "a file broke off and the handler said it was done")
                require(_is_transient(error), f"worth another attempt, but it raised {error!r}")
            bench.store.broken = False
            await bench.attempt(handler, 2)

        self._run(FAX, broken)

    def test_passes_on_a_peer_that_hangs_up(self) -> None:
        """A destination that goes away fails the attempt for now, and the next one succeeds."""

        async def hung_up(handler: Handler, bench: Bench) -> None:
            bench.network.hangs_up = bench.store.broken = True
            breaking = self.break_peer()
            if breaking is None:
                error = await _failure(bench.attempt(handler))
            else:
                with breaking:
                    error = await _failure(bench.attempt(handler))
            if bench.network.calls or bench.store.sendings or breaking is not None:
                require(error is not None, "the peer hung up and the handler said it was done")
                require(_is_transient(error), f"worth another attempt, but it raised {error!r}")
            bench.network.hangs_up = bench.store.broken = False
            await bench.attempt(handler, 2)

        self._run(recent(SMS), hung_up)

    def test_sends_no_text_twice(self) -> None:
        """A text message whose sending was not answered is looked for before it is sent again."""

        async def unanswered(handler: Handler, bench: Bench) -> None:
            bench.store.answers_lost = True
            error = await _failure(bench.attempt(handler))
            sent = len(bench.store.sent)
            require(error is not None or not sent, "nothing was answered, and it said it was done")
            bench.store.answers_lost = False
            await bench.attempt(handler, 2)
            repeated = len({(sms.to, sms.text) for sms in bench.store.sent}) < len(bench.store.sent)
            require(not repeated, "a text message was sent twice")

        self._run(recent(SMS), unanswered)

    def test_ends_when_cancelled(self) -> None:
        """At its deadline an attempt is cancelled and ends; it does not say it was done."""

        async def cancelled(handler: Handler, bench: Bench) -> None:
            bench.store.hanging = True
            task = asyncio.create_task(bench.attempt(handler))
            asked = asyncio.create_task(bench.store.asked.wait())
            await asyncio.wait([task, asked], return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            task.cancel()
            await asyncio.wait([task], timeout=SECONDS / 3)
            require(task.done(), "it went on after it was cancelled")
            require(task.cancelled() or not bench.store.downloads, "it swallowed its cancellation")
            bench.store.hanging = False
            await bench.attempt(handler, 2)

        self._run(FAX, cancelled)

    def test_checks_its_destination(self) -> None:
        """`check` answers in words or raises HandlerError, and the handler works afterwards."""

        async def checked(handler: Handler, bench: Bench) -> None:
            try:
                words = await handler.check()
            except HandlerError as error:
                words = error.reason
            require(bool(words.strip()), "the check says nothing")
            require("\n" not in words, "the check's words are one line")
            await bench.attempt(handler)

        self._run(SMS, checked)

    def test_may_be_closed_twice_and_unused(self) -> None:
        """`close` is harmless whatever went before."""
        handler = self.make_handler()

        async def close_twice() -> None:
            await handler.close()
            await handler.start()
            await handler.close()
            await handler.close()

        asyncio.run(close_twice())

    def _run(self, case: Case, do: Callable[[Handler, Bench], Awaitable[object]]) -> None:
        async def run(folder: Path) -> None:
            handler = self.make_handler()
            await handler.start()
            try:
                async with asyncio.timeout(SECONDS):
                    await do(handler, Bench(case, folder))
            finally:
                await handler.close()

        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=_new_loop) as runner,
        ):
            runner.run(run(Path(folder)))


class ClosingConformance(ABC):
    """The hard cases of a closing handler."""

    gone_is_done = True
    """Whether a message that has left the mailbox counts as done."""

    @abstractmethod
    def make_handler(self) -> ClosingHandler:
        """A fresh handler."""

    def test_answers_for_every_message(self) -> None:
        """Every id gets its words or its own error; one that is gone already counts as done."""
        store = FakeStore(SMS)
        store.errors = {"2": NotFound("gone"), "3": LimitedMode("not now")}
        results = asyncio.run(self.make_handler().finish(MAILBOX, ["1", "2", "3"], store))
        require(set(results) == {"1", "2", "3"}, "there is not one answer for each id")
        require(isinstance(results["1"], str), "a change that worked has no words")
        if self.gone_is_done:
            require(isinstance(results["2"], str), "a message that is gone counts as done")
        require(isinstance(results["3"], TransientError), "one refused for now is tried again")

    def test_may_be_repeated(self) -> None:
        """A second call for the same messages, after a lost answer, succeeds and purges nothing."""
        store, handler = FakeStore(SMS), self.make_handler()
        for _ in range(2):
            results = asyncio.run(handler.finish(MAILBOX, ["1", "2"], store))
            require(all(isinstance(one, str) for one in results.values()), "a repeat failed")
        require(not store.purged, "a repeat purged messages; see whether they are deleted already")

    def test_does_nothing_for_no_messages(self) -> None:
        """An empty list changes nothing; to RingCentral it might mean everything."""
        store = FakeStore(SMS)
        results = asyncio.run(self.make_handler().finish(MAILBOX, [], store))
        require(results == {} and store.changed == [], "it changed something for no messages")

    def test_raises_if_the_call_fails(self) -> None:
        """A failed call is no outcome of its messages."""
        store = FakeStore(SMS)
        store.refusal = RateLimited("slow down", retry_after=7)
        error = asyncio.run(_failure(self.make_handler().finish(MAILBOX, ["1"], store)))
        require(error is not None, "the call failed and the handler said it was done")
        require(_is_transient(error), f"worth another attempt, but it raised {error!r}")


async def _failure(call: Awaitable[object]) -> Exception | None:
    try:
        await call
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it raises is what is looked at
        return error
    return None


def _is_transient(error: Exception | None) -> bool:
    if isinstance(error, RingCentralError):
        return error.transient
    return isinstance(error, TransientError | OSError)
