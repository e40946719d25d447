"""Telling RingCentral from strangers."""

import pytest
from multidict import CIMultiDict

from webhook.verification import Verifier, may_be_echoed

OLD, NEW = "old0" * 4, "new0" * 8


@pytest.mark.parametrize("name", ["Verification-Token", "verification-token", "Validation-Token"])
@pytest.mark.parametrize("token", [OLD, NEW])
def test_accepts_either_token_in_either_header(name: str, token: str) -> None:
    """While a token is rotated both are good, in whichever header RingCentral puts them."""
    assert Verifier([NEW, OLD]).accepts(CIMultiDict({name: token}))


@pytest.mark.parametrize(
    "presented",
    ["", "x", OLD[:-1], OLD + "x", OLD.upper(), f"{NEW},{OLD}", "ü" * 16, "\udcff" * 16],
)
def test_accepts_nothing_else(presented: str) -> None:
    """A token that is nearly ours, or not even text, is not ours."""
    assert not Verifier([NEW, OLD]).accepts(CIMultiDict({"Verification-Token": presented}))


def test_accepts_no_missing_token() -> None:
    """A request without either header is a stranger's."""
    assert not Verifier([NEW]).accepts(CIMultiDict())


def test_a_dropped_token_is_no_longer_good() -> None:
    """Once rotation is over the old token is refused."""
    assert not Verifier([NEW]).accepts(CIMultiDict({"Verification-Token": OLD}))


def test_echoes_only_short_plain_tokens() -> None:
    """What is sent back in a header is bounded in length and character set."""
    assert may_be_echoed("7e4a7486-8df9-4195-8aef-b8d81d3345f6")
    assert may_be_echoed("a" * 256)
    for token in ("", "a" * 257, "a b", "a\r\nSet-Cookie: x", "<script>", "ü", 'a"b'):
        assert not may_be_echoed(token)
