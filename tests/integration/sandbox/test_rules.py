"""Whoever follows RingCentral's rules gets everything, whatever fails, and trips no limit."""

from typing import Any

import aiohttp

from sandbox import REAL_LIMITS, RingCentral

TRIES = 20
HTML = "text/html; charset=utf-8"


class Patient:
    """Asks one thing after the other, and does after each failure what the guide says."""

    def __init__(self, ask: Any, ringcentral: RingCentral) -> None:
        self._ask = ask
        self._ringcentral = ringcentral

    async def __call__(self, method: str, path: str, **options: Any) -> Any:
        """The answer that is one: JSON or a whole file."""
        for _ in range(TRIES):
            answer = await self._try(self._ask, method, path, **options)
            if answer is None:
                continue
            if answer.status == 401:
                await self.sign_in()
            elif answer.status < 300 and answer.headers["Content-Type"] != HTML:
                return answer.body
        raise AssertionError(f"no answer to {method} {path} in {TRIES} tries")

    async def sign_in(self) -> None:
        """Ask for a token until there is one."""
        for _ in range(TRIES):
            answer = await self._try(self._ask.sign_in)
            if answer is not None and answer.status == 200:
                self._ask.token = answer.body["access_token"]
                return
        raise AssertionError("no token")

    async def _try(self, call: Any, *words: Any, **options: Any) -> Any:
        try:
            answer = await call(*words, **options)
        except aiohttp.ClientError:
            return None
        if (wait := answer.headers.get("Retry-After")) is not None:
            await self._ringcentral.passes(float(wait) + 0.01)
        elif answer.headers.get("X-Rate-Limit-Remaining") == "0":
            await self._ringcentral.passes(float(answer.headers["X-Rate-Limit-Window"]))
        return answer


async def test_everything_arrives(open_client: Any) -> None:
    """All is listed, downloaded whole and marked, although every third call fails."""
    async with RingCentral(limits=REAL_LIMITS, window=2) as ringcentral:
        patient = Patient(await open_client(ringcentral), ringcentral)
        for _ in range(12):
            for kind in ("sms", "mms", "fax", "voicemail"):
                await ringcentral.receives(kind)
        ringcentral.fails_every(3, seed=4)
        query = {"syncType": "FSync", "dateFrom": "2020-01-01T00:00:00Z"}
        records = (await patient("GET", "/message-sync", params=query))["records"]
        assert len(records) == 48
        for record in records:
            for part in record["attachments"]:
                if part["type"] != "Text":
                    body = await patient("GET", part["uri"])
                    assert body == ringcentral.content(record["id"], part["id"])
            await patient("PUT", f"/message-store/{record['id']}", json={"readStatus": "Read"})
        assert {message["readStatus"] for message in ringcentral.messages()} == {"Read"}
        assert len(ringcentral.requests.counts()["failures"]) > 10
        assert not ringcentral.sent_in_penalty()
        assert all(entry.failure for entry in ringcentral.refused())
