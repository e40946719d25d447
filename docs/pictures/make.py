"""Makes the pictures of the four default mails again: `make pictures` (needs Chromium)."""

import asyncio
import sys
from pathlib import Path

from tests.support.browser import browser, browser_path, optimised
from tests.support.opened_mails import DEFAULT_MAILS, sent, shown

PHONE = 390  # CSS pixels


async def make(folder: Path) -> None:
    """Send the mails, open them, photograph them."""
    mails = await sent(DEFAULT_MAILS)
    async with browser() as tab:
        for name, mail in mails.items():
            for dark in (False, True) if name == "voicemail" else (False,):
                await tab.look_like(width=PHONE, dark=dark)
                await tab.show(shown(mail))
                path = folder / f"mail-{name}{'-dark' if dark else ''}.png"
                path.write_bytes(await tab.picture())
                optimised(path)


if __name__ == "__main__":
    if browser_path() is None:
        sys.exit("no Chromium found; install one, such as by: apt-get install chromium")
    asyncio.run(make(Path(__file__).parent))
