"""Whether the places that handlers deliver to are there and willing."""

import asyncio
from collections.abc import Mapping

from ringpost.findings import Finding, fail, ok
from worker.handlers.contract import HandlerError, Step

_PATIENCE = 30


async def check_destinations(handlers: Mapping[str, Step]) -> list[Finding]:
    """Ask each handler; all at the same time."""
    return list(await asyncio.gather(*(_check(name, step) for name, step in handlers.items())))


async def _check(name: str, step: Step) -> Finding:
    subject = f"handler {name}"
    try:
        async with asyncio.timeout(_PATIENCE):
            return ok(subject, await step.check())
    except HandlerError as error:
        return fail(subject, error.reason)
    except TimeoutError:
        return fail(subject, f"no answer within {_PATIENCE} s")
    except Exception as error:  # noqa: BLE001  # a plug-in may fail in any way, and the rest goes on
        return fail(
            subject, f"{type(error).__name__} in its check", "see the plug-in's documentation"
        )
    finally:
        await _close(step)


async def _close(step: Step) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await step.close()
    except Exception:  # noqa: BLE001, S110  # what it found counts, not how it parts
        pass
