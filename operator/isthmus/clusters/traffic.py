"""What a cluster was asked and how that went, counted over all connections to it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import ClusterError, Forbidden


@dataclass(slots=True)
class Traffic:
    """Counts that only grow. `on_refused` is called with each answer that says we may not do something."""

    requests: Counter[str] = field(default_factory=Counter)
    """By verb."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By verb and the error's reason."""
    restarts: Counter[str] = field(default_factory=Counter)
    """Watches that broke, by the resource's plural."""
    on_refused: Callable[[Forbidden], None] | None = None

    def failed(self, verb: str, error: ClusterError) -> None:
        """Count a request that failed."""
        self.failures[verb, error.reason] += 1
        if self.on_refused is not None and isinstance(error, Forbidden):
            self.on_refused(error)
