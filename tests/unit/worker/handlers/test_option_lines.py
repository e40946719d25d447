"""Each wrong option of the handlers gives one line: the option, what is wrong, the remedy."""

from pathlib import Path

import pytest

from worker.handlers.loading import load_all
from worker.problems import ConfigurationError

REST = """
[handlers.vault]
use = "archive"
to = "file:///srv/messages"
[[routes]]
name = "r"
steps = ["vault", "x"]
"""
HOOK = 'use = "webhook"\nurl = "https://example.com/hook"\n'
PROGRAM = 'use = "command"\nrun = ["/bin/sh"]\n'
ANSWER = 'use = "reply"\ntext = "Hello"\n'
DURATION = 'is not a length of time; write such as "90s", "15m", "2h" or "30d"'


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('use = "webhook"', '"url": is missing; write such as url = "https://example.com/hook"'),
        (
            'use = "webhook"\nurl = "example.com"',
            '"url": must be an address such as https://example.com/, not "example.com"',
        ),
        (
            f'{HOOK}secret = "abc"',
            '"secret": must be 24 to 64 random bytes in base64; make one with '
            '`echo "whsec_$(openssl rand -base64 32)"`',
        ),
        (f'{HOOK}files = "inlined"', '"files": "inlined" is not known; did you mean "inline"?'),
        (
            f'{HOOK}allow = ["intranet"]',
            '"allow", entry 1: value is not a valid IPv4 or IPv6 network, not "intranet"',
        ),
        (
            f'{HOOK}headers = {{ Host = "a" }}',
            '"headers": Host is set by Ringpost itself; leave it out',
        ),
        (f"{HOOK}headers = {{ X = 3 }}", '"headers.X": must be text, not a number'),
        (f'{HOOK}header = "X"', '"header": unknown key; did you mean "headers"?'),
        ('use = "notify"', '"to": is missing; write such as to = "${SLACK_ADDRESS}"'),
        (
            'use = "notify"\nto = "slack://hush-hush"',
            '"to": no address that Apprise knows, or one that is incomplete; how yours is written '
            "stands at https://appriseit.com/services/",
        ),
        ('use = "notify"\nto = ["slack://a/b/c"]', '"to": must be text, not a list'),
        (
            'use = "notify"\nto = "json://localhost"\ntext = "{{ mesage }}"',
            "\"text\": unknown name 'mesage' in the template; did you mean 'message'?",
        ),
        (
            'use = "command"\nrun = "ls -l"',
            '"run": must be a list, not text; put it in brackets: ["ls -l"]',
        ),
        (
            'use = "command"\nrun = ["/no/such"]',
            '"run": /no/such: there is no such program, or it may not be run; '
            "install it, or correct the path",
        ),
        (f'{PROGRAM}timeout = "1h"', '"timeout": must be at most 14m'),
        (
            f"{PROGRAM}timeout = 5",
            '"timeout": must be a length of time such as "15m", not a number',
        ),
        (f'{PROGRAM}environment = ["A"]', '"environment": must be a table, not a list'),
        ('use = "delete"\nafter = "soon"', f'"after": "soon" {DURATION}'),
        (
            'use = "delete"\nolder_than = "30d"',
            '"older_than": unknown key; known are after, only_read',
        ),
        ('use = "mark-unread"\nafter = "1d"', '"after": unknown key; leave it out'),
        ('use = "reply"', '"text": is missing; write such as text = "We are closed today."'),
        (
            'use = "reply"\ntext = " "',
            '"text": must be text to answer with, such as "We are closed today."',
        ),
        (f'{ANSWER}once_per = "1 hour"', f'"once_per": "1 hour" {DURATION}'),
        (
            f"{ANSWER}most_per_day = 0",
            '"most_per_day": must be greater than or equal to 1, not 0',
        ),
        (
            'use = "forward-sms"\nto = "+16505550100"',
            '"to": must be a list, not text; put it in brackets: ["+16505550100"]',
        ),
        (
            'use = "forward-sms"\nto = ["72975"]',
            '"to", entry 1: not a whole phone number; write such as +16505550100',
        ),
    ],
)
def test_a_wrong_option_gives_its_line(table: str, line: str, tmp_path: Path) -> None:
    """The table and the option are named, and no secret is repeated."""
    path = tmp_path / "ringpost.toml"
    path.write_text(f"[handlers.x]\n{table}\n{REST}")
    with pytest.raises(ConfigurationError) as error:
        load_all(path, {})
    assert error.value.problems == (f"{path}: [handlers.x] {line}",)
