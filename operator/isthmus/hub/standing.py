"""Where the process stands: what keeps the hub from beginning, or the hub once it is there. No I/O."""

from isthmus.errors import MissingPermissionError

from .hub import Hub
from .readiness import ended, reasons


class Standing:
    """Of one process."""

    def __init__(self) -> None:
        self.hub: Hub | None = None
        self._obstacles: tuple[str, ...] = ("the hub is starting",)

    def hindered(self, error: Exception) -> bool:
        """The hub can't begin, for that reason; whether that is news."""
        self.hub = None
        lines = error.lines if isinstance(error, MissingPermissionError) else (str(error),)
        news, self._obstacles = lines != self._obstacles, lines
        return news

    def reasons(self) -> list[str]:
        """Why the process is not ready; empty where it is."""
        if self.hub is None:
            return list(self._obstacles)
        return list(reasons(self.hub))

    def ended(self) -> list[str]:
        """What has ended that must not; empty where the process is well."""
        return list(ended(self.hub)) if self.hub is not None else []
