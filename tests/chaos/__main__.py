"""`python -m tests.chaos`: one run with a fixed seed; its table, and exit 1 on a broken promise."""

import argparse
import asyncio
import logging
import sys

from tests.chaos.storm import Wish, storm


def main() -> int:
    """Run once."""
    usual = Wish()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--messages", type=int, default=usual.messages)
    parser.add_argument("--mailboxes", type=int, default=usual.mailboxes)
    parser.add_argument("--kills", type=int, default=usual.kills)
    parser.add_argument("--sending", type=float, default=usual.sending, help="seconds")
    parser.add_argument("--redis-stopped", type=float, default=0.0, help="seconds, in the middle")
    wish = Wish(**vars(parser.parse_args()))
    # a client that is killed in the middle of its request is no news
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    reckoning = asyncio.run(storm(wish, say))
    for line in reckoning.lines():
        say(line)
    broken = list(reckoning.broken())
    for line in broken:
        say(f"BROKEN: {line}")
    say("every promise was kept" if not broken else f"{len(broken)} promises were broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
