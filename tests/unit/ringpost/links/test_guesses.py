"""Wrong links are counted by caller."""

from ringpost.links.guesses import MOST, WINDOW_SECONDS, Guesses, caller_of


def test_who_guesses_has_to_wait() -> None:
    """After 20 wrong links a caller waits out the minute; others do not."""
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(MOST):
        assert guesses.may_ask("192.0.2.1")
        guesses.was_wrong("192.0.2.1")
    assert not guesses.may_ask("192.0.2.1")
    assert guesses.may_ask("192.0.2.2")
    now[0] = WINDOW_SECONDS + 1
    assert guesses.may_ask("192.0.2.1")


def test_a_household_is_one_caller() -> None:
    """All addresses of a /64 of IPv6 count together."""
    guesses = Guesses()
    for number in range(MOST):
        guesses.was_wrong(f"2001:db8::{number:x}")
    assert not guesses.may_ask("2001:db8::ffff")
    assert guesses.may_ask("2001:db8:0:1::1")


def test_memory_is_bounded() -> None:
    """A flood from everywhere is forgotten, the oldest first."""
    guesses = Guesses()
    for number in range(11_000):
        guesses.was_wrong(f"name-{number}")
    assert len(guesses._wrong) == 10_000


def test_who_the_caller_is() -> None:
    """The proxy of our own network says whom it speaks for; a stranger cannot say who he is."""
    assert caller_of("127.0.0.1", "198.51.100.7, 203.0.113.9") == "203.0.113.9"
    assert caller_of("10.0.0.1", "") == "10.0.0.1"
    assert caller_of("8.8.8.8", "203.0.113.9") == "8.8.8.8"
    assert caller_of("", "203.0.113.9") == ""
