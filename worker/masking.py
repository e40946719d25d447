"""Takes out of any text what no log may hold: full phone numbers, tokens, passwords in addresses.

A net below the rules of the rest of the code, not a licence to break them.
"""

import re

# With a country code, or as people write them; bare digits are the ids of messages and extensions.
_NUMBER = re.compile(
    r"\+[1-9](?:[ ().\u00a0\u2010-\u2015-]{0,2}[0-9]){6,14}"
    r"|(?<![0-9])(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}(?![0-9])"
)
_TOKEN = re.compile(r"\b((?i:bearer|basic)) +(?=[^\s'\",;]*[A-Z0-9=_])[^\s'\",;]{8,}")
_LOGIN = re.compile(r"(?<=://)[^/\s'\"@]+@")


def masked(text: str) -> str:
    """The text with the last four digits of each number left, and `***` for what is secret."""
    text = _NUMBER.sub(lambda found: "***" + re.sub(r"[^0-9]", "", found[0])[-4:], text)
    return _LOGIN.sub("***@", _TOKEN.sub(r"\1 ***", text))
