"""Counts in memory, and the batches in which they travel."""

from metrics.batches import Batches
from metrics.catalogue import COUNTED
from metrics.counting import Counter, Counts, Histogram


def test_what_is_taken_is_what_was_added_since() -> None:
    """A series adds up until it is taken, and begins anew then."""
    counts = Counts()
    calls = Counter(counts, "calls", "Calls.", "group", "status")
    calls.count("light", "200")
    calls.count("light", "200", by=2)
    calls.count("light", "429")
    assert counts.take() == {"calls\tlight\t200": 3, "calls\tlight\t429": 1}
    calls.count("light", "200")
    assert counts.take() == {"calls\tlight\t200": 1}
    assert counts.take() == {}


def test_an_observation_counts_in_the_first_bound_that_holds_it() -> None:
    """A bound includes itself; what is longer than all counts in +Inf; less than 0 is 0."""
    counts = Counts()
    delay = Histogram(counts, "delay", "Delay.", bounds=(0.5, 1))
    for seconds in (-3, 0.5, 0.6, 7):
        delay.observe(seconds)
    assert counts.take() == {
        "delay\t0.5": 2,
        "delay\t1": 1,
        "delay\t+Inf": 1,
        "delay\tsum": 8.1,
    }


def test_a_label_cannot_end_a_field() -> None:
    """A tab in a name is not taken for the next label."""
    counts = Counts()
    Counter(counts, "steps", "Steps.", "handler", "outcome").count("a\tb", "done")
    assert counts.take() == {"steps\ta b\tdone": 1}


def test_a_batch_stays_the_same_until_it_has_arrived() -> None:
    """What is counted meanwhile goes with the next one, which has another number."""
    counts = Counts()
    batches = Batches(counts)
    assert batches.next() == []
    counts.add(("a",), 1)
    first = batches.next()
    counts.add(("a",), 5)
    assert batches.next() == first
    batches.arrived()
    second = batches.next()
    assert (first[1:], second[1:]) == (["a", "1"], ["a", "5"])
    assert first[0] != second[0]


def test_two_processes_are_told_apart() -> None:
    """Both add to one hash and each remembers its own last batch."""
    one, other = Batches(Counts()).keys, Batches(Counts()).keys
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_names_follow_the_conventions() -> None:
    """Counters end in _total, times in _seconds; all begin with our name."""
    for metric in COUNTED:
        end = "_total" if isinstance(metric, Counter) else "_seconds"
        assert metric.name.startswith("ringpost_")
        assert metric.name.endswith(end)
        assert metric.words.endswith(".")
