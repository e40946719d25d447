"""How tests make what looks after subscriptions."""

from collections.abc import Callable

from worker.subscriptions import Subscriptions

TOKEN = "first0verification0token"
OTHER_TOKEN = "second0verification0token"

Make = Callable[..., Subscriptions]
