"""What a hostile or broken other side may send, for property tests."""

import json
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

# The same examples in every run, so that a failure is no matter of luck.
quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)

any_text = st.text(st.characters(exclude_categories=()), max_size=60)
ODD_TEXTS = [
    "",
    "../..",
    "a/b",
    "a\tb",
    "a\r\nX-Forged: b",
    "\x00",
    "\ud800",
    "\u202etxt.exe",
    "\u200b",
    "{{ 7 * 7 }}",
    "<script>alert(1)</script>",
    "=?utf-8?q?=0D=0ABcc:_x?=",
    "~",
    "*",
    "%2e%2e%2f",
    "9" * 5000,
    "x" * 5000,
    "NaN",
    "\u0663",
]
texts = st.sampled_from(ODD_TEXTS) | any_text
numbers = (
    st.sampled_from([0, -1, 2**53 + 1, 2**64, 10**400, -(10**4299), 1e308, 0.5]) | st.integers()
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def objects(*members: str, values: st.SearchStrategy[Any] = values) -> st.SearchStrategy[Any]:
    """Objects that have some of these members, each with any value at all."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(members, values))


def as_bytes(value: Any) -> bytes:
    """The value as JSON, with what JSON proper would not allow (NaN, halves of surrogate pairs)."""
    return json.dumps(value).encode()


@cache
def bomb() -> bytes:
    """A gzip file a thousand times smaller than the 128 MiB that come out of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(128)) + packer.flush()


@contextmanager
def at_most(mebibytes: int) -> Iterator[None]:
    """What is done here takes no more memory than this at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < mebibytes * 2**20
    finally:
        tracemalloc.stop()
