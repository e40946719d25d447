"""What the processes count. All of it, and what is read from the ledger: docs/metrics.md."""

from metrics.counting import Counter, Counts, Histogram

COUNTS = Counts()
"""The counts of this process."""

_INSTANT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3)
_WORK = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_DELAY = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)

NOTIFICATIONS = Counter(
    COUNTS, "ringpost_notifications_total", "Requests to the webhook by what became of them.",
    "outcome",
)  # fmt: skip
ANSWER_SECONDS = Histogram(
    COUNTS, "ringpost_answer_seconds",
    "From the head of a notification with our token to its answer; the hint is with the broker "
    "by then, unless the broker is away.",
    bounds=_INSTANT,
)  # fmt: skip
HINTS = Counter(
    COUNTS, "ringpost_hints_total",
    "Hints of the webhook: published to the queue, or kept because the broker is away.",
    "fate",
)  # fmt: skip
SYNCS = Counter(
    COUNTS, "ringpost_syncs_total", "Synchronisations of a mailbox by how they ended.", "result"
)
MESSAGES = Counter(
    COUNTS, "ringpost_messages_total",
    "Messages that synchronisations found: new, changed, or gone before they could be read.",
    "found",
)  # fmt: skip
CALLS = Counter(
    COUNTS, "ringpost_calls_total",
    "Calls to RingCentral by its rate group and the status of the answer, none without one.",
    "group", "status",
)  # fmt: skip
STEPS = Counter(
    COUNTS, "ringpost_steps_total",
    "Attempts of steps: done, to be retried, put off (by a limit, say; no attempt), or failed.",
    "handler", "outcome",
)  # fmt: skip
STEP_SECONDS = Histogram(
    COUNTS, "ringpost_step_seconds", "How long a step took that was done.", "handler", bounds=_WORK
)
STAGE_DELAY = Histogram(
    COUNTS, "ringpost_stage_delay_seconds",
    "Of live messages: seen (since their creation), then first_step done and delivered (both "
    "since they were seen).",
    "stage",
    bounds=_DELAY,
)  # fmt: skip

COUNTED: tuple[Counter | Histogram, ...] = (
    NOTIFICATIONS,
    ANSWER_SECONDS,
    HINTS,
    SYNCS,
    MESSAGES,
    CALLS,
    STEPS,
    STEP_SECONDS,
    STAGE_DELAY,
)
