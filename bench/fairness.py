"""How long a lone SMS waits while another mailbox has a thousand faxes waiting.

`python -m bench.fairness`: 200 mailboxes of one user, RingCentral's documented limits with a minute
scaled down to six seconds, 50 ms an API call. Exit 1 if the goal is missed.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp

from bench.calls import running
from bench.line import LATENCY, Stage

MAILBOXES, FAXES, LONE = 200, 1000, 12
WINDOW = 6
GOAL = 2 + 2 * LATENCY  # and its own calls: one to synchronise, with its latency twice
LIMITS = ("--limits", "light=50,medium=40", "--window", str(WINDOW))


async def delays(place: Stage) -> tuple[list[float], Counter[str]]:
    """The delay of each lone SMS from its arrival to its manifest, and the refusals by group."""
    url = f"http://127.0.0.1:{place.api}/sandbox"
    found = []
    async with aiohttp.ClientSession() as session:
        facts = await place.ask(session, "")
        extensions = [extension["id"] for extension in facts["extensions"]]
        faxes = {"type": "fax", "extension": extensions[0], "count": FAXES}
        async with session.post(f"{url}/messages", json=faxes) as answer:
            answer.raise_for_status()
        await asyncio.sleep(2 * WINDOW)  # the backlog has used up what it may
        for extension in extensions[1 : LONE + 1]:
            told = {"type": "sms", "extension": extension}
            async with session.post(f"{url}/messages", json=told) as answer:
                [record] = await answer.json()
            came = time.perf_counter()
            name = f"*/{extension}/*/*/*/*-{record['id']}/manifest.json"
            while not any((place.folder / "archive").glob(name)):
                if time.perf_counter() - came > 60:
                    raise SystemExit("a lone SMS did not arrive within a minute")
                await asyncio.sleep(0.01)
            found.append(time.perf_counter() - came)
            await asyncio.sleep(WINDOW / 4)
        requests = await place.ask(session, "/requests")
    return found, Counter(one["group"] for one in requests if one["status"] == 429)


def main() -> int:
    """Print the delays."""
    with (
        tempfile.TemporaryDirectory(prefix="rp-") as name,
        running(Path(name) / "fairness", MAILBOXES, *LIMITS) as place,
    ):
        found, refused = asyncio.run(delays(place))
        waiting = FAXES + LONE - len(list((place.folder / "archive").rglob("manifest.json")))
    print(f"{MAILBOXES} mailboxes, {FAXES} faxes waiting in one, limits of a minute in {WINDOW} s")
    print("delay of a lone SMS: " + " ".join(f"{delay:.2f}" for delay in sorted(found)) + " s")
    print(f"worst {max(found):.2f} s (goal {GOAL:.2f} s); faxes still waiting: {waiting}")
    print(f"refused by RingCentral: {dict(refused) or 'none'}")
    reached = max(found) <= GOAL and not refused
    print("reached" if reached else "MISSED")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
