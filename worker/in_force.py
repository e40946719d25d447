"""What of the configuration deliveries go by; another may take its place while they run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .configuration import Configuration
from .routes import Route
from .started import AnyHandler, StartedHandlers


@dataclass(frozen=True)
class InForce:
    """Routes by name, handlers by step, and the seconds between the tries of a step."""

    routes: Mapping[str, Route]
    handlers: StartedHandlers
    schedule: Sequence[float]

    @classmethod
    def of(cls, configuration: Configuration, handlers: Mapping[str, AnyHandler]) -> "InForce":
        """What this configuration, loaded with these handlers, says."""
        return cls(
            {route.name: route for route in configuration.routes},
            StartedHandlers(handlers),
            [pause.total_seconds() for pause in configuration.retries.schedule],
        )
