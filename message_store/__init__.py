"""RingCentral's side: what it says and how it is asked. Knows no queue, no Redis, no email."""
