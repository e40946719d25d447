"""Mailboxes are spread over the users that may read them, and stay where they are."""

from hypothesis import given
from hypothesis import strategies as st

from message_store.mailbox import Mailbox
from worker.spreading import spread

MAILBOXES = [Mailbox("1", str(n)) for n in range(100)]


def test_two_users_share() -> None:
    """Each of two users that may read all gets half of them."""
    chosen = spread({"a": MAILBOXES, "b": MAILBOXES}, {})
    assert list(chosen.values()).count("a") == 50
    assert chosen.keys() == set(MAILBOXES)


def test_who_may_read_it_gets_it() -> None:
    """A mailbox goes to a user that may read it, however many that one has."""
    chosen = spread({"a": MAILBOXES[:10], "b": MAILBOXES[10:]}, {})
    assert {chosen[mailbox] for mailbox in MAILBOXES[:10]} == {"a"}
    assert {chosen[mailbox] for mailbox in MAILBOXES[10:]} == {"b"}


def test_nothing_moves_without_need() -> None:
    """What is assigned stays, when mailboxes join or leave or the load differs a little."""
    before = spread({"a": MAILBOXES[:80], "b": MAILBOXES[:80]}, {})
    after = spread({"a": MAILBOXES[4:84], "b": MAILBOXES[4:84]}, before)
    assert all(after[mailbox] == before[mailbox] for mailbox in MAILBOXES[4:80])


def test_a_second_user_takes_over_a_share() -> None:
    """When another user is added it is given about half of the first one's."""
    alone = spread({"a": MAILBOXES}, {})
    chosen = spread({"a": MAILBOXES, "b": MAILBOXES}, alone)
    assert 40 <= list(chosen.values()).count("b") <= 60


def test_a_user_that_is_gone_is_replaced() -> None:
    """Its mailboxes go to those who may read them."""
    both = spread({"a": MAILBOXES, "b": MAILBOXES}, {})
    assert set(spread({"b": MAILBOXES}, both).values()) == {"b"}


@given(
    st.dictionaries(st.sampled_from("abc"), st.sets(st.sampled_from(MAILBOXES[:12]))),
    st.dictionaries(st.sampled_from(MAILBOXES[:12]), st.sampled_from("abcd")),
)
def test_all_that_can_be_read_is_looked_after(
    readable: dict[str, set[Mailbox]], assigned: dict[Mailbox, str]
) -> None:
    """Whatever was before: each readable mailbox is with a user that may read it, and no other."""
    chosen = spread(readable, assigned)
    assert chosen.keys() == set().union(*readable.values())
    assert all(mailbox in readable[scope] for mailbox, scope in chosen.items())
    assert spread(readable, chosen).keys() == chosen.keys()
